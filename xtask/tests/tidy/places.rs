//! Crates that are used in one place only, so that taking another one later changes one place only.

use super::source::code_of;
use super::tree::Tree;

/// A crate, as code and as Cargo.toml name it, and where it may be.
struct Place {
    ident: &'static str,
    package: &'static str,
    sources: &'static [&'static str],
    manifests: &'static [&'static str],
}

const PLACES: &[Place] = &[
    Place { ident: "sled", package: "sled", sources: &["gateway/src/store/"], manifests: &["gateway/Cargo.toml"] },
    Place { ident: "redb", package: "redb", sources: &["gateway/src/store/"], manifests: &["gateway/Cargo.toml"] },
    // Everything below main() is generic over kit's HttpClient, whose twin answers in the same thread.
    Place {
        ident: "reqwest",
        package: "reqwest",
        sources: &["crates/kit/src/http/", "crates/kit/src/http.rs"],
        manifests: &["crates/kit/Cargo.toml"],
    },
    // XML is spoken by vCenter alone: by its client, by what reads VM files, and by the simulator's faces.
    Place {
        ident: "quick_xml",
        package: "quick-xml",
        sources: &["inventory-svc/src/soap/", "inventory-svc/src/vmx/", "crates/sim/src/skins/"],
        manifests: &["inventory-svc/Cargo.toml", "crates/sim/Cargo.toml"],
    },
];

/// Uses of such a crate elsewhere.
pub fn crates(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in tree.with_extension("rs") {
        let code = code_of(text);
        for place in PLACES {
            let is_allowed = place.sources.iter().any(|prefix| path.starts_with(prefix));
            if let Some(line) = code.lines().position(|line| uses(line, place.ident)).filter(|_| !is_allowed) {
                found.push(format!("{path}:{}: {} belongs in {}", line + 1, place.ident, place.sources.join(", ")));
            }
        }
    }
    found
}

/// Declarations of such a crate elsewhere.
pub fn manifests(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in tree.with_extension("toml").filter(|(path, _)| path.ends_with("/Cargo.toml")) {
        for place in PLACES.iter().filter(|place| !place.manifests.contains(&path)) {
            let declares = |line: &str| {
                let rest = line.trim().strip_prefix(place.package);
                rest.is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
            };
            if text.lines().any(declares) {
                found.push(format!("{path}: {} belongs in {}", place.package, place.manifests.join(", ")));
            }
        }
    }
    found
}

/// Whether a line of code names the crate as a path's first part or imports it.
fn uses(line: &str, ident: &str) -> bool {
    line.match_indices(ident).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + ident.len()..]);
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let inside_path = before.ends_with("::") && !before.trim_start().starts_with("use ::");
        if before.ends_with(is_word) || after.starts_with(is_word) || inside_path {
            return false;
        }
        after.starts_with("::") || before.trim_end().ends_with("use") || before.trim_end().ends_with("extern crate")
    })
}
