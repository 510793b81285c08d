//! storage-svc's configuration: where it listens, and the arrays.
//!
//! ```toml
//! [server]
//! listen = "127.0.0.1:7002"
//! [[array]]
//! name = "filer-1"
//! kind = "filer"
//! [array.filer]
//! root = "/srv/vm"
//! hosts = ["10.0.0.5"]
//! ```

use crate::drivers::{ceph::CephConfig, filer::FilerConfig, ontap::OntapConfig, reference::ReferenceConfig};
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};
use strata_kit::config::{Fault, LogSection, ServerSection};

/// Where to listen when the file does not say.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7002);

/// The whole file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorageConfig {
    /// How it is served.
    #[serde(default)]
    pub server: ServerSection,
    /// What it logs.
    #[serde(default)]
    pub log: LogSection,
    /// The arrays.
    #[serde(default, rename = "array")]
    pub arrays: Vec<ArrayConfig>,
}

/// One `[[array]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArrayConfig {
    /// Unique; the `{array}` of resource names.
    pub name: String,
    /// Which driver.
    pub kind: String,
    /// The table of kind `ceph`.
    #[serde(default)]
    pub ceph: Option<CephConfig>,
    /// The table of kind `filer`.
    #[serde(default)]
    pub filer: Option<FilerConfig>,
    /// The table of kind `ontap`.
    #[serde(default)]
    pub ontap: Option<OntapConfig>,
    /// The table of kind `reference`.
    #[serde(default)]
    pub reference: Option<ReferenceConfig>,
}

impl StorageConfig {
    /// All faults that can be seen without asking an array.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut names = BTreeSet::new();
        for (index, array) in self.arrays.iter().enumerate() {
            let mut fault = |field: &str, text: String| {
                faults.push(Fault { path: format!("array[{index}].{field}"), reason: text })
            };
            let name_ok = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
            if array.name.is_empty() || array.name.len() > 63 || !array.name.bytes().all(name_ok) {
                fault("name", format!("'{}' is no name; use 1 to 63 letters, digits, '-', '.' or '_'", array.name));
            }
            if !names.insert(&array.name) {
                fault("name", format!("'{}' is the name of another array too", array.name));
            }
            for (field, text) in crate::drivers::faults(array) {
                fault(&field, text);
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_all_together() {
        let text = r#"
            [[array]]
            name = "a"
            kind = "filer"
            [array.filer]
            root = "relative"
            hosts = []
            [[array]]
            name = "a"
            kind = "filer"
            [[array]]
            name = "b/c"
            kind = "abacus"
        "#;
        let config: StorageConfig = toml::from_str(text).unwrap();
        let fields: Vec<String> = config.faults().into_iter().map(|fault| fault.path).collect();
        let expected = [
            "array[0].filer.root",
            "array[0].filer.hosts",
            "array[1].name",
            "array[1].filer",
            "array[2].name",
            "array[2].kind",
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn unknown_fields_are_refused() {
        let error = toml::from_str::<StorageConfig>("lisen = \"127.0.0.1:1\"").unwrap_err();
        assert!(error.to_string().contains("lisen"), "{error}");
    }
}
