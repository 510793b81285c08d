//! The table `[array.ceph]`.

use serde::Deserialize;
use std::{collections::BTreeSet, path::PathBuf, time::Duration};
use strata_kit::{
    config::{Secret, duration},
    http::{ServerTrust, TlsOptions},
};

/// How to reach a Ceph cluster: the active manager's dashboard.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CephConfig {
    /// `https://ceph.example:8443`, without a path.
    pub url: String,
    /// The dashboard's user.
    pub user: String,
    /// Its password: `password_file` or `password_env` in the file.
    pub password: Secret,
    /// Names of the pools whose images are volumes. Images of other pools are neither seen nor touched.
    pub pools: Vec<String>,
    /// Which images hosts reach, and under which names: what an iSCSI or NVMe-oF gateway in front of the cluster does. The
    /// driver asks no gateway.
    #[serde(default, rename = "lun")]
    pub luns: Vec<CephLun>,
    /// PEM: trust only these CAs.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// SHA-256: trust only this certificate.
    #[serde(default)]
    pub thumbprint: Option<String>,
    /// Longest wait for an answer; 30 s where left out.
    #[serde(default, with = "duration::optional")]
    pub request_timeout: Option<Duration>,
}

/// An image that a gateway shows to hosts: `[[array.ceph.lun]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CephLun {
    /// As hosts show it, `naa.…` or `eui.…`.
    pub canonical_name: String,
    /// `pool/image`.
    pub image: String,
    /// All initiators that the gateway lets reach it. Without them nobody could tell whether a restore in place is safe.
    pub initiators: Vec<String>,
}

impl CephConfig {
    /// Faults, as field and sentence; none where all is well.
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = self.faults_of_login();
        let mut names = BTreeSet::new();
        if self.pools.is_empty() {
            faults.push(("pools", "name at least one pool".to_owned()));
        }
        for pool in &self.pools {
            if pool.is_empty() || pool.contains(['/', '@']) {
                faults.push(("pools", format!("'{pool}' is no name of a pool; leave out namespace and image")));
            }
            if !names.insert(pool) {
                faults.push(("pools", format!("'{pool}' is named twice")));
            }
        }
        let (mut devices, mut images) = (BTreeSet::new(), BTreeSet::new());
        for lun in &self.luns {
            if !(lun.canonical_name.starts_with("naa.") || lun.canonical_name.starts_with("eui.")) {
                faults.push(("lun", format!("'{}' is no canonical name; write naa.… or eui.…", lun.canonical_name)));
            }
            if !lun.image.split_once('/').is_some_and(|(pool, _)| self.pools.iter().any(|known| known == pool)) {
                faults.push(("lun", format!("'{}' is not of the form pool/image with one of the pools", lun.image)));
            }
            if lun.initiators.is_empty() {
                faults.push(("lun", format!("'{}' has no initiators; name all that may reach it", lun.canonical_name)));
            }
            if !devices.insert(lun.canonical_name.to_ascii_lowercase()) || !images.insert(&lun.image) {
                faults.push(("lun", format!("'{}' or '{}' is there twice", lun.canonical_name, lun.image)));
            }
        }
        faults
    }

    fn faults_of_login(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        let uri = self.url.parse::<http::Uri>().ok();
        let usable = uri.as_ref().is_some_and(|uri| {
            matches!(uri.scheme_str(), Some("https" | "http")) && uri.host().is_some() && matches!(uri.path(), "/" | "")
        });
        if !usable {
            faults.push(("url", format!("'{}' is not of the form https://host[:port]", self.url)));
        }
        if uri.as_ref().is_some_and(|uri| uri.scheme_str() == Some("http") && !is_loopback(uri.host())) {
            faults.push(("url", "would send the password in the clear; use https".to_owned()));
        }
        if self.user.is_empty() {
            faults.push(("user", "name the dashboard's user".to_owned()));
        }
        if self.password.expose().is_empty() {
            faults.push(("password", "give password_file or password_env".to_owned()));
        }
        if self.ca_file.is_some() && self.thumbprint.is_some() {
            faults.push(("thumbprint", "give only one of ca_file and thumbprint".to_owned()));
        }
        faults
    }

    /// What the HTTP client is made with.
    pub fn tls(&self) -> TlsOptions {
        let trust = match (&self.thumbprint, &self.ca_file) {
            (Some(thumbprint), _) => ServerTrust::Thumbprint(thumbprint.clone()),
            (None, Some(path)) => ServerTrust::CaFile(path.clone()),
            (None, None) => ServerTrust::SystemRoots,
        };
        let request_timeout = self.request_timeout.unwrap_or(Duration::from_secs(30));
        TlsOptions { trust, request_timeout, ..TlsOptions::default() }
    }
}

fn is_loopback(host: Option<&str>) -> bool {
    let host = host.unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faulty(change: impl FnOnce(&mut CephConfig)) -> Vec<&'static str> {
        let lun = CephLun {
            canonical_name: "naa.6001405aabbccdd".into(),
            image: "vm/ds-1".into(),
            initiators: vec!["iqn.1998-01.com.vmware:esx-1".into()],
        };
        let mut config = CephConfig {
            url: "https://ceph.example:8443".into(),
            user: "strata".into(),
            password: Secret::new("x"),
            pools: vec!["vm".into()],
            luns: vec![lun],
            ca_file: None,
            thumbprint: None,
            request_timeout: None,
        };
        change(&mut config);
        config.faults().into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn faults_name_their_field() {
        type Change = fn(&mut CephConfig);
        let cases: [(Change, &[&str]); 11] = [
            (|_| {}, &[]),
            (|it| it.url = "http://127.0.0.1:1".into(), &[]),
            (|it| it.url = "http://ceph.example".into(), &["url"]),
            (|it| it.url = "https://ceph.example/api".into(), &["url"]),
            (|it| it.user.clear(), &["user"]),
            (|it| it.password = Secret::new(""), &["password"]),
            (|it| it.pools = vec!["vm".into(), "vm".into()], &["pools"]),
            (|it| it.pools.push("vm/tenant".into()), &["pools"]),
            (|it| it.luns[0].initiators.clear(), &["lun"]),
            (|it| it.luns[0].image = "other/ds-1".into(), &["lun"]),
            (|it| it.luns.push(it.luns[0].clone()), &["lun"]),
        ];
        for (index, (change, fields)) in cases.into_iter().enumerate() {
            assert_eq!(faulty(change), fields, "case {index}");
        }
    }
}
