//! Which LUNs and volumes a VM's files need in a cut, and the extents that must be cut at one point (safety.md S10).

use crate::{
    catalog::{Member, MemberLun},
    error::{GatewayError, Result},
    layout::{PlacedDatastore, VmLayout, array_name, vmfs},
    plan::words,
};
use std::collections::{BTreeMap, BTreeSet};

/// The parts of a cut that a VMFS needs: one a volume, each with its LUNs that the VMFS lies on. Arrays cannot read files
/// in LUNs, so no path is named: the whole volume is cut.
pub(in crate::plan) fn members(datastore: &str, placed: &PlacedDatastore) -> Vec<Member> {
    let mut members: BTreeMap<&str, Member> = BTreeMap::new();
    let extents = u32::try_from(placed.luns.len()).unwrap_or(u32::MAX);
    for (extent, part) in (0_u32..).zip(&placed.luns) {
        let member = members.entry(&part.volume.name).or_insert_with(|| Member {
            volume: part.volume.name.clone(),
            volume_uuid: part.volume.uuid.clone(),
            datastore: datastore.to_owned(),
            datastore_name: placed.datastore.name.clone(),
            path_in_volume: String::new(),
            evidence: placed.evidence.clone(),
            paths: Vec::new(),
            luns: Vec::new(),
        });
        member.luns.push(MemberLun {
            path: part.lun.path.clone(),
            uuid: part.lun.uuid.clone(),
            canonical_name: part.lun.canonical_name.clone(),
            size_bytes: part.lun.size_bytes,
            datastore: datastore.to_owned(),
            datastore_name: placed.datastore.name.clone(),
            vmfs_uuid: vmfs(&placed.datastore).map(|vmfs| vmfs.uuid.clone()).unwrap_or_default(),
            extent,
            extents,
        });
    }
    members.into_values().collect()
}

/// Refuses a VMFS whose extents cannot be cut at one point in time: half of its metadata from one moment and half from
/// another is no file system. No flag allows it, and neither does a VM that is off, since neighbours write too.
///
/// # Errors
/// `NOT_ONE_POINT`.
pub(in crate::plan) fn refuse_torn(layout: &VmLayout, members: &[Member]) -> Result<()> {
    for (datastore, volumes) in split(members) {
        let array = array_name(&volumes[0])?;
        let here = |member: &&Member| array_name(&member.volume).is_ok_and(|name| name == array);
        let on_array = members.iter().filter(here).map(|member| &member.volume).collect::<BTreeSet<_>>().len();
        let elsewhere = volumes.iter().any(|volume| array_name(volume).is_ok_and(|name| name != array));
        let can =
            layout.arrays.get(&array).and_then(|array| array.capabilities.as_ref()).is_some_and(|can| {
                can.skew_us_max == 0 && usize::try_from(can.group_volumes_max).unwrap_or(0) >= on_array
            });
        if elsewhere || !can {
            let message = format!(
                "[{datastore}] of {} has its extents on {}, and these cannot be cut at one point in time{}",
                layout.vm.display_name,
                words::list(&volumes, 4),
                if elsewhere { ": they are on different arrays" } else { "" }
            );
            return Err(GatewayError::unsupported("NOT_ONE_POINT", message)
                .with("vm", &layout.vm.name)
                .with("datastore", &datastore)
                .hint("no flag allows it: the file system would be torn; move the VM to a datastore of one extent"));
        }
    }
    Ok(())
}

/// Datastores whose extents lie on more than one volume, with those.
fn split(members: &[Member]) -> BTreeMap<String, Vec<String>> {
    let mut volumes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for member in members {
        for lun in &member.luns {
            let on = volumes.entry(lun.datastore.clone()).or_default();
            if !on.contains(&member.volume) {
                on.push(member.volume.clone());
            }
        }
    }
    volumes.retain(|_, on| on.len() > 1);
    volumes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::PlacedLun;
    use strata_proto::strata::{inventory::v1 as inv, storage::v1 as sto};

    fn placed(name: &str, volumes: &[&str]) -> PlacedDatastore {
        let extent = |volume: &&str| PlacedLun {
            volume: sto::Volume { name: (*volume).into(), uuid: format!("u-{volume}"), ..Default::default() },
            lun: sto::Lun { path: format!("{name}-{volume}"), ..Default::default() },
            siblings: Vec::new(),
            evidence: String::new(),
        };
        let luns: Vec<PlacedLun> = volumes.iter().map(extent).collect();
        let datastore = inv::Datastore { display_name: name.into(), ..Default::default() };
        PlacedDatastore {
            volume: luns.first().map(|lun| lun.volume.clone()),
            datastore,
            path_in_volume: String::new(),
            evidence: String::new(),
            luns,
        }
    }

    fn layout(arrays: &[(&str, u32, u64)]) -> VmLayout {
        let array = |(name, group_volumes_max, skew_us_max): &(&str, u32, u64)| {
            let capabilities = sto::Capabilities {
                group_volumes_max: *group_volumes_max,
                skew_us_max: *skew_us_max,
                ..Default::default()
            };
            ((*name).to_owned(), sto::Array { capabilities: Some(capabilities), ..Default::default() })
        };
        VmLayout {
            topology: inv::VmTopology::default(),
            vm: inv::Vm::default(),
            datastores: BTreeMap::new(),
            disks: Vec::new(),
            neighbours: Vec::new(),
            arrays: arrays.iter().map(array).collect(),
            silence: BTreeMap::new(),
            unreachable: Vec::new(),
            hosts: Vec::new(),
        }
    }

    #[test]
    fn one_member_a_volume_with_all_its_luns() {
        let found = members("ds", &placed("ds", &["arrays/a/volumes/1", "arrays/a/volumes/2", "arrays/a/volumes/1"]));
        assert_eq!(found.len(), 2);
        let extents: Vec<Vec<u32>> = found.iter().map(|it| it.luns.iter().map(|lun| lun.extent).collect()).collect();
        assert_eq!(extents, [vec![0, 2], vec![1]]);
        assert!(found.iter().flat_map(|it| &it.luns).all(|lun| lun.extents == 3));
    }

    #[test]
    fn s10_extents_are_cut_at_one_point_or_not_at_all() {
        let on = |volumes: &[&str]| members("ds", &placed("ds", volumes));
        let (two, far) = (["arrays/a/volumes/1", "arrays/a/volumes/2"], ["arrays/a/volumes/1", "arrays/b/volumes/1"]);
        for (volumes, arrays, fits) in [
            (&two[..1], vec![("arrays/a", 1, 0)], true),
            (&two, vec![("arrays/a", 2, 0)], true),
            (&two, vec![("arrays/a", 1, 0)], false),
            (&two, vec![("arrays/a", 2, 5)], false),
            (&far, vec![("arrays/a", 9, 0), ("arrays/b", 9, 0)], false),
        ] {
            let refused = refuse_torn(&layout(&arrays), &on(volumes));
            assert_eq!(refused.is_ok(), fits, "{volumes:?} {arrays:?}");
            if let Err(error) = refused {
                assert_eq!(error.reason, "NOT_ONE_POINT");
                assert!(error.message.contains("[ds]"), "{error}");
            }
        }
    }
}
