//! A VM's files (layoutEx) and what each is for.

use super::pb;
use crate::soap::Element;
use strata_model::DatastorePath;

/// All files, sorted by path.
pub fn files(layout: &[Element]) -> Vec<pb::VmFile> {
    let mut files: Vec<pb::VmFile> = layout
        .iter()
        .filter_map(|file| {
            let path = file.text_at("name")?.parse::<DatastorePath>().ok()?;
            let kind = kind(&path, file.text_at("type").unwrap_or_default());
            Some(pb::VmFile {
                path: path.to_string(),
                kind: kind.into(),
                size_bytes: file.number_at("size").unwrap_or(0),
            })
        })
        .collect();
    files.sort_by(|left, right| left.path.cmp(&right.path));
    files
}

/// By the type that vCenter tells, else by the name.
pub fn kind(path: &DatastorePath, layout_type: &str) -> pb::VmFileKind {
    use pb::VmFileKind as Kind;
    let name = path.file_name().to_ascii_lowercase();
    if name.ends_with("-ctk.vmdk") {
        return Kind::ChangeTracking;
    }
    match layout_type {
        "config" => return Kind::Config,
        "diskDescriptor" => return Kind::DiskDescriptor,
        "diskExtent" => return Kind::DiskExtent,
        "nvram" => return Kind::Nvram,
        "snapshotList" => return Kind::SnapshotList,
        "snapshotData" | "snapshotMemory" => return Kind::SnapshotData,
        "swap" | "uwswap" => return Kind::Swap,
        "log" => return Kind::Log,
        _ => {}
    }
    let data = ["-flat.vmdk", "-delta.vmdk", "-sesparse.vmdk", "-rdm.vmdk", "-rdmp.vmdk"];
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("vmx" | "vmtx") => Kind::Config,
        Some("vmdk") if data.iter().any(|end| name.ends_with(end)) => Kind::DiskExtent,
        Some("vmdk") => Kind::DiskDescriptor,
        Some("nvram") => Kind::Nvram,
        Some("vmsd") => Kind::SnapshotList,
        Some("vmsn" | "vmem") => Kind::SnapshotData,
        Some("vswp") => Kind::Swap,
        Some("log") => Kind::Log,
        _ => Kind::Unspecified,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        use pb::VmFileKind as Kind;
        for (name, layout_type, expected) in [
            ("a.vmx", "", Kind::Config),
            ("a.vmtx", "", Kind::Config),
            ("a.vmdk", "", Kind::DiskDescriptor),
            ("a-flat.vmdk", "", Kind::DiskExtent),
            ("a-000001-sesparse.vmdk", "", Kind::DiskExtent),
            ("a-ctk.vmdk", "diskDescriptor", Kind::ChangeTracking),
            ("a.vmdk", "diskExtent", Kind::DiskExtent),
            ("a.VMX", "", Kind::Config),
            ("a.iso", "", Kind::Unspecified),
            ("a.nvram", "newTypeOfTheFuture", Kind::Nvram),
        ] {
            assert_eq!(kind(&DatastorePath::new("ds", name), layout_type), expected, "{name} {layout_type}");
        }
    }
}
