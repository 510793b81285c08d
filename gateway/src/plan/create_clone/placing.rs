//! Where the files of a clone lie: in a directory of their own, or as they lay on a volume of their own.

use super::names::{datastore_name, safe};
use crate::{
    catalog::{CloneTarget, PointDisk, RestorePoint},
    error::{GatewayError, Result},
    layout::volume_path,
    plan::point,
};
use std::collections::{BTreeMap, BTreeSet};
use strata_model::DatastorePath;
use strata_proto::strata::inventory::v1::{self as inv, datastore_backing::Kind};

/// Where everything of a clone lies.
pub(super) struct Placing<'a> {
    pub(super) point: &'a RestorePoint,
    pub(super) display_name: &'a str,
    pub(super) clone_id: &'a str,
    pub(super) datastores: &'a BTreeMap<String, inv::Datastore>,
    pub(super) by_volume: bool,
}

impl Placing<'_> {
    /// The targets on the array, and for each file of the point its copy's path.
    pub(super) fn place(&self) -> Result<(Vec<CloneTarget>, BTreeMap<String, String>)> {
        let mut paths = BTreeMap::new();
        let mut targets = Vec::new();
        for (number, member) in self.point.intent.members.iter().enumerate() {
            let snapshot_id = point::member_on(&self.point.cut, &member.volume)?.snapshot_id.clone();
            let files = self.files_on(&member.datastore)?;
            let mut target = CloneTarget {
                volume: member.volume.clone(),
                snapshot_id,
                to_directory: String::new(),
                files: Vec::new(),
                datastore: String::new(),
                nfs_version: String::new(),
                path_in_volume: member.path_in_volume.clone(),
                lun_paths: Vec::new(),
                luns_in_place: false,
            };
            if self.by_volume {
                target.datastore = datastore_name(self.display_name, number + 1);
                target.nfs_version = nfs_version(self.datastores.get(&member.datastore));
                paths.extend(files.iter().map(|path| {
                    (path.to_string(), DatastorePath::new(target.datastore.clone(), path.path.clone()).to_string())
                }));
            } else {
                let directory = safe(self.display_name, 80);
                target.to_directory = volume_path(&member.path_in_volume, &directory);
                for (from, to) in spread(&files, &directory) {
                    let inside = |path: &DatastorePath| volume_path(&member.path_in_volume, &path.path);
                    target.files.push((inside(&from), inside(&to)));
                    paths.insert(from.to_string(), to.to_string());
                }
            }
            targets.push(target);
        }
        Ok((targets, paths))
    }

    /// All files of the point on a datastore: disks, and the .vmx and nvram where they lie there.
    fn files_on(&self, datastore: &str) -> Result<Vec<DatastorePath>> {
        let intent = &self.point.intent;
        let disks = intent.disks.iter().flat_map(|disk: &PointDisk| disk.files.iter());
        let all = disks.chain([&intent.vmx_path]).chain(&intent.nvram_path);
        let mut files: Vec<DatastorePath> =
            all.map(|path| path.parse().map_err(GatewayError::unexpected)).collect::<Result<_>>()?;
        files.retain(|path| path.datastore == datastore);
        files.sort();
        files.dedup();
        match files.is_empty() {
            false => Ok(files),
            true => Err(GatewayError::unexpected(format!(
                "{} has no file on [{datastore}]: {}",
                self.clone_id, self.point.id
            ))),
        }
    }
}

/// Every file in the one new directory; files of the same name from different directories go into directories of their own.
fn spread(files: &[DatastorePath], directory: &str) -> Vec<(DatastorePath, DatastorePath)> {
    let sources: BTreeSet<&str> = files.iter().map(|path| path.directory()).collect();
    let numbers: BTreeMap<&str, usize> =
        sources.into_iter().enumerate().map(|(number, source)| (source, number)).collect();
    let clash = |path: &DatastorePath| {
        files.iter().any(|other| other.file_name() == path.file_name() && other.directory() < path.directory())
    };
    // A disk's descriptor and its extents must stay together, so one clash moves the whole source directory.
    let moved: BTreeSet<&str> = files.iter().filter(|path| clash(path)).map(|path| path.directory()).collect();
    let target = |path: &DatastorePath| match moved.contains(path.directory()) {
        true => path.moved_to(&format!("{directory}/d{}", numbers[path.directory()])),
        false => path.moved_to(directory),
    };
    files.iter().map(|path| (path.clone(), as_vm(target(path)))).collect()
}

/// A template's configuration differs from a VM's by the name's end only, and vCenter registers by that end.
fn as_vm(path: DatastorePath) -> DatastorePath {
    match path.path.strip_suffix(".vmtx") {
        Some(stem) => DatastorePath::new(path.datastore.clone(), format!("{stem}.vmx")),
        None => path,
    }
}
pub(in crate::plan) fn nfs_version(datastore: Option<&inv::Datastore>) -> String {
    match datastore.and_then(|datastore| datastore.backing.as_ref()).and_then(|backing| backing.kind.as_ref()) {
        Some(Kind::Nfs(nfs)) if !nfs.version.is_empty() => nfs.version.clone(),
        _ => "NFS".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> DatastorePath {
        text.parse().unwrap()
    }

    #[test]
    fn files_with_the_same_name_do_not_meet() {
        let files =
            [path("[ds] a/x.vmdk"), path("[ds] a/x-flat.vmdk"), path("[ds] b/x.vmdk"), path("[ds] b/x-flat.vmdk")];
        let targets: Vec<String> = spread(&files, "new").into_iter().map(|(_, to)| to.path).collect();
        assert_eq!(targets, ["new/x.vmdk", "new/x-flat.vmdk", "new/d1/x.vmdk", "new/d1/x-flat.vmdk"]);
    }

    #[test]
    fn a_templates_configuration_becomes_a_vms() {
        for (from, to) in
            [("[ds] g/g.vmtx", "new/g.vmx"), ("[ds] g/g.vmx", "new/g.vmx"), ("[ds] g/g.vmdk", "new/g.vmdk")]
        {
            assert_eq!(spread(&[path(from)], "new")[0].1.path, to);
        }
    }
}
