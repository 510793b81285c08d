//! What lies on a datastore and belongs to no VM of this vCenter (safety.md S6): found by looking at every file.

use super::pb;
use crate::vcenter::browser::FoundFile;
use std::collections::{BTreeMap, BTreeSet};
use strata_model::DatastorePath;

/// Directories of arrays and of Strata itself that hold nobody's data.
const NOT_TENANTS: &[&str] = &[".snapshot", ".strata"];

/// What registered VMs have on a datastore.
#[derive(Debug, Default)]
pub struct Owned {
    /// Directories of their .vmx files.
    pub directories: BTreeSet<DatastorePath>,
    /// All their files.
    pub files: BTreeSet<DatastorePath>,
    /// Their .vmx files.
    pub vmx_files: BTreeSet<DatastorePath>,
}

/// The tenants among the files of one datastore.
pub fn strangers(files: &[FoundFile], owned: &Owned, datastore: &str) -> Vec<pb::Tenant> {
    let mut tenants: BTreeMap<String, pb::TenantKind> = BTreeMap::new();
    let mut others: BTreeSet<String> = BTreeSet::new();
    for file in files.iter().filter(|file| !file.directory && !is_nobodys(&file.path)) {
        let path = &file.path;
        let top = path.path.split('/').next().unwrap_or_default();
        let name = path.file_name().to_ascii_lowercase();
        let extension = name.rsplit_once('.').map(|(_, extension)| extension).unwrap_or_default();
        let own_directory = DatastorePath::new(path.datastore.clone(), path.directory());
        let (shown, kind) = match extension {
            _ if top.starts_with("contentlib-") => (top_path(path, top), pb::TenantKind::ContentLibrary),
            "vmdk" if top == "fcd" => (path.to_string(), pb::TenantKind::FirstClassDisk),
            _ if top == "fcd" || top == "catalog" => continue,
            "vmx" | "vmtx" if !owned.vmx_files.contains(path) => (path.to_string(), pb::TenantKind::UnregisteredVm),
            "iso" | "flp" | "img" => (path.to_string(), pb::TenantKind::Image),
            _ if owned.directories.contains(&own_directory) || owned.files.contains(path) => continue,
            _ => {
                others.insert(own_directory.to_string());
                continue;
            }
        };
        tenants.insert(shown, kind);
    }
    // A directory that something above already stands for is not named twice.
    let named: BTreeSet<String> = tenants.keys().filter_map(|path| directory_of(path)).collect();
    for directory in others.difference(&named) {
        tenants.insert(directory.clone(), pb::TenantKind::Other);
    }
    tenants
        .into_iter()
        .map(|(display_name, kind)| pb::Tenant {
            kind: kind.into(),
            display_name,
            datastore: datastore.to_owned(),
            ..pb::Tenant::default()
        })
        .collect()
}

fn is_nobodys(path: &DatastorePath) -> bool {
    // What VMFS keeps of itself: `.fbb.sf`, `.sdd.sf`.
    let top = path.path.split('/').next().unwrap_or_default();
    (top.starts_with('.') && top.ends_with(".sf"))
        || path.path.split('/').any(|part| NOT_TENANTS.iter().any(|name| part.starts_with(name)))
}

fn top_path(path: &DatastorePath, top: &str) -> String {
    DatastorePath::new(path.datastore.clone(), top).to_string()
}

fn directory_of(path: &str) -> Option<String> {
    let path: DatastorePath = path.parse().ok()?;
    Some(DatastorePath::new(path.datastore.clone(), path.directory()).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_every_stranger_once() {
        let paths = [
            "[d] web/web.vmx",
            "[d] web/web.vmdk",
            "[d] web/tools.iso",
            "[d] web/copy.vmx",
            "[d] old/old.vmx",
            "[d] old/old.vmdk",
            "[d] tmpl/t.vmtx",
            "[d] iso/linux.iso",
            "[d] orphan/lost.vmdk",
            "[d] contentlib-1/a/b.ovf",
            "[d] contentlib-1/c/d.iso",
            "[d] fcd/f.vmdk",
            "[d] fcd/f.vmfd",
            "[d] catalog/shard",
            "[d] swap-elsewhere/web.vswp",
            "[d] .snapshot/hourly/web/web.vmx",
            "[d] web/.strata-aside-s-1/web.vmdk",
            "[d] .vSphere-HA/host",
            "[d] .fbb.sf",
            "[d] .sdd.sf/naa.1/slot",
        ];
        let files: Vec<FoundFile> = paths
            .iter()
            .map(|path| FoundFile { path: path.parse().unwrap(), size_bytes: 1, directory: false })
            .collect();
        let set = |paths: &[&str]| paths.iter().map(|path| path.parse().unwrap()).collect();
        let owned = Owned {
            directories: set(&["[d] web"]),
            files: set(&["[d] swap-elsewhere/web.vswp"]),
            vmx_files: set(&["[d] web/web.vmx"]),
        };
        let found: Vec<(String, pb::TenantKind)> = strangers(&files, &owned, "store")
            .into_iter()
            .map(|tenant| (tenant.display_name.clone(), tenant.kind()))
            .collect();
        use pb::TenantKind as Kind;
        let expected = [
            ("[d] .vSphere-HA", Kind::Other),
            ("[d] contentlib-1", Kind::ContentLibrary),
            ("[d] fcd/f.vmdk", Kind::FirstClassDisk),
            ("[d] iso/linux.iso", Kind::Image),
            ("[d] old/old.vmx", Kind::UnregisteredVm),
            ("[d] orphan", Kind::Other),
            ("[d] tmpl/t.vmtx", Kind::UnregisteredVm),
            ("[d] web/copy.vmx", Kind::UnregisteredVm),
            ("[d] web/tools.iso", Kind::Image),
        ];
        assert_eq!(found, expected.map(|(name, kind)| (name.to_owned(), kind)));
    }
}
