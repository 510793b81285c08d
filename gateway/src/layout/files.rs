//! From a disk's chain to the files that make it up, and from a file on a datastore to its path in the volume.

use strata_model::DatastorePath;
use strata_proto::strata::inventory::v1::{VmFile, VmFileKind};

/// The path within the volume of a path within a datastore whose root lies at `root`.
pub fn volume_path(root: &str, path: &str) -> String {
    match root.trim_matches('/') {
        "" => path.to_owned(),
        root => format!("{root}/{path}"),
    }
}

/// All files that make up a chain of disks: the descriptors, and what vCenter lists as their extents. Where vCenter lists no
/// extent for a descriptor, the usual one is assumed, `-flat` for a base and `-delta` for a snapshot's disk.
pub fn chain_files(chain: &[String], files: &[VmFile]) -> Result<Vec<DatastorePath>, String> {
    let mut found = Vec::new();
    for descriptor in chain {
        let descriptor: DatastorePath = descriptor.parse()?;
        let stem = descriptor.path.strip_suffix(".vmdk").ok_or_else(|| format!("{descriptor} is no disk"))?.to_owned();
        let extents: Vec<DatastorePath> = files
            .iter()
            .filter(|file| file.kind() != VmFileKind::ChangeTracking)
            .filter_map(|file| file.path.parse::<DatastorePath>().ok())
            .filter(|path| path.datastore == descriptor.datastore && is_extent_of(&path.path, &stem))
            .collect();
        found.push(descriptor.clone());
        match extents.is_empty() {
            false => found.extend(extents),
            true => {
                found.push(DatastorePath::new(descriptor.datastore.clone(), format!("{stem}-{}.vmdk", usual(&stem))))
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn usual(stem: &str) -> &'static str {
    let number = stem.rsplit('-').next().unwrap_or_default();
    if number.len() == 6 && number.bytes().all(|byte| byte.is_ascii_digit()) { "delta" } else { "flat" }
}

/// `name-flat.vmdk`, `name-delta.vmdk`, `name-sesparse.vmdk`, `name-s001.vmdk`, `name-f001.vmdk` of `name`.
fn is_extent_of(path: &str, stem: &str) -> bool {
    let Some(rest) = path.strip_prefix(stem).and_then(|rest| rest.strip_prefix('-')) else { return false };
    rest.strip_suffix(".vmdk").is_some_and(is_kind_of_extent)
}

fn is_kind_of_extent(kind: &str) -> bool {
    let numbered =
        |prefix| kind.strip_prefix(prefix).is_some_and(|n: &str| n.len() == 3 && n.bytes().all(|b| b.is_ascii_digit()));
    matches!(kind, "flat" | "delta" | "sesparse") || numbered('s') || numbered('f')
}

/// True where a file holds a disk's data, by its name: everything that is no descriptor.
pub fn is_extent(path: &str) -> bool {
    let kind = path.strip_suffix(".vmdk").and_then(|stem| stem.rsplit_once('-'));
    kind.is_some_and(|(_, kind)| is_kind_of_extent(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Vec<VmFile> {
        names.iter().map(|name| VmFile { path: format!("[ds] vm/{name}"), ..VmFile::default() }).collect()
    }

    fn check(chain: &[&str], listed: &[&str], expected: &[&str]) {
        let chain: Vec<String> = chain.iter().map(|name| format!("[ds] vm/{name}")).collect();
        let found = chain_files(&chain, &files(listed)).unwrap();
        let found: Vec<String> = found.iter().map(|path| path.file_name().to_owned()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn extents_are_found_and_strangers_are_not() {
        check(&["a.vmdk"], &["a.vmdk", "a-flat.vmdk", "a_1-flat.vmdk", "a-ctk.vmdk"], &["a-flat.vmdk", "a.vmdk"]);
        check(
            &["a-000001.vmdk", "a.vmdk"],
            &["a-000001-sesparse.vmdk", "a-000001.vmdk", "a-flat.vmdk"],
            &["a-000001-sesparse.vmdk", "a-000001.vmdk", "a-flat.vmdk", "a.vmdk"],
        );
        check(&["a.vmdk"], &["a-s001.vmdk", "a-s002.vmdk", "a-s1.vmdk"], &["a-s001.vmdk", "a-s002.vmdk", "a.vmdk"]);
    }

    #[test]
    fn an_extent_that_is_not_listed_is_assumed() {
        check(&["a.vmdk"], &[], &["a-flat.vmdk", "a.vmdk"]);
        check(&["a-000002.vmdk"], &[], &["a-000002-delta.vmdk", "a-000002.vmdk"]);
    }

    #[test]
    fn descriptors_and_extents() {
        for (path, expected) in
            [("vm/a.vmdk", false), ("vm/a-flat.vmdk", true), ("a-000001.vmdk", false), ("a-000001-delta.vmdk", true)]
        {
            assert_eq!(is_extent(path), expected, "{path}");
        }
    }

    #[test]
    fn paths_in_volumes() {
        assert_eq!(volume_path("", "vm/a"), "vm/a");
        assert_eq!(volume_path("/q/ds/", "vm/a"), "q/ds/vm/a");
    }
}
