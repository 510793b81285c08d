//! Descriptors of disks (.vmdk) and the files that they name.

use super::{
    device::{Disk, Parent, Rdm},
    fault::Fault,
    files::DsPath,
    state::State,
    vmx::Vmx,
};

/// What a descriptor says.
#[derive(Debug, Clone, Default)]
pub struct Descriptor {
    keys: Vmx,
    /// Length of the disk in sectors of 512 bytes.
    pub sectors: u64,
    /// Kind of extent: `VMFS`, `VMFSSPARSE`, `VMFSRDM` or `VMFSPRDM`... as written.
    pub extent_kind: String,
    /// Name of the data file.
    pub extent_file: String,
}

impl Descriptor {
    /// Reads a descriptor; none where it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        if !text.contains("# Disk DescriptorFile") {
            return None;
        }
        let mut out = Descriptor { keys: Vmx::parse(text), ..Descriptor::default() };
        for line in text.lines().filter(|l| l.starts_with("RW ")) {
            let mut words = line.splitn(4, ' ').skip(1);
            out.sectors += words.next()?.parse::<u64>().ok()?;
            words.next()?.clone_into(&mut out.extent_kind);
            words.next()?.trim_matches('"').clone_into(&mut out.extent_file);
        }
        Some(out)
    }

    /// A value.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.keys.get(key)
    }

    /// The text of a descriptor for a new disk.
    pub fn text(of: &NewDisk<'_>) -> String {
        let mut t = format!(
            "# Disk DescriptorFile\nversion=1\nencoding=\"UTF-8\"\nCID={}\nparentCID={}\ncreateType=\"{}\"\n",
            of.content_id, of.parent_content_id, of.create_type
        );
        if let Some(parent) = of.parent {
            t.push_str(&format!("parentFileNameHint=\"{parent}\"\n"));
        }
        t.push_str(&format!("\n# Extent description\nRW {} {} \"{}\"\n", of.sectors, of.extent_kind, of.extent_file));
        if let Some(ctk) = of.ctk {
            t.push_str(&format!("\n# Change Tracking File\nchangeTrackPath=\"{ctk}\"\n"));
        }
        t.push_str("\n# The Disk Data Base\n#DDB\n\nddb.adapterType = \"lsilogic\"\nddb.virtualHWVersion = \"19\"\n");
        t.push_str(&format!("ddb.uuid = \"{}\"\n", super::vmx::spaced(of.uuid)));
        if of.thin {
            t.push_str("ddb.thinProvisioned = \"1\"\n");
        }
        if let Some(device) = of.device {
            t.push_str(&format!("ddb.deviceId = \"{device}\"\n"));
        }
        t
    }
}

/// What a new descriptor is to say.
#[derive(Debug, Clone, Default)]
pub struct NewDisk<'a> {
    /// `vmfs`, `vmfsSparse`, `vmfsRawDeviceMap` or `vmfsPassthroughRawDeviceMap`.
    pub create_type: &'a str,
    /// Sectors of 512 bytes.
    pub sectors: u64,
    /// Kind of extent.
    pub extent_kind: &'a str,
    /// Name of the data file.
    pub extent_file: &'a str,
    /// Uuid of the disk.
    pub uuid: &'a str,
    /// Content id, eight hex digits.
    pub content_id: &'a str,
    /// Content id of the parent, `ffffffff` for none.
    pub parent_content_id: &'a str,
    /// Path of the parent.
    pub parent: Option<&'a str>,
    /// File of changed blocks.
    pub ctk: Option<&'a str>,
    /// Thin.
    pub thin: bool,
    /// Device of a raw mapping.
    pub device: Option<&'a str>,
}

impl State {
    /// Reads a descriptor.
    ///
    /// Errors: FileNotFound; InvalidDiskFormat where the file is no descriptor.
    pub fn descriptor(&self, file: &DsPath) -> Result<Descriptor, Fault> {
        let text = self.read_text(file)?;
        Descriptor::parse(&text)
            .ok_or_else(|| Fault::new("InvalidDiskFormat", format!("{} is no virtual disk", self.show(file))))
    }

    /// Reads again what a disk's files say: size, uuid, parents. What is not there is noted in the disk.
    pub fn refresh_disk(&self, disk: &mut Disk) {
        disk.parents.clear();
        disk.missing = None;
        let mut at = disk.file.clone();
        for depth in 0..32 {
            let Ok(found) = self.descriptor(&at) else {
                disk.missing = Some(at);
                return;
            };
            let data = at.sibling(&found.extent_file);
            if !self.exists(&data) {
                disk.missing = Some(data);
            }
            let uuid = found.get("ddb.uuid").and_then(super::vmx::dashed);
            if depth == 0 {
                disk.capacity_bytes = found.sectors * 512;
                disk.uuid.clone_from(&uuid);
                disk.ctk = found.get("changeTrackPath").map(str::to_owned);
                found.get("CID").unwrap_or_default().clone_into(&mut disk.content_id);
            } else {
                disk.parents.push(Parent { file: at.clone(), uuid });
            }
            disk.thin = found.get("ddb.thinProvisioned") == Some("1") || disk.thin;
            if let Some(device) = found.get("ddb.deviceId") {
                let physical = found.get("createType") == Some("vmfsPassthroughRawDeviceMap");
                disk.rdm = Some(Rdm { device: device.to_owned(), physical });
            }
            match found.get("parentFileNameHint") {
                Some(hint) => at = self.parse_host_path(hint, &at),
                None => return,
            }
        }
    }

    /// Makes a flat disk: descriptor and data.
    pub fn create_flat(&mut self, file: &DsPath, capacity_bytes: u64, thin: bool) -> Result<(), Fault> {
        let data = file.sibling(&format!("{}-flat.vmdk", file.stem()));
        if self.exists(file) || self.exists(&data) {
            return Err(Fault::file_exists(&self.show(file)));
        }
        let uuid = format!("6000c29{}", &self.uuid()[7..]);
        let content_id = format!("{:08x}", self.random() & 0xffff_ffff);
        let text = Descriptor::text(&NewDisk {
            create_type: "vmfs",
            sectors: capacity_bytes / 512,
            extent_kind: "VMFS",
            extent_file: data.name(),
            uuid: &uuid,
            content_id: &content_id,
            parent_content_id: "ffffffff",
            thin,
            ..NewDisk::default()
        });
        self.write_text(file, &text)?;
        let tree = self.tree_of(&data)?;
        tree.set_len(&data.rel, capacity_bytes).map_err(|e| super::files::tree_fault(&e, &self.show(&data)))
    }

    /// Makes the pointer file of a raw device mapping.
    pub fn create_rdm(&mut self, file: &DsPath, rdm: &Rdm, capacity_bytes: u64) -> Result<(), Fault> {
        let (create_type, kind, end) = if rdm.physical {
            ("vmfsPassthroughRawDeviceMap", "VMFSRDM", "-rdmp.vmdk")
        } else {
            ("vmfsRawDeviceMap", "VMFSRDM", "-rdm.vmdk")
        };
        let data = file.sibling(&format!("{}{end}", file.stem()));
        let uuid = format!("6000c29{}", &self.uuid()[7..]);
        let text = Descriptor::text(&NewDisk {
            create_type,
            sectors: capacity_bytes / 512,
            extent_kind: kind,
            extent_file: data.name(),
            uuid: &uuid,
            content_id: "fffffffe",
            parent_content_id: "ffffffff",
            device: Some(&rdm.device),
            ..NewDisk::default()
        });
        self.write_text(file, &text)?;
        self.write_text(&data, "")
    }

    /// Changes one line of a descriptor: the file of changed blocks, or none.
    pub fn set_ctk(&mut self, file: &DsPath, ctk: Option<&str>) -> Result<(), Fault> {
        let text = self.read_text(file)?;
        let mut kept: String =
            text.lines().filter(|l| !l.starts_with("changeTrackPath=")).map(|l| format!("{l}\n")).collect();
        if let Some(ctk) = ctk {
            kept.push_str(&format!("changeTrackPath=\"{ctk}\"\n"));
        }
        self.write_text(file, &kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptor_both_ways() {
        let text = Descriptor::text(&NewDisk {
            create_type: "vmfsSparse",
            sectors: 2048,
            extent_kind: "VMFSSPARSE",
            extent_file: "a b-000001-delta.vmdk",
            uuid: "6000c291-0000-0000-0000-000000000001",
            content_id: "12345678",
            parent_content_id: "87654321",
            parent: Some("a b.vmdk"),
            ..NewDisk::default()
        });
        let d = Descriptor::parse(&text).unwrap();
        assert_eq!((d.sectors, d.extent_file.as_str()), (2048, "a b-000001-delta.vmdk"));
        assert_eq!(d.get("parentFileNameHint"), Some("a b.vmdk"));
        assert!(Descriptor::parse("not a disk").is_none());
    }
}
