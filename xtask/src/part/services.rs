//! Each service builds by itself, nothing of the simulator gets into it, and the example of its settings is valid.

use crate::{console, run};
use anyhow::{Result, bail};

/// Package and binary of each service, and the example of its settings.
const SERVICES: &[(&str, &str, &str)] = &[
    ("strata-inventory-svc", "inventory-svc", "docs/config/inventory.toml"),
    ("strata-storage-svc", "storage-svc", "docs/config/storage.toml"),
    ("strata-gateway", "gateway", "docs/config/gateway.toml"),
];

/// Crates that a service must not contain: the simulator, and the other services.
const FORBIDDEN: &[&str] =
    &["strata-sim", "strata-cli", "strata-inventory-svc", "strata-storage-svc", "strata-gateway"];

/// Builds each service alone, reads what it is made of, and lets it check its example.
pub fn run() -> Result<()> {
    for (package, binary, settings) in SERVICES {
        run::check(&mut run::cargo(&["build", "--quiet", "--locked", "-p", package, "--bin", binary])?)?;
        let arguments = ["tree", "--locked", "-p", package, "-e", "normal", "--prefix", "none", "--format", "{p}"];
        let tree = run::output_of(&mut run::cargo(&arguments)?)?;
        if let Some(intruder) = intruder(package, &tree) {
            bail!("{package} contains {intruder}: see `cargo tree -p {package} -e normal -i {intruder}`");
        }
        let check = [
            "run", "--quiet", "--locked", "-p", package, "--bin", binary, "--", "--config", settings, "config", "check",
        ];
        run::check(&mut run::cargo(&check)?)?;
        console::say(&format!("{package} builds by itself; no simulator and no other service in it"));
    }
    Ok(())
}

/// The first forbidden crate in the output of `cargo tree --prefix none`.
fn intruder(package: &str, tree: &str) -> Option<&'static str> {
    let names: Vec<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    FORBIDDEN.iter().copied().find(|forbidden| *forbidden != package && names.contains(forbidden))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulator_or_another_service_is_found_in_a_tree() {
        let clean = "strata-gateway v0.1.0 (/x)\nstrata-kit v0.1.0 (/y)\nsimd v1.0.0\n";
        for (tree, expected) in [
            (clean.to_owned(), None),
            (format!("{clean}strata-sim v0.1.0 (/z)\n"), Some("strata-sim")),
            (format!("{clean}strata-storage-svc v0.1.0 (/z)\n"), Some("strata-storage-svc")),
        ] {
            assert_eq!(intruder("strata-gateway", &tree), expected, "{tree}");
        }
    }
}
