//! Each service builds by itself, and nothing of the simulator gets into it.

use crate::{console, run};
use anyhow::{Result, bail};

/// Package and binary of each service.
const SERVICES: &[(&str, &str)] =
    &[("strata-inventory-svc", "inventory-svc"), ("strata-storage-svc", "storage-svc"), ("strata-gateway", "gateway")];

/// Crates that a service must not contain: the simulator, and the other services.
const FORBIDDEN: &[&str] =
    &["strata-sim", "strata-cli", "strata-inventory-svc", "strata-storage-svc", "strata-gateway"];

/// Builds each service alone and reads what it is made of.
pub fn run() -> Result<()> {
    for (package, binary) in SERVICES {
        run::check(&mut run::cargo(&["build", "--quiet", "--locked", "-p", package, "--bin", binary])?)?;
        let arguments = ["tree", "--locked", "-p", package, "-e", "normal", "--prefix", "none", "--format", "{p}"];
        let tree = run::output_of(&mut run::cargo(&arguments)?)?;
        if let Some(intruder) = intruder(package, &tree) {
            bail!("{package} contains {intruder}: see `cargo tree -p {package} -e normal -i {intruder}`");
        }
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
