//! Copies of everything that a restore point holds, as datastores of their own: LUNs cloned and mapped, exports cloned and
//! mounted where the VM has disks on NFS too.

use super::hosts;
use crate::{
    catalog::{CloneTarget, CloneVmfs, LunHost, Member, RestorePoint},
    deps::Deps,
    error::{GatewayError, Result},
    layout::{array_name, shown_name},
    plan::{
        create_clone::{datastores as sources_of, names, placement, placing},
        point as points,
    },
};
use std::collections::BTreeMap;
use strata_model::{DatastorePath, ErrorKind};
use strata_proto::strata::{inventory::v1 as inv, storage::v1::Capabilities};

/// What is asked of the copies.
#[derive(Debug, Clone, Copy)]
pub(in crate::plan) struct Wish<'a> {
    /// `vcenters/{vcenter}`.
    pub(in crate::plan) vcenter: &'a str,
    /// What datastores are named from.
    pub(in crate::plan) name: &'a str,
    /// Names or ids of hosts; empty: those of the source.
    pub(in crate::plan) hosts: &'a [String],
}

/// See the module.
#[derive(Debug, Clone)]
pub(in crate::plan) struct Copies {
    /// One a volume.
    pub(in crate::plan) targets: Vec<CloneTarget>,
    /// The file systems on cloned LUNs.
    pub(in crate::plan) vmfs: Vec<CloneVmfs>,
    /// Hosts that get the LUNs.
    pub(in crate::plan) lun_hosts: Vec<LunHost>,
    /// The same hosts as vCenter shows them.
    pub(in crate::plan) shown_hosts: Vec<inv::Host>,
    /// Hosts that mount exports, with their addresses.
    pub(in crate::plan) nfs_hosts: Vec<(String, Vec<String>)>,
    /// Sentences for the plan.
    pub(in crate::plan) remarks: Vec<String>,
    /// The new datastore of each old one, by the names that stand in paths.
    names: BTreeMap<String, String>,
}

impl Copies {
    /// Where the copy of a file lies.
    ///
    /// # Errors
    /// Unsupported where its datastore is not in the restore point.
    pub(in crate::plan) fn path(&self, path: &str) -> Result<String> {
        let path: DatastorePath = path.parse().map_err(GatewayError::unexpected)?;
        match self.names.get(&path.datastore) {
            Some(name) => Ok(DatastorePath::new(name.clone(), path.path).to_string()),
            None => {
                let message = format!("{path} is needed, and [{}] is not in the restore point", path.datastore);
                Err(GatewayError::unsupported("FILE_NOT_IN_POINT", message).with("file", path.to_string()))
            }
        }
    }
}

/// Plans them.
///
/// # Errors
/// An array cannot clone or map, no host can be given them, a name is taken.
pub(in crate::plan) async fn plan(deps: &Deps, point: &RestorePoint, wish: Wish<'_>) -> Result<Copies> {
    let (datastores, _) = deps.ports.inventory.all_datastores().await?;
    let chosen = match super::is_block(point) {
        true => hosts::choose(deps, wish.vcenter, point, &datastores, wish.hosts).await?,
        false => hosts::Chosen::default(),
    };
    let mut copies = Copies {
        targets: Vec::new(),
        vmfs: Vec::new(),
        lun_hosts: chosen.hosts,
        shown_hosts: chosen.shown,
        nfs_hosts: Vec::new(),
        remarks: chosen.left_out,
        names: BTreeMap::new(),
    };
    copies.vmfs = file_systems(&point.intent.members)?;
    for member in &point.intent.members {
        let can = capabilities(deps, member).await?;
        let target = target(point, member, &can)?;
        // Several datastores in one volume are cloned with it once.
        match copies.targets.iter_mut().find(|it| it.volume == target.volume && !it.lun_paths.is_empty()) {
            Some(known) if !target.lun_paths.is_empty() => {
                known.lun_paths.extend(target.lun_paths);
                known.lun_paths.sort();
                known.lun_paths.dedup();
            }
            _ => copies.targets.push(target),
        }
    }
    let mut number = 0;
    let mut next = || {
        number += 1;
        names::datastore_name(wish.name, number)
    };
    for vmfs in &mut copies.vmfs {
        vmfs.datastore = next();
        copies.names.insert(vmfs.source.clone(), vmfs.datastore.clone());
    }
    let nfs: Vec<&Member> = point.intent.members.iter().filter(|member| member.luns.is_empty()).collect();
    if !nfs.is_empty() {
        let sources = sources_of::source_datastores(deps, wish.vcenter, &nfs).await?;
        for member in nfs {
            let target = copies.targets.iter_mut().find(|target| {
                target.volume == member.volume
                    && target.path_in_volume == member.path_in_volume
                    && target.lun_paths.is_empty()
            });
            if let Some(target) = target {
                target.datastore = next();
                target.nfs_version = placing::nfs_version(sources.get(&member.datastore));
                copies.names.insert(member.datastore.clone(), target.datastore.clone());
            }
        }
        copies.nfs_hosts = placement::hosts_for(deps, wish.vcenter, &sources).await?;
    }
    refuse_taken(&datastores, wish.vcenter, &copies.names)?;
    Ok(copies)
}

/// Each VMFS of a cut with its extents in order, which must all be there.
fn file_systems(members: &[Member]) -> Result<Vec<CloneVmfs>> {
    type Extents = BTreeMap<u32, (String, String)>;
    let mut found: BTreeMap<String, (String, u32, Extents)> = BTreeMap::new();
    for member in members {
        for lun in &member.luns {
            let entry = found.entry(lun.vmfs_uuid.clone());
            let (_, _, extents) = entry.or_insert_with(|| (lun.datastore.clone(), lun.extents, Extents::new()));
            extents.insert(lun.extent, (member.volume.clone(), lun.path.clone()));
        }
    }
    found
        .into_iter()
        .map(|(source_uuid, (source, count, extents))| {
            if usize::try_from(count).unwrap_or(0) != extents.len() {
                let text = format!("[{source}] has {count} extents and {} are in the restore point", extents.len());
                return Err(GatewayError::unexpected(text));
            }
            let extents = extents.into_values().collect();
            Ok(CloneVmfs { source_uuid, source, datastore: String::new(), extents })
        })
        .collect()
}

async fn capabilities(deps: &Deps, member: &Member) -> Result<Capabilities> {
    let name = array_name(&member.volume)?;
    let array = deps.ports.storage.get_array(&name).await?;
    array.capabilities.ok_or_else(|| {
        let message = format!("{name} does not answer: {}", array.state_reason);
        GatewayError::new(ErrorKind::Unavailable, "ARRAY_UNREACHABLE", message).with("array", &name)
    })
}

/// A clone of the volume where the array can, since it leaves the source's volume as it is; of its LUNs otherwise.
fn target(point: &RestorePoint, member: &Member, can: &Capabilities) -> Result<CloneTarget> {
    let array = array_name(&member.volume)?;
    let block = !member.luns.is_empty();
    let cannot = |what: &str| {
        let message = format!("{array} cannot {what}, so {} cannot be cloned", point.display_name);
        GatewayError::unsupported("CLONE_UNSUPPORTED", message).with("array", &array)
    };
    match (block, can.export_luns, can.export_nfs, can.clone_volume, can.clone_luns) {
        (true, false, ..) => return Err(cannot("map LUNs of clones to hosts")),
        (true, _, _, false, false) => return Err(cannot("clone volumes or LUNs")),
        (false, _, false, ..) => return Err(cannot("export clones by NFS")),
        (false, _, _, false, _) => return Err(cannot("clone volumes")),
        _ => {}
    }
    let mut lun_paths: Vec<String> = member.luns.iter().map(|lun| lun.path.clone()).collect();
    lun_paths.sort();
    lun_paths.dedup();
    Ok(CloneTarget {
        volume: member.volume.clone(),
        snapshot_id: points::member_on(&point.cut, &member.volume)?.snapshot_id.clone(),
        to_directory: String::new(),
        files: Vec::new(),
        datastore: String::new(),
        nfs_version: String::new(),
        path_in_volume: member.path_in_volume.clone(),
        lun_paths,
        luns_in_place: block && !can.clone_volume,
    })
}

/// A name that another datastore has would be found taken after the array's work is done.
fn refuse_taken(datastores: &[inv::Datastore], vcenter: &str, names: &BTreeMap<String, String>) -> Result<()> {
    let here = datastores.iter().filter(|datastore| datastore.name.starts_with(&format!("{vcenter}/")));
    for datastore in here {
        if names.values().any(|name| *name == datastore.display_name || *name == shown_name(&datastore.display_name)) {
            let message = format!("{vcenter} has a datastore named {} already", datastore.display_name);
            return Err(GatewayError::conflict("DATASTORE_NAME_TAKEN", message)
                .with("datastore", &datastore.name)
                .hint("choose another name for the clone, from which its datastores are named: --name NAME"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::MemberLun;

    fn member(volume: &str, luns: &[(&str, u32, u32)]) -> Member {
        let lun = |(vmfs, extent, extents): &(&str, u32, u32)| MemberLun {
            path: format!("{vmfs}-{extent}"),
            uuid: String::new(),
            canonical_name: String::new(),
            size_bytes: 0,
            datastore: format!("ds-{vmfs}"),
            datastore_name: String::new(),
            vmfs_uuid: (*vmfs).into(),
            extent: *extent,
            extents: *extents,
        };
        Member {
            volume: volume.into(),
            volume_uuid: String::new(),
            datastore: String::new(),
            datastore_name: String::new(),
            path_in_volume: String::new(),
            evidence: String::new(),
            paths: Vec::new(),
            luns: luns.iter().map(lun).collect(),
        }
    }

    #[test]
    fn extents_stand_head_first_and_none_may_lack() {
        let two = [member("v1", &[("a", 1, 2)]), member("v2", &[("a", 0, 2), ("b", 0, 1)])];
        let found = file_systems(&two).unwrap();
        let extents: Vec<Vec<&str>> =
            found.iter().map(|vmfs| vmfs.extents.iter().map(|(volume, _)| volume.as_str()).collect()).collect();
        assert_eq!(extents, [vec!["v2", "v1"], vec!["v2"]]);
        assert_eq!(found[0].source, "ds-a");
        assert!(file_systems(&two[..1]).is_err(), "the head is not in it");
    }
}
