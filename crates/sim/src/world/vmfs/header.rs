//! The header of a VMFS extent, as it lies on its LUN.

use crate::world::{
    MemTree,
    tree::{FileTree as _, TreeError},
};

const FILE: &str = "vmfs";
pub(super) const FILES: &str = "files";

/// What is written at the beginning of each extent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Uuid of the filesystem, its "signature": `65a1e000-0123abcd-0123-0123456789ab`.
    pub volume: String,
    /// Label; vCenter shows it as the datastore's name.
    pub label: String,
    /// Canonical names of the devices of all extents when it was made or signed last, the head first.
    pub devices: Vec<String>,
    /// Which of them this one is.
    pub ordinal: usize,
    /// The filesystem that this one was a copy of before it was signed anew; none for an original.
    pub copy_of: Option<String>,
    /// A host wrote to it with a memory of another content: what lies in it is not to be trusted.
    pub corrupt: bool,
}

impl Header {
    /// Reads the header of a LUN; none where it holds no VMFS.
    pub fn read(lun: &MemTree) -> Option<Self> {
        let size = usize::try_from(lun.stat(FILE).ok()?.size_bytes).ok()?;
        let text = String::from_utf8(lun.read(FILE, 0, size).ok()?).ok()?;
        let get = |key: &str| text.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix('=')).map(str::to_owned);
        Some(Header {
            volume: get("volume")?,
            label: get("label")?,
            devices: get("devices")?.split(',').map(str::to_owned).collect(),
            ordinal: get("ordinal")?.parse().ok()?,
            copy_of: get("copy_of").filter(|v| !v.is_empty()),
            corrupt: get("corrupt")? == "true",
        })
    }

    /// Writes it, and makes room for files where there is none.
    pub fn write(&self, lun: &MemTree) -> Result<(), TreeError> {
        let text = format!(
            "volume={}\nlabel={}\ndevices={}\nordinal={}\ncopy_of={}\ncorrupt={}\n",
            self.volume,
            self.label.replace('\n', " "),
            self.devices.join(","),
            self.ordinal,
            self.copy_of.as_deref().unwrap_or_default(),
            self.corrupt
        );
        lun.set_len(FILE, text.len() as u64)?;
        lun.write(FILE, 0, text.as_bytes())?;
        lun.create_dir_all(FILES)
    }

    /// Wipes a filesystem off a LUN.
    pub fn wipe(lun: &MemTree) -> Result<(), TreeError> {
        for path in [FILE, FILES] {
            match lun.remove(path) {
                Ok(()) | Err(TreeError::NotFound(_)) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    /// The device that this extent was put on.
    pub fn device(&self) -> &str {
        self.devices.get(self.ordinal).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Space;

    #[test]
    fn a_header_comes_back_as_it_was_written() {
        let lun = MemTree::new(Space::unlimited());
        assert_eq!(Header::read(&lun), None);
        let mut header = Header {
            volume: "1-2-3-4".into(),
            label: "ds, one=1".into(),
            devices: vec!["naa.1".into(), "naa.2".into()],
            ordinal: 1,
            copy_of: None,
            corrupt: false,
        };
        header.write(&lun).unwrap();
        assert_eq!(Header::read(&lun), Some(header.clone()));
        assert_eq!(header.device(), "naa.2");
        header.label = "a".into();
        header.copy_of = Some("0-0-0-0".into());
        header.corrupt = true;
        header.write(&lun).unwrap();
        assert_eq!(Header::read(&lun), Some(header));
        Header::wipe(&lun).unwrap();
        Header::wipe(&lun).unwrap();
        assert_eq!(Header::read(&lun), None);
        lun.write("vmfs", 0, b"not a header").unwrap();
        assert_eq!(Header::read(&lun), None);
    }
}
