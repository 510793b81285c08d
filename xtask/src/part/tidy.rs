//! The rules of the house. They are tests, so that `cargo test` alone runs them too; see xtask/tests/tidy/. They need nothing
//! built but xtask, so they answer within seconds whatever state the rest is in.

use crate::run;
use anyhow::Result;

/// Runs the tidy tests.
pub fn run() -> Result<()> {
    run::check(&mut run::cargo(&["test", "--quiet", "--locked", "-p", "strata-xtask", "--test", "tidy"])?)
}
