//! The gateway's configuration.
//!
//! ```toml
//! data_directory = "/var/lib/strata"
//! [server]
//! listen = "127.0.0.1:7001"
//! [inventory]
//! url = "http://127.0.0.1:7003"
//! [storage]
//! url = "http://127.0.0.1:7002"
//! ```

use serde::Deserialize;
use std::path::PathBuf;
use strata_kit::config::{Fault, LogSection, PeerSection, ServerSection};

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayConfig {
    /// Directory of journal and catalog; made where absent. One gateway a directory.
    pub data_directory: PathBuf,
    /// How it is served; 127.0.0.1:7001 where left out.
    #[serde(default)]
    pub server: ServerSection,
    /// inventory-svc.
    pub inventory: PeerSection,
    /// storage-svc.
    pub storage: PeerSection,
    /// IANA zone in which restore points are named (`web-01@1004`); the machine's where left out.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// VMs that are never reverted and snapshotted at grade crash only: the vCenter's own, Strata's own; each by display
    /// name or instanceUuid.
    #[serde(default)]
    pub protected_vms: Vec<String>,
    /// Logging.
    #[serde(default)]
    pub log: LogSection,
}

impl GatewayConfig {
    /// All faults that can be seen without asking anybody.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |path: &str, reason: String| faults.push(Fault { path: path.to_owned(), reason });
        if let Some(name) = &self.time_zone
            && let Err(error) = jiff::tz::TimeZone::get(name)
        {
            fault("time_zone", format!("'{name}' is not known ({error}); write one as Europe/Berlin"));
        }
        if !self.data_directory.is_absolute() {
            fault("data_directory", format!("{} is not absolute", self.data_directory.display()));
        }
        if self.protected_vms.iter().any(|entry| entry.trim().is_empty()) {
            fault("protected_vms", "an entry is empty; write a VM's display name or its instanceUuid".to_owned());
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_kit::config::load_text;

    const GOOD: &str = r#"
        data_directory = "/var/lib/strata"
        [inventory]
        url = "http://127.0.0.1:7003"
        [storage]
        url = "http://127.0.0.1:7002"
    "#;

    #[test]
    fn faults_are_told_all_together() {
        let good: GatewayConfig = load_text("test", GOOD, []).unwrap().value;
        assert_eq!(good.faults(), Vec::new());
        let bad =
            format!("time_zone = \"Mars/Base\"\nprotected_vms = [\"vcsa\", \" \"]\n{}", GOOD.replace("/var", "var"));
        let faults = load_text::<GatewayConfig>("test", &bad, []).unwrap().value.faults();
        let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(paths, ["time_zone", "data_directory", "protected_vms"]);
    }

    #[test]
    fn unknown_and_missing_fields_are_named() {
        let error = load_text::<GatewayConfig>("test", "lisen = 1", []).unwrap_err().to_string();
        for word in ["lisen", "data_directory"] {
            assert!(error.contains(word), "{error}");
        }
    }
}
