//! The demo, as a machine would run it: it exits 0 only if every one of its checks held.

use crate::run;
use anyhow::Result;

/// `cargo demo --json`.
pub fn run() -> Result<()> {
    run::check(&mut run::cargo(&["demo", "--json"])?)
}
