//! A new signature changes the absolute paths in the files of VMs that name the old one; what points at other filesystems
//! stays.

use crate::world::tree::{FileTree, TreeError};

/// Longest file that can be a configuration or a descriptor; a disk's data is not looked at.
const TEXT_MAX_BYTES: u64 = 64 * 1024;

/// Changes `/vmfs/volumes/<from>/` to `/vmfs/volumes/<to>/` in all configurations and descriptors. Returns how many files
/// it changed.
pub fn rewrite_references(tree: &dyn FileTree, from: &str, to: &str) -> Result<usize, TreeError> {
    let (old, new) = (format!("/vmfs/volumes/{from}/"), format!("/vmfs/volumes/{to}/"));
    let mut changed = 0;
    let mut left = vec![String::new()];
    while let Some(dir) = left.pop() {
        for entry in tree.list(&dir)? {
            let path = if dir.is_empty() { entry.name.clone() } else { format!("{dir}/{}", entry.name) };
            if entry.is_dir {
                left.push(path);
                continue;
            }
            let text = [".vmx", ".vmtx", ".vmdk", ".vmsd", ".vmsn"].iter().any(|end| entry.name.ends_with(end));
            if !text || entry.size_bytes > TEXT_MAX_BYTES {
                continue;
            }
            let bytes = tree.read(&path, 0, usize::try_from(entry.size_bytes).unwrap_or(0))?;
            let Ok(text) = String::from_utf8(bytes) else { continue };
            if text.contains(&old) {
                let text = text.replace(&old, &new);
                tree.set_len(&path, text.len() as u64)?;
                tree.write(&path, 0, text.as_bytes())?;
                changed += 1;
            }
        }
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{MemTree, Space};

    #[test]
    fn only_the_own_signature_is_changed() {
        let tree = MemTree::new(Space::unlimited());
        tree.create_dir_all("vm").unwrap();
        let own = "disk = \"/vmfs/volumes/1-1/vm/a.vmdk\"\nother = \"/vmfs/volumes/2-2/vm/b.vmdk\"\n";
        tree.write("vm/a.vmx", 0, own.as_bytes()).unwrap();
        tree.write("vm/a.iso", 0, own.as_bytes()).unwrap();
        tree.write("vm/big-flat.vmdk", 0, &vec![b'x'; 1 << 17]).unwrap();
        assert_eq!(rewrite_references(&tree, "1-1", "33-33").unwrap(), 1);
        let read = |path: &str| String::from_utf8(tree.read(path, 0, 999).unwrap()).unwrap();
        assert_eq!(read("vm/a.vmx"), own.replace("1-1", "33-33"));
        assert_eq!(read("vm/a.iso"), own);
    }
}
