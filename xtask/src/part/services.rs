//! Each service builds by itself as it is delivered, nothing of the simulator gets into it, and the example of its settings is
//! valid.

use crate::{console, run, workspace};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;

/// Package and binary of each service, and the example of its settings.
const SERVICES: &[(&str, &str, &str)] = &[
    ("strata-inventory-svc", "inventory-svc", "docs/config/inventory.toml"),
    ("strata-storage-svc", "storage-svc", "docs/config/storage.toml"),
    ("strata-gateway", "gateway", "docs/config/gateway.toml"),
];

/// Crates that a service must not contain: the simulator, and the other services.
const FORBIDDEN: &[&str] =
    &["strata-sim", "strata-cli", "strata-inventory-svc", "strata-storage-svc", "strata-gateway"];

/// Builds each service alone, reads what it is made of by its crates and by its bytes, and lets it check its example. Release
/// builds, since features are unified for each build by itself: what goes into these is what is delivered.
pub fn run() -> Result<()> {
    for (package, binary, settings) in SERVICES {
        let arguments = ["tree", "--locked", "-p", package, "-e", "normal", "--prefix", "none", "--format", "{p}"];
        let tree = run::output_of(&mut run::cargo(&arguments)?)?;
        if let Some(intruder) = intruder(package, &tree) {
            bail!("{package} contains {intruder}: see `cargo tree -p {package} -e normal -i {intruder}`");
        }
        run::check(&mut run::cargo(&["build", "--quiet", "--release", "--locked", "-p", package, "--bin", binary])?)?;
        let program = built(binary)?;
        let bytes = fs_err::read(&program)?;
        let own = symbol(package);
        if !contains(&bytes, &own) {
            bail!("{} holds no symbol of {own}: it was stripped, and what is in it cannot be told", program.display());
        }
        let of_others = FORBIDDEN.iter().filter(|other| *other != package).map(|other| symbol(other));
        if let Some(found) = of_others.into_iter().find(|other| contains(&bytes, other)) {
            bail!("{} holds code of {found}", program.display());
        }
        run::check(run::command(&program)?.args(["--config", settings, "config", "check"]))?;
        let size_mib = bytes.len() >> 20;
        console::say(&format!("{package} builds by itself, {size_mib} MiB; no simulator and no other service in it"));
    }
    Ok(())
}

/// Where cargo puts a release build.
fn built(binary: &str) -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let program = workspace::root()?.join(target).join("release").join(binary);
    program.canonicalize().with_context(|| format!("{} was not built", program.display()))
}

/// A crate's name as it stands in the names of its functions, with its length before it. The bare name stands in settings, too.
fn symbol(package: &str) -> String {
    format!("{}{}", package.len(), package.replace('-', "_"))
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
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
    fn a_crate_is_found_in_a_binary_by_its_symbols() {
        // This test's own binary has its own crate in it, and no simulator.
        let bytes = fs_err::read(std::env::current_exe().unwrap()).unwrap();
        assert!(contains(&bytes, &symbol("strata-xtask")));
        assert!(!contains(&bytes, &symbol("strata-sim")));
    }

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
