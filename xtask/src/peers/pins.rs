//! xtask/peers.toml, read.

use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

/// One pinned program.
#[derive(Deserialize)]
pub struct Peer {
    /// The variable that tells the tests where it is; `None` for a tool of xtask itself.
    pub env: Option<String>,
    /// Where it comes from.
    #[serde(flatten)]
    pub source: Source,
}

/// Where a program comes from.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Source {
    /// `go install package@version`.
    GoModule { package: String, version: String },
    /// `go build` of a package in this repository; the pins are its go.mod and go.sum.
    GoFolder { module: String, package: String },
    /// A Python environment with these requirements; its interpreter is the program.
    Venv { requirements: Vec<String> },
    /// A program that an npm package ships.
    Npm { package: String, version: String, binary: String },
    /// `cargo install --locked`.
    CargoInstall { package: String, version: String },
}

/// Reads the pins that this xtask was built with.
pub fn read() -> Result<BTreeMap<String, Peer>> {
    toml::from_str(include_str!("../../peers.toml")).context("xtask/peers.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pin_names_an_exact_version() {
        for (name, peer) in read().unwrap() {
            let pins = match peer.source {
                Source::GoModule { version, .. }
                | Source::Npm { version, .. }
                | Source::CargoInstall { version, .. } => {
                    vec![version]
                }
                Source::Venv { requirements } => {
                    requirements.iter().map(|r| r.split_once("==").expect("pinned with ==").1.to_owned()).collect()
                }
                Source::GoFolder { .. } => continue,
            };
            for pin in pins {
                let digits = pin.strip_prefix('v').unwrap_or(&pin);
                assert!(digits.split('.').all(|part| part.parse::<u32>().is_ok()), "{name} is pinned to {pin}");
            }
        }
    }
}
