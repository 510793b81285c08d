//! The table `[array.reference]`.

use serde::Deserialize;
use std::{path::PathBuf, time::Duration};
use strata_kit::{
    config::{Secret, duration},
    http::{ServerTrust, TlsOptions},
};

/// How to reach a reference array.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceConfig {
    /// `https://array.example`, without a path.
    pub url: String,
    /// The login.
    pub user: String,
    /// Its password: `password_file` or `password_env` in the file.
    pub password: Secret,
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

impl ReferenceConfig {
    /// Faults, as field and sentence; none where all is well.
    pub fn faults(&self) -> Vec<(&'static str, String)> {
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
            faults.push(("user", "name the login".to_owned()));
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

    #[test]
    fn faults_name_their_field() {
        let config = |url: &str, user: &str, password: &str| ReferenceConfig {
            url: url.into(),
            user: user.into(),
            password: Secret::new(password),
            ca_file: None,
            thumbprint: None,
            request_timeout: None,
        };
        assert_eq!(config("https://nas.example:8443", "strata", "x").faults(), vec![]);
        assert_eq!(config("http://127.0.0.1:1", "strata", "x").faults(), vec![]);
        for (url, user, password, field) in [
            ("nas.example", "u", "p", "url"),
            ("https://nas.example/api", "u", "p", "url"),
            ("http://nas.example", "u", "p", "url"),
            ("https://nas.example", "", "p", "user"),
            ("https://nas.example", "u", "", "password"),
        ] {
            let fields: Vec<&str> = config(url, user, password).faults().into_iter().map(|(field, _)| field).collect();
            assert_eq!(fields, [field], "{url}");
        }
    }
}
