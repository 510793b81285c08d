//! The peers: real programs that the tests hold Strata against, pinned in peers.toml and kept in the cache.

mod go;
mod install;
mod pins;
mod system;

pub use pins::{Peer, Source};
pub use system::{prepare as prepare_system, require as require_system};

use crate::{console, workspace};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;

/// Brings every peer that the tests know of and returns the variables that say where each is.
///
/// # Errors
/// With `CI=true`, the first peer that cannot be had; elsewhere it is skipped aloud and its variable is absent.
pub fn prepare() -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for (name, peer) in pins::read()? {
        let Some(variable) = peer.env.clone() else { continue };
        if let Some(given) = std::env::var_os(&variable) {
            found.push((variable, PathBuf::from(given)));
            continue;
        }
        match install::install(&name, &peer.source) {
            Ok(path) => found.push((variable, path)),
            Err(error) if workspace::is_ci() => bail!("peer {name} cannot be had: {error:#}"),
            Err(error) => console::skipped(&name, &format!("{error:#}")),
        }
    }
    Ok(found)
}

/// Vets and tests the peers that are written here, in Go.
///
/// # Errors
/// What Go found, and with `CI=true` that there is no Go; elsewhere that is skipped aloud.
pub fn test_own() -> Result<()> {
    if !go::is_there() && !workspace::is_ci() {
        console::skipped("go vet and go test of tests/interop", "no go in PATH; install Go 1.25 or newer");
        return Ok(());
    }
    go::test("tests/interop")
}

/// Brings one peer or tool by its name in peers.toml.
///
/// # Errors
/// A name that is not pinned, or an installation that failed.
pub fn bring(name: &str) -> Result<PathBuf> {
    let pins = pins::read()?;
    let peer: &Peer = pins.get(name).with_context(|| format!("{name} is not pinned in xtask/peers.toml"))?;
    install::install(name, &peer.source)
}
