//! Vendors' folders: each has the files that the guide for a new vendor asks for, and knows only its own array.

use super::source::code_of;
use super::tree::Tree;
use std::collections::BTreeSet;

const DRIVERS: &str = "storage-svc/src/drivers/";

/// What every vendor has.
const ALWAYS: &[&str] = &["mod.rs", "config.rs", "error.rs", "README.md"];
/// What a vendor has whose array is spoken to over HTTP.
const OVER_HTTP: &[&str] = &["client.rs", "wire.rs"];

/// What no driver may name: gRPC, the contracts, the gateway's journal.
const FORBIDDEN: &[&str] = &["tonic", "strata_proto", "strata_saga", "strata_gateway"];

/// Vendors with files missing.
pub fn complete(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for vendor in vendors(tree) {
        let folder = format!("{DRIVERS}{vendor}/");
        let mut missing: Vec<&str> = Vec::new();
        let has = |name: &str| tree.has(&format!("{folder}{name}")) || has_module(tree, &folder, name);
        missing.extend(ALWAYS.iter().copied().filter(|name| !has(name)));
        if speaks_http(tree, &folder) {
            missing.extend(OVER_HTTP.iter().copied().filter(|name| !has(name)));
        }
        if !missing.is_empty() {
            found.push(format!("{folder}mod.rs: the vendor's folder lacks {}", missing.join(", ")));
        }
    }
    found
}

/// Drivers that know more than their own array.
pub fn ignorant(tree: &Tree) -> Vec<String> {
    let vendors = vendors(tree);
    let mut found = Vec::new();
    for (path, text) in tree.with_extension("rs") {
        let Some(vendor) = path.strip_prefix(DRIVERS).and_then(|rest| rest.split_once('/')).map(|(vendor, _)| vendor)
        else {
            continue;
        };
        let code = code_of(text);
        let others = vendors.iter().filter(|other| **other != vendor).map(|other| format!("drivers::{other}"));
        let forbidden = FORBIDDEN.iter().map(|word| (*word).to_owned()).chain(others);
        found.extend(
            forbidden
                .filter(|word| {
                    code.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').any(|path| names(path, word))
                })
                .map(|word| format!("{path}: a driver knows nothing of {word}")),
        );
    }
    found
}

fn names(path: &str, word: &str) -> bool {
    path.match_indices(word).any(|(at, _)| {
        let after = &path[at + word.len()..];
        (at == 0 || path[..at].ends_with("::")) && (after.is_empty() || after.starts_with("::"))
    })
}

/// A module `a.rs` may have become a folder `a/mod.rs`.
fn has_module(tree: &Tree, folder: &str, name: &str) -> bool {
    name.strip_suffix(".rs").is_some_and(|stem| tree.has(&format!("{folder}{stem}/mod.rs")))
}

fn speaks_http(tree: &Tree, folder: &str) -> bool {
    tree.with_extension("rs").any(|(path, text)| path.starts_with(folder) && code_of(text).contains("HttpClient"))
}

fn vendors(tree: &Tree) -> BTreeSet<&str> {
    tree.files().filter_map(|(path, _)| path.strip_prefix(DRIVERS)?.split_once('/')).map(|(vendor, _)| vendor).collect()
}

#[test]
fn an_http_driver_needs_client_and_wire_and_no_driver_reaches_another() {
    let tree = Tree::of(&[
        (
            "storage-svc/src/drivers/acme/mod.rs",
            "//! Acme.\nuse crate::drivers::other::Wire; struct A<C: HttpClient>(C);",
        ),
        ("storage-svc/src/drivers/acme/config.rs", "//! c"),
        ("storage-svc/src/drivers/acme/error/mod.rs", "//! e"),
        ("storage-svc/src/drivers/acme/README.md", "#"),
        ("storage-svc/src/drivers/other/wire.rs", "//! w"),
    ]);
    let lacks: Vec<String> = complete(&tree).into_iter().filter(|line| line.contains("acme")).collect();
    assert_eq!(lacks, ["storage-svc/src/drivers/acme/mod.rs: the vendor's folder lacks client.rs, wire.rs"]);
    assert_eq!(ignorant(&tree).len(), 1);
}
