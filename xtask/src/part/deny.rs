//! Licences, duplicates, sources and advisories of every dependency, under deny.toml.

use crate::{console, peers, run};
use anyhow::Result;

/// Runs cargo-deny. Licences, bans and sources need no network; the advisories come from a database that not every
/// machine can reach, and where it cannot be fetched they are skipped aloud.
pub fn run() -> Result<()> {
    let program = peers::bring("cargo-deny")?;
    run::check(run::command(&program)?.args(["--locked", "check", "licenses", "bans", "sources"]))?;
    match run::output_of(run::command(&program)?.args(["--locked", "fetch", "db"])) {
        Ok(_) => run::check(run::command(&program)?.args(["--locked", "--offline", "check", "advisories"])),
        Err(_) => {
            console::skipped("advisories", "the advisory database cannot be reached from this machine");
            Ok(())
        }
    }
}
