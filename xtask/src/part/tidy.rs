//! The rules of the house. They are tests, so that `cargo test` alone runs them too; see tests/tests/tidy/.

use crate::run;
use anyhow::Result;

/// Runs the tidy tests.
pub fn run() -> Result<()> {
    run::check(&mut run::cargo(&["test", "--quiet", "--locked", "-p", "strata-tests", "--test", "tidy"])?)
}
