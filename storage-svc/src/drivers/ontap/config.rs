//! The table `[array.ontap]`.

use super::release::Release;
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf, time::Duration};
use strata_kit::{
    config::{Secret, duration},
    http::{ServerTrust, TlsOptions},
    upstream::ClientIdentity,
};

/// What the account sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// One SVM: the account was made in it, and `url` is its management LIF.
    #[default]
    Svm,
    /// All SVMs of the cluster.
    Cluster,
}

/// How to reach an ONTAP cluster or one SVM of it. One login: `user` and `password`, or `token`, or a client certificate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OntapConfig {
    /// `https://svm1.example`, without a path.
    pub url: String,
    /// What the account sees.
    #[serde(default)]
    pub scope: Scope,
    /// Cluster scope: only this SVM.
    #[serde(default)]
    pub svm: Option<String>,
    /// The login of basic authentication.
    #[serde(default)]
    pub user: Option<String>,
    /// Its password: `password_file` or `password_env` in the file.
    #[serde(default)]
    pub password: Option<Secret>,
    /// An OAuth 2 access token (9.14.1 and later): `token_file` or `token_env` in the file.
    #[serde(default)]
    pub token: Option<Secret>,
    /// PEM: the certificate whose common name is the login.
    #[serde(default)]
    pub client_cert_file: Option<PathBuf>,
    /// PEM: its key.
    #[serde(default)]
    pub client_key_file: Option<PathBuf>,
    /// PEM: trust only these CAs.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// SHA-256: trust only this certificate.
    #[serde(default)]
    pub thumbprint: Option<String>,
    /// The release, `9.14.1`, where the account may not read `/api/cluster`; what the array tells counts more.
    #[serde(default)]
    pub release: Option<Release>,
    /// Names under which hosts mount, each with the address of its LIF: the driver asks no name server.
    #[serde(default)]
    pub nfs_names: BTreeMap<String, String>,
    /// The address or name that hosts are to mount clones from; the SVM's first NFS LIF that is up where left out.
    #[serde(default)]
    pub nfs_export_host: Option<String>,
    /// Consistency groups that Strata may snapshot also where it needs only some of their volumes.
    #[serde(default)]
    pub consistency_groups: Vec<String>,
    /// Longest wait for an answer; 60 s where left out.
    #[serde(default, with = "duration::optional")]
    pub request_timeout: Option<Duration>,
}

/// Above the time that the array itself may wait for a job of ours.
const REQUEST_TIMEOUT_LEAST: Duration = Duration::from_secs(20);

impl OntapConfig {
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
            faults.push(("url", "would send the login in the clear; use https".to_owned()));
        }
        faults.extend(self.login_faults());
        if self.ca_file.is_some() && self.thumbprint.is_some() {
            faults.push(("thumbprint", "give only one of ca_file and thumbprint".to_owned()));
        }
        if self.svm.is_some() && self.scope == Scope::Svm {
            faults.push((
                "svm",
                "is of use only with scope = \"cluster\"; an account of an SVM sees only that".to_owned(),
            ));
        }
        if self.release.is_some_and(|release| release < Release::OLDEST) {
            faults.push(("release", format!("is too old; {} is the oldest that works", Release::OLDEST)));
        }
        for (name, address) in &self.nfs_names {
            if address.parse::<std::net::IpAddr>().is_err() {
                faults.push(("nfs_names", format!("'{address}' of '{name}' is no address; give the LIF's IP address")));
            }
        }
        if self.request_timeout.is_some_and(|timeout| timeout < REQUEST_TIMEOUT_LEAST) {
            let text =
                format!("is too short; the array waits for its jobs, so give at least {REQUEST_TIMEOUT_LEAST:?}");
            faults.push(("request_timeout", text));
        }
        faults
    }

    fn login_faults(&self) -> Vec<(&'static str, String)> {
        let filled = |secret: &Option<Secret>| secret.as_ref().is_some_and(|secret| !secret.expose().is_empty());
        let mut faults = Vec::new();
        let basic = self.user.is_some() || self.password.is_some();
        let certificate = self.client_cert_file.is_some() || self.client_key_file.is_some();
        match [basic, self.token.is_some(), certificate].into_iter().filter(|given| *given).count() {
            0 => faults.push(("user", "give a login: user and password, token, or a client certificate".to_owned())),
            1 => {}
            _ => faults
                .push(("user", "give only one login: user and password, token, or a client certificate".to_owned())),
        }
        if basic && self.user.as_ref().is_none_or(String::is_empty) {
            faults.push(("user", "name the login".to_owned()));
        }
        if basic && !filled(&self.password) {
            faults.push(("password", "give password_file or password_env".to_owned()));
        }
        if self.token.is_some() && !filled(&self.token) {
            faults.push(("token", "is empty; give token_file or token_env".to_owned()));
        }
        if certificate && self.client_cert_file.is_none() {
            faults.push(("client_cert_file", "is missing: client_key_file needs its certificate".to_owned()));
        }
        if certificate && self.client_key_file.is_none() {
            faults.push(("client_key_file", "is missing: client_cert_file needs its key".to_owned()));
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
        let identity = match (&self.client_cert_file, &self.client_key_file) {
            (Some(cert), Some(key)) => Some(ClientIdentity { cert_file: cert.clone(), key_file: key.clone() }),
            _ => None,
        };
        let request_timeout = self.request_timeout.unwrap_or(Duration::from_secs(60));
        TlsOptions { trust, identity, request_timeout, ..TlsOptions::default() }
    }

    /// For messages: which login lacks a right.
    pub(super) fn login(&self) -> String {
        match (&self.user, &self.token) {
            (Some(user), _) => format!("login '{user}'"),
            (None, Some(_)) => "the token's login".to_owned(),
            (None, None) => "the certificate's login".to_owned(),
        }
    }
}

fn is_loopback(host: Option<&str>) -> bool {
    let host = host.unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The least that works.
    pub(in super::super) fn basic(url: &str) -> OntapConfig {
        let text = format!("url = '{url}'\nuser = 'strata'\npassword = 'simulated'");
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn faults_name_their_field() {
        let cases = [
            ("user = 'u'\npassword = 'p'", vec![]),
            ("token = 't'", vec![]),
            ("client_cert_file = '/c'\nclient_key_file = '/k'", vec![]),
            ("", vec!["user"]),
            ("user = 'u'", vec!["password"]),
            ("user = ''\npassword = 'p'", vec!["user"]),
            ("user = 'u'\npassword = 'p'\ntoken = 't'", vec!["user"]),
            ("client_cert_file = '/c'", vec!["client_key_file"]),
            ("token = 't'\nca_file = '/a'\nthumbprint = 'b'", vec!["thumbprint"]),
            ("token = 't'\nsvm = 'vs1'", vec!["svm"]),
            ("token = 't'\nscope = 'cluster'\nsvm = 'vs1'", vec![]),
            ("token = 't'\nrelease = '9.7'", vec!["release"]),
            ("token = 't'\nrelease = '9.14.1'", vec![]),
            ("token = 't'\nnfs_names = { nas = 'nas.example' }", vec!["nfs_names"]),
            ("token = 't'\nrequest_timeout = '5s'", vec!["request_timeout"]),
        ];
        for (text, fields) in cases {
            let config: OntapConfig = toml::from_str(&format!("url = 'https://svm1.example'\n{text}")).unwrap();
            let found: Vec<&str> = config.faults().into_iter().map(|(field, _)| field).collect();
            assert_eq!(found, fields, "{text}");
        }
        for url in ["svm1.example", "https://svm1.example/api", "http://svm1.example"] {
            let fields: Vec<&str> = basic(url).faults().into_iter().map(|(field, _)| field).collect();
            assert_eq!(fields, ["url"], "{url}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", basic("https://svm1.example"));
        assert!(!shown.contains("simulated"), "{shown}");
    }
}
