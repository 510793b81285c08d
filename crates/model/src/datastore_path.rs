//! `[datastore] directory/name`: how vSphere writes a file's place.

use std::{fmt, str::FromStr};

/// A file or directory on a datastore. The path has no leading `/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatastorePath {
    /// Name of the datastore in the inventory.
    pub datastore: String,
    /// Path below its root; empty for the root.
    pub path: String,
}

impl DatastorePath {
    /// Of a datastore and a path in it.
    pub fn new(datastore: impl Into<String>, path: impl Into<String>) -> Self {
        Self { datastore: datastore.into(), path: path.into() }
    }

    /// The directory, without a trailing `/`; empty at the root.
    pub fn directory(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(directory, _)| directory)
    }

    /// The last part of the path.
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The same file name in another directory of the same datastore.
    pub fn moved_to(&self, directory: &str) -> Self {
        let path = match directory.trim_end_matches('/') {
            "" => self.file_name().to_owned(),
            directory => format!("{directory}/{}", self.file_name()),
        };
        Self { datastore: self.datastore.clone(), path }
    }
}

impl fmt::Display for DatastorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.datastore, self.path)
    }
}

impl FromStr for DatastorePath {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is not of the form [datastore] directory/name");
        let rest = text.trim_start().strip_prefix('[').ok_or_else(wrong)?;
        let (datastore, path) = rest.split_once(']').ok_or_else(wrong)?;
        if datastore.is_empty() || path.split('/').any(|part| part == "..") {
            return Err(wrong());
        }
        Ok(Self::new(datastore, path.trim().trim_start_matches('/')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        for (text, datastore, directory, name) in [
            ("[ds1] web-01/web-01.vmdk", "ds1", "web-01", "web-01.vmdk"),
            ("[nfs 2] a/b/c.vmx", "nfs 2", "a/b", "c.vmx"),
            ("[ds1] root.iso", "ds1", "", "root.iso"),
            ("[ds1] ", "ds1", "", ""),
            ("[dß] ü/@:%#.vmdk", "dß", "ü", "@:%#.vmdk"),
        ] {
            let path: DatastorePath = text.parse().unwrap();
            assert_eq!((path.datastore.as_str(), path.directory(), path.file_name()), (datastore, directory, name));
            assert_eq!(path.to_string(), text);
        }
        // vcsim writes it without the blank.
        assert_eq!("[ds]/dir/x".parse::<DatastorePath>().unwrap().path, "dir/x");
    }

    #[test]
    fn refuses_what_is_no_path() {
        for text in ["", "ds1/web", "[] a", "[ds1 a", "[ds1] a/../b"] {
            assert!(text.parse::<DatastorePath>().is_err(), "{text} was taken");
        }
    }

    #[test]
    fn moves() {
        let path: DatastorePath = "[ds1] web/a.vmdk".parse().unwrap();
        assert_eq!(path.moved_to("x/y/").to_string(), "[ds1] x/y/a.vmdk");
        assert_eq!(path.moved_to("").to_string(), "[ds1] a.vmdk");
    }
}
