//! The gateway's configuration: where it listens, where its two services are, where its stores lie.
//!
//! ```toml
//! listen = "127.0.0.1:7001"
//! data_directory = "/var/lib/strata"
//! [inventory]
//! url = "http://127.0.0.1:7003"
//! [storage]
//! url = "http://127.0.0.1:7002"
//! ```

use serde::Deserialize;
use std::{net::SocketAddr, path::PathBuf};
use strata_kit::{
    http::ServerTrust,
    tls::ServerTls,
    upstream::{ClientIdentity, UpstreamOptions},
};

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayConfig {
    /// Where to listen; 127.0.0.1:7001 where left out.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// Certificate and key; without them only loopback is bound.
    #[serde(default)]
    pub tls: Option<ServerTls>,
    /// Allows another address without TLS.
    #[serde(default)]
    pub insecure: bool,
    /// Directory of journal and catalog; made where absent. One gateway a directory.
    pub data_directory: PathBuf,
    /// inventory-svc.
    pub inventory: PeerConfig,
    /// storage-svc.
    pub storage: PeerConfig,
    /// IANA zone in which restore points are named (`web-01@1004`); the machine's where left out.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Seconds that health says NOT_SERVING before the listener closes.
    #[serde(default = "default_lameduck_s")]
    pub lameduck_s: u64,
    /// Seconds that calls under way get after that.
    #[serde(default = "default_drain_s")]
    pub drain_s: u64,
}

/// How to reach a service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerConfig {
    /// `http://` only for loopback.
    pub url: String,
    /// Whom to trust; the machine's roots where left out.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Our certificate and key for it.
    #[serde(default)]
    pub identity: Option<ClientIdentity>,
}

fn default_listen() -> SocketAddr {
    ([127, 0, 0, 1], 7001).into()
}

fn default_lameduck_s() -> u64 {
    5
}

fn default_drain_s() -> u64 {
    30
}

impl GatewayConfig {
    /// All faults that can be seen without asking anybody, `field: what is wrong`.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, peer) in [("inventory", &self.inventory), ("storage", &self.storage)] {
            if !peer.url.starts_with("http://") && !peer.url.starts_with("https://") {
                faults.push(format!("{name}.url: '{}' begins with neither http:// nor https://", peer.url));
            }
        }
        if let Some(name) = &self.time_zone
            && let Err(error) = jiff::tz::TimeZone::get(name)
        {
            faults.push(format!("time_zone: '{name}' is not known ({error}); write one as Europe/Berlin"));
        }
        if !self.data_directory.is_absolute() {
            faults.push(format!("data_directory: {} is not absolute", self.data_directory.display()));
        }
        faults
    }
}

impl PeerConfig {
    /// As kit's client wants it.
    pub fn options(&self) -> UpstreamOptions {
        let mut options = UpstreamOptions::new(self.url.clone());
        if let Some(ca_file) = &self.ca_file {
            options.trust = ServerTrust::CaFile(ca_file.clone());
        }
        options.identity.clone_from(&self.identity);
        options
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        data_directory = "/var/lib/strata"
        [inventory]
        url = "http://127.0.0.1:7003"
        [storage]
        url = "http://127.0.0.1:7002"
    "#;

    #[test]
    fn faults_are_told_all_together() {
        let good: GatewayConfig = toml::from_str(GOOD).unwrap();
        assert_eq!(good.faults(), Vec::<String>::new());
        let bad = GOOD.replace("http://127.0.0.1:7003", "ftp://x").replace("/var", "var");
        let bad = format!("time_zone = \"Mars/Base\"\n{bad}");
        let faults = toml::from_str::<GatewayConfig>(&bad).unwrap().faults();
        for field in ["inventory.url", "time_zone", "data_directory"] {
            assert!(faults.iter().any(|fault| fault.contains(field)), "{field} in {faults:?}");
        }
    }

    #[test]
    fn unknown_fields_are_refused() {
        let error = toml::from_str::<GatewayConfig>(&format!("lisen = 1\n{GOOD}")).unwrap_err();
        assert!(error.to_string().contains("lisen"), "{error}");
    }
}
