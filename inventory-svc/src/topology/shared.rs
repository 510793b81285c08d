//! Files that more than one VM refers to (safety.md S7): multi-writer disks, parents of linked clones, disks that a backup
//! proxy has attached.

use super::pb;
use std::collections::BTreeMap;

/// A VM and its disks.
#[derive(Debug)]
pub struct Owner<'a> {
    /// Resource name.
    pub vm: &'a str,
    /// Its disks.
    pub disks: &'a [pb::Disk],
}

#[derive(Debug, Default)]
struct Uses<'a> {
    vms: Vec<&'a str>,
    shared_on_purpose: bool,
    as_parent: bool,
}

/// The shared files that `vm` refers to, sorted by path.
pub fn shared_files(vm: &str, owners: &[Owner<'_>]) -> Vec<pb::SharedFile> {
    let mut uses: BTreeMap<&str, Uses<'_>> = BTreeMap::new();
    for owner in owners {
        for disk in owner.disks {
            for (depth, path) in disk.chain.iter().enumerate() {
                let entry = uses.entry(path).or_default();
                if !entry.vms.contains(&owner.vm) {
                    entry.vms.push(owner.vm);
                }
                entry.shared_on_purpose |= disk.shared;
                entry.as_parent |= depth > 0;
            }
        }
    }
    let of_this = uses.into_iter().filter(|(_, found)| found.vms.len() > 1 && found.vms.contains(&vm));
    of_this
        .map(|(path, mut found)| {
            found.vms.sort_unstable();
            let reason = match (found.shared_on_purpose, found.as_parent) {
                (true, _) => "multi-writer",
                (false, true) => "parent of linked clone",
                (false, false) => "attached to backup proxy",
            };
            pb::SharedFile {
                path: path.to_owned(),
                vms: found.vms.into_iter().map(str::to_owned).collect(),
                reason: reason.to_owned(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(chain: &[&str], shared: bool) -> pb::Disk {
        pb::Disk { chain: chain.iter().map(|path| (*path).to_owned()).collect(), shared, ..pb::Disk::default() }
    }

    #[test]
    fn names_each_way_of_sharing() {
        let a = [disk(&["[d] a/q.vmdk"], true), disk(&["[d] a/own.vmdk"], false), disk(&["[d] a/b.vmdk"], false)];
        let b = [disk(&["[d] a/q.vmdk"], true), disk(&["[d] b/l.vmdk", "[d] t/base.vmdk"], false)];
        let c = [disk(&["[d] c/l.vmdk", "[d] t/base.vmdk"], false), disk(&["[d] a/b.vmdk"], false)];
        let owners = [Owner { vm: "a", disks: &a }, Owner { vm: "b", disks: &b }, Owner { vm: "c", disks: &c }];
        let found = |vm| -> Vec<(String, String, Vec<String>)> {
            shared_files(vm, &owners).into_iter().map(|file| (file.path, file.reason, file.vms)).collect()
        };
        let row = |path: &str, reason: &str, vms: [&str; 2]| {
            (path.to_owned(), reason.to_owned(), vms.map(str::to_owned).to_vec())
        };
        assert_eq!(
            found("a"),
            [
                row("[d] a/b.vmdk", "attached to backup proxy", ["a", "c"]),
                row("[d] a/q.vmdk", "multi-writer", ["a", "b"])
            ]
        );
        assert_eq!(
            found("b"),
            [
                row("[d] a/q.vmdk", "multi-writer", ["a", "b"]),
                row("[d] t/base.vmdk", "parent of linked clone", ["b", "c"])
            ]
        );
    }
}
