//! inventory-svc's configuration: where it listens, and the vCenters.
//!
//! ```toml
//! [server]
//! listen = "127.0.0.1:7003"
//! [[vcenter]]
//! name = "vc-1"
//! url = "https://vc.example.com"
//! username = "strata@vsphere.local"
//! password_file = "/etc/strata/vc-1.password"
//! ca_file = "/etc/strata/vc-1.pem"
//! ```

use serde::Deserialize;
use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf, time::Duration};
use strata_kit::{
    config::{Fault, LogSection, Secret, ServerSection, duration},
    http::{ServerTrust, TlsOptions},
};

/// Where it listens where nothing else is said.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7003);

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InventoryConfig {
    /// How to serve.
    #[serde(default)]
    pub server: ServerSection,
    /// Logs.
    #[serde(default)]
    pub log: LogSection,
    /// The vCenters.
    #[serde(default, rename = "vcenter")]
    pub vcenters: Vec<VcenterConfig>,
}

/// One `[[vcenter]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VcenterConfig {
    /// Unique; the `{vcenter}` of resource names.
    pub name: String,
    /// `https://vc.example.com`; `/sdk` at the end is allowed.
    pub url: String,
    /// Account.
    pub username: String,
    /// `password_file`, `password_env`, or the password itself.
    pub password: Secret,
    /// PEM: trust only these CAs. The machine's own roots where neither this nor `thumbprint` is given.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// SHA-256: trust only this certificate.
    #[serde(default)]
    pub thumbprint: Option<String>,
    /// Allows http:// beyond loopback.
    #[serde(default)]
    pub insecure: bool,
    /// How long one call waits for a task before it answers "pending"; `10s` where left out.
    #[serde(default, with = "duration::optional")]
    pub task_wait: Option<Duration>,
}

impl VcenterConfig {
    /// How to connect. A thumbprint goes before a CA file.
    pub fn tls_options(&self) -> TlsOptions {
        let trust = match (&self.thumbprint, &self.ca_file) {
            (Some(text), _) => ServerTrust::Thumbprint(text.clone()),
            (None, Some(path)) => ServerTrust::CaFile(path.clone()),
            (None, None) => ServerTrust::SystemRoots,
        };
        TlsOptions { trust, ..TlsOptions::default() }
    }
}

impl InventoryConfig {
    /// All faults that can be seen without asking a vCenter.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut names = BTreeSet::new();
        for (index, vcenter) in self.vcenters.iter().enumerate() {
            let mut fault = |field: &str, text: String| {
                faults.push(Fault { path: format!("vcenter[{index}].{field}"), reason: text })
            };
            let name_ok = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
            let name = &vcenter.name;
            if name.is_empty() || name == "-" || name.len() > 63 || !name.bytes().all(name_ok) {
                fault("name", format!("'{name}' is no name; use 1 to 63 letters, digits, '-', '.' or '_'"));
            }
            if !names.insert(name) {
                fault("name", format!("'{name}' is the name of another vCenter too"));
            }
            if let Some(text) = url_fault(vcenter) {
                fault("url", text);
            }
            if vcenter.username.is_empty() {
                fault("username", "it must not be empty".to_owned());
            }
            if vcenter.thumbprint.is_some() && vcenter.ca_file.is_some() {
                fault("thumbprint", "give either a thumbprint or a ca_file".to_owned());
            }
        }
        faults
    }
}

fn url_fault(vcenter: &VcenterConfig) -> Option<String> {
    let url = &vcenter.url;
    let Ok(uri) = url.parse::<http::Uri>() else { return Some(format!("'{url}' is no address; write https://host")) };
    let host = uri.host().unwrap_or_default();
    let is_loopback =
        host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    match uri.scheme_str() {
        _ if host.is_empty() => Some(format!("'{url}' names no host; write https://host")),
        _ if !matches!(uri.path(), "" | "/" | "/sdk" | "/sdk/") || uri.query().is_some() => {
            Some(format!("'{url}' has a path; write https://host"))
        }
        _ if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) => {
            Some("it holds an account; write username and password_file instead".to_owned())
        }
        Some("https") => None,
        Some("http") if is_loopback || vcenter.insecure => None,
        Some("http") => {
            Some(format!("'{url}' would send the password in the clear; write https://, or set insecure = true"))
        }
        _ => Some(format!("'{url}' is neither https nor http")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_kit::config::load_text;

    #[test]
    fn faults_are_told_all_together() {
        let entry = |name: &str, url: &str, more: &str| {
            format!("[[vcenter]]\nname = '{name}'\nurl = '{url}'\nusername = 'u'\npassword = 'p'\n{more}\n")
        };
        let text = [
            entry("a", "https://vc", ""),
            entry("a", "http://vc", ""),
            entry("-", "https://u:p@vc", ""),
            entry("c", "https://vc/ui", "ca_file = 'x'\nthumbprint = 'y'"),
            entry("d", "http://127.0.0.1:8989/sdk", ""),
            entry("e", "http://vc", "insecure = true"),
            entry("f", "vc", ""),
        ]
        .concat();
        let config: InventoryConfig = load_text("test", &text, []).unwrap().value;
        let fields: Vec<String> = config.faults().into_iter().map(|fault| fault.path).collect();
        let expected = [
            "vcenter[1].name",
            "vcenter[1].url",
            "vcenter[2].name",
            "vcenter[2].url",
            "vcenter[3].url",
            "vcenter[3].thumbprint",
            "vcenter[6].url",
        ];
        assert_eq!(fields, expected);
        assert!(!format!("{config:?}").contains("'p'") && !format!("{config:?}").contains("\"p\""));
    }
}
