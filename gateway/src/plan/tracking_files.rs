//! The files of changed block tracking of the disks in a snapshot: a descriptor names its own, and neither vCenter nor ESXi
//! takes a disk whose descriptor names a file that is not there. They are put back beside it, and reset after (safety.md S23).

use super::RevertDisk;
use crate::{deps::Deps, error::Result, layout::is_extent};
use strata_model::ErrorKind;

/// Adds them to what is put back.
pub(super) async fn add(deps: &Deps, disk: &mut RevertDisk) -> Result<()> {
    let descriptors: Vec<(String, String)> = disk.files.iter().filter(|(from, _)| !is_extent(from)).cloned().collect();
    for (from, to) in descriptors {
        let text = match deps.ports.storage.read_snapshot_file(&disk.volume, &disk.snapshot_id, &from).await {
            Ok(text) => text,
            // The array says better what is missing when it is asked to put it back.
            Err(error) if error.kind == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if let Some(name) = tracking_file(&String::from_utf8_lossy(&text)) {
            disk.files.push((sibling(&from, &name), sibling(&to, &name)));
        }
    }
    Ok(())
}

/// What a descriptor names, where it is beside it.
fn tracking_file(descriptor: &str) -> Option<String> {
    let value = descriptor.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        key.trim().eq_ignore_ascii_case("changeTrackPath").then(|| value.trim().trim_matches('"').to_owned())
    })?;
    (!value.is_empty() && !value.contains('/')).then_some(value)
}

fn sibling(path: &str, name: &str) -> String {
    path.rsplit_once('/').map_or_else(|| name.to_owned(), |(directory, _)| format!("{directory}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_names_its_tracking_file() {
        for (text, expected) in [
            ("# Disk DescriptorFile\nchangeTrackPath=\"web-ctk.vmdk\"\n", Some("web-ctk.vmdk")),
            ("# Change Tracking File\nCHANGETRACKPATH = \"a b-ctk.vmdk\"", Some("a b-ctk.vmdk")),
            ("changeTrackPath=\"../other/web-ctk.vmdk\"", None),
            ("changeTrackPath=\"\"", None),
            ("CID=1\n", None),
        ] {
            assert_eq!(tracking_file(text).as_deref(), expected, "{text}");
        }
        assert_eq!(sibling("a/b/web.vmdk", "web-ctk.vmdk"), "a/b/web-ctk.vmdk");
        assert_eq!(sibling("web.vmdk", "web-ctk.vmdk"), "web-ctk.vmdk");
    }
}
