//! Which crate may depend on which. The direction is the architecture; an edge that is not here is a mistake or a
//! decision that ARCHITECTURE.md has to explain first.

use super::tree::root;
use serde_json::Value;
use std::process::Command;

const CORE: &[&str] = &["strata-model", "strata-proto", "strata-kit"];

/// Package, and those of ours that it may depend on, in any kind of dependency.
const ALLOWED: &[(&str, &[&[&str]])] = &[
    ("strata-model", &[]),
    ("strata-proto", &[&["strata-model"]]),
    ("strata-kit", &[&["strata-model", "strata-proto"]]),
    // The engine knows nothing of storage, VMware or gRPC.
    ("strata-saga", &[]),
    // The simulator shares no type with the clients that it is to catch.
    ("strata-sim", &[&["strata-model"]]),
    ("strata-inventory-svc", &[CORE]),
    ("strata-storage-svc", &[CORE]),
    ("strata-gateway", &[CORE, &["strata-saga"]]),
    // The lab starts the three services and the simulator as libraries, and speaks gRPC to them.
    ("strata-cli", &[CORE, SERVICES, &["strata-sim"]]),
    ("strata-tests", &[CORE, SERVICES, &["strata-sim", "strata-saga", "strata-cli"]]),
    ("strata-xtask", &[]),
];

const SERVICES: &[&str] = &["strata-inventory-svc", "strata-storage-svc", "strata-gateway"];

/// `cargo metadata` of the workspace alone.
pub fn metadata() -> Value {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo metadata cannot be started");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

/// The edges of the workspace that the design does not have, and packages that it does not know.
pub fn broken(metadata: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
            broken.push(format!("{name}: a new crate needs its place in the direction of dependency"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let other = dependency["name"].as_str().unwrap_or_default();
            if other.starts_with("strata-") && !allowed.iter().any(|group| group.contains(&other)) {
                broken.push(format!("{name} must not depend on {other}"));
            }
        }
    }
    broken
}

#[test]
fn a_wrong_edge_is_found_whatever_its_kind() {
    for (package, dependency, kind, is_broken) in [
        ("strata-gateway", "strata-sim", "null", true),
        ("strata-gateway", "strata-sim", "\"dev\"", true),
        ("strata-model", "strata-kit", "\"build\"", true),
        ("strata-saga", "strata-model", "null", true),
        ("strata-unknown", "serde", "null", true),
        ("strata-gateway", "strata-saga", "null", false),
        ("strata-model", "serde", "null", false),
    ] {
        let text = format!(
            r#"{{"packages":[{{"name":"{package}","dependencies":[{{"name":"{dependency}","kind":{kind}}}]}}]}}"#
        );
        let found = broken(&serde_json::from_str(&text).unwrap());
        assert_eq!(!found.is_empty(), is_broken, "{package} -> {dependency}: {found:?}");
    }
}
