//! The table `[array.filer]`.

use serde::Deserialize;
use std::path::PathBuf;

/// A Linux file system as an array.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilerConfig {
    /// The directory whose subdirectories are the volumes. Strata keeps its own things in `.strata` below it.
    pub root: PathBuf,
    /// Names and addresses under which hosts mount from this machine.
    pub hosts: Vec<String>,
    /// Path that hosts see for `root`; a volume's export is `<path_prefix>/<volume>`. The root itself where left out.
    #[serde(default)]
    pub path_prefix: Option<String>,
    /// Which subdirectories are volumes; all but hidden ones where left out.
    #[serde(default)]
    pub volumes: Option<Vec<String>>,
    /// How to snapshot.
    #[serde(default)]
    pub engine: EngineChoice,
}

/// How to snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineChoice {
    /// The best that the file system can: btrfs, else reflink, else copy.
    #[default]
    Auto,
    /// Read-only subvolume snapshots; volumes must be subvolumes.
    Btrfs,
    /// FICLONE, file by file.
    Reflink,
    /// Copies, only with the VM off.
    Copy,
}

impl FilerConfig {
    /// Faults, as field and sentence; none where all is well.
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        if !self.root.is_absolute() {
            faults.push(("root", format!("'{}' is not an absolute path", self.root.display())));
        }
        if self.hosts.is_empty() || self.hosts.iter().any(|host| host.trim().is_empty()) {
            faults.push(("hosts", "name at least one address under which hosts mount from this filer".to_owned()));
        }
        if self.path_prefix.as_ref().is_some_and(|prefix| !prefix.starts_with('/')) {
            faults.push(("path_prefix", "must begin with '/'".to_owned()));
        }
        for name in self.volumes.iter().flatten() {
            if name.is_empty() || name.starts_with('.') || name.contains('/') {
                faults.push(("volumes", format!("'{name}' is no name of a directory directly below the root")));
            }
        }
        faults
    }

    /// What hosts see for the root, without a slash at the end.
    pub(super) fn prefix(&self) -> String {
        let prefix = self.path_prefix.clone().unwrap_or_else(|| self.root.to_string_lossy().into_owned());
        prefix.trim_end_matches('/').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_name_their_field() {
        let good = FilerConfig {
            root: "/srv/vm".into(),
            hosts: vec!["10.0.0.5".into()],
            path_prefix: None,
            volumes: None,
            engine: EngineChoice::Auto,
        };
        assert_eq!(good.faults(), vec![]);
        let bad = FilerConfig {
            root: "vm".into(),
            hosts: vec![],
            path_prefix: Some("vm".into()),
            volumes: Some(vec!["a/b".into(), ".strata".into()]),
            engine: EngineChoice::Copy,
        };
        let fields: Vec<&str> = bad.faults().into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["root", "hosts", "path_prefix", "volumes", "volumes"]);
    }
}
