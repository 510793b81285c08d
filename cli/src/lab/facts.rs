//! What the lab says when it is ready: one line of JSON. Fields may be added, never renamed.

use serde::Serialize;
use std::path::PathBuf;

/// The whole line.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Facts {
    /// The gateway.
    pub gateway: ServiceFacts,
    /// inventory-svc.
    pub inventory: ServiceFacts,
    /// storage-svc.
    pub storage: ServiceFacts,
    /// The vCenters.
    pub vcenters: Vec<VcenterFacts>,
    /// The arrays.
    pub arrays: Vec<ArrayFacts>,
    /// Bearer token of the three services; none where they need none.
    pub token: Option<String>,
}

/// How to reach a service.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ServiceFacts {
    /// `http://127.0.0.1:40001`.
    pub grpc: String,
    /// PEM file to trust; none without TLS.
    pub ca_file: Option<PathBuf>,
}

/// How to reach a vCenter.
#[derive(Debug, Clone, Serialize)]
pub struct VcenterFacts {
    /// Its name in Strata.
    pub name: String,
    /// `https://127.0.0.1:40002`.
    pub url: String,
    /// Account.
    pub username: String,
    /// Its password.
    pub password: String,
    /// PEM file to trust.
    pub ca_file: Option<PathBuf>,
}

/// How to reach an array.
#[derive(Debug, Clone, Serialize)]
pub struct ArrayFacts {
    /// Its name in Strata.
    pub name: String,
    /// `filer`, `reference`, `ontap`.
    pub kind: String,
    /// Its face; for a filer, `file://` and its directory.
    pub url: String,
    /// Account, where it has one.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<String>,
    /// A token instead.
    pub token: Option<String>,
    /// PEM file to trust.
    pub ca_file: Option<PathBuf>,
    /// The datastores that lie on it.
    pub datastores: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_that_others_rely_on() {
        let vcenter = VcenterFacts {
            name: "vc-1".into(),
            url: "https://x".into(),
            username: "u".into(),
            password: "p".into(),
            ca_file: None,
        };
        let array = ArrayFacts {
            name: "a".into(),
            kind: "filer".into(),
            url: "file:///x".into(),
            username: None,
            password: None,
            token: None,
            ca_file: None,
            datastores: vec![],
        };
        let facts = Facts { vcenters: vec![vcenter], arrays: vec![array], ..Facts::default() };
        let json = serde_json::to_value(&facts).unwrap();
        for path in [
            "/gateway/grpc",
            "/gateway/ca_file",
            "/inventory/grpc",
            "/inventory/ca_file",
            "/storage/grpc",
            "/storage/ca_file",
            "/vcenters/0/name",
            "/vcenters/0/url",
            "/vcenters/0/username",
            "/vcenters/0/password",
            "/vcenters/0/ca_file",
            "/arrays/0/name",
            "/arrays/0/kind",
            "/arrays/0/url",
            "/arrays/0/username",
            "/arrays/0/password",
            "/arrays/0/token",
            "/arrays/0/ca_file",
            "/arrays/0/datastores",
            "/token",
        ] {
            assert!(json.pointer(path).is_some(), "{path} is not in {json}");
        }
    }
}
