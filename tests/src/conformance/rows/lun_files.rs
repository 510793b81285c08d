//! Files in a raw LUN, for rows of block arrays: what a case writes as `vm/disk` becomes real bytes at the beginning of the
//! device, as a file system's would, and is read back from the device, a snapshot or a clone of it.

use anyhow::{Context as _, ensure};
use std::collections::BTreeMap;

const MAGIC: &[u8; 8] = b"lunfiles";

/// The files of a LUN, by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LunFiles(BTreeMap<String, Vec<u8>>);

impl LunFiles {
    /// Reads a device; one that was never written has no files.
    ///
    /// # Errors
    /// Bytes that no [`LunFiles::to_bytes`] wrote, or not all of them.
    pub fn read(device: &[u8]) -> anyhow::Result<Self> {
        if device.iter().take(MAGIC.len()).all(|byte| *byte == 0) {
            return Ok(Self::default());
        }
        let mut rest = device.strip_prefix(MAGIC).context("the device holds something else")?;
        let mut files = BTreeMap::new();
        for _ in 0..take_number(&mut rest)? {
            let path = String::from_utf8(take(&mut rest)?.to_vec())?;
            files.insert(path, take(&mut rest)?.to_vec());
        }
        Ok(Self(files))
    }

    /// What to write at the beginning of the device.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend((self.0.len() as u64).to_le_bytes());
        for part in self.0.iter().flat_map(|(path, bytes)| [path.as_bytes(), bytes]) {
            out.extend((part.len() as u64).to_le_bytes());
            out.extend(part);
        }
        out
    }

    /// A file.
    pub fn get(&self, path: &str) -> Option<Vec<u8>> {
        self.0.get(path).cloned()
    }

    /// Writes a whole file.
    pub fn put(&mut self, path: &str, bytes: &[u8]) {
        self.0.insert(path.to_owned(), bytes.to_vec());
    }

    /// Removes a file, or all below a directory.
    pub fn remove(&mut self, path: &str) {
        let below = format!("{path}/");
        self.0.retain(|known, _| known != path && !known.starts_with(&below));
    }

    /// Names in a directory.
    pub fn list(&self, dir: &str) -> Vec<String> {
        let below = if dir.is_empty() { String::new() } else { format!("{dir}/") };
        let names = self.0.keys().filter_map(|path| path.strip_prefix(&below)?.split('/').next());
        names.map(str::to_owned).collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    /// Copies a file, or all below a directory.
    pub fn copy(&mut self, from: &str, to: &str) {
        let copies = self.0.iter().filter_map(|(path, bytes)| {
            let rest = path.strip_prefix(from).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
            Some((format!("{to}{rest}"), bytes.clone()))
        });
        let copies: Vec<_> = copies.collect();
        self.0.extend(copies);
    }
}

fn take_number(rest: &mut &[u8]) -> anyhow::Result<u64> {
    let (number, after) = rest.split_first_chunk::<8>().context("the device ends early")?;
    *rest = after;
    Ok(u64::from_le_bytes(*number))
}

fn take<'d>(rest: &mut &'d [u8]) -> anyhow::Result<&'d [u8]> {
    let length = usize::try_from(take_number(rest)?)?;
    ensure!(length <= rest.len(), "the device ends early");
    let (part, after) = rest.split_at(length);
    *rest = after;
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_torn_devices() {
        let mut files = LunFiles::default();
        files.put("vm/disk", &[7; 1000]);
        files.put("vm/sub/größe", b"");
        files.copy("vm", "web-t");
        files.remove("vm/sub");
        assert_eq!(files.list(""), ["vm", "web-t"]);
        assert_eq!(files.list("web-t"), ["disk", "sub"]);
        assert_eq!(files.get("vm/sub/größe"), None);
        let mut device = files.to_bytes();
        let whole = device.len();
        device.resize(8192, 9);
        assert_eq!(LunFiles::read(&device).unwrap(), files);
        assert!(LunFiles::read(&device[..whole - 1]).is_err());
        assert!(LunFiles::read(&[9; 64]).is_err());
        assert_eq!(LunFiles::read(&[0; 64]).unwrap(), LunFiles::default());
    }
}
