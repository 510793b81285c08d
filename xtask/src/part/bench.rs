//! The benchmarks of docs/benchmarks.md: a table on standard output.

use crate::{console, run};
use anyhow::Result;
use std::time::Instant;

/// Runs them. The quick ones use the build that the tests have made already and are done within a minute; they show that a
/// snapshot does not grow with the VM, and their times are not to be quoted.
///
/// # Errors
/// The build or a measurement failed. What this machine cannot have is skipped aloud.
pub fn run(quick: bool) -> Result<()> {
    let mut cargo = run::cargo(&["bench", "--locked", "--package", "strata-tests", "--bench", "cost"])?;
    if quick {
        cargo.args(["--profile", "dev"]);
    }
    run::check(cargo.arg("--no-run"))?;
    let mut cargo = run::cargo(&["bench", "--quiet", "--locked", "--package", "strata-tests", "--bench", "cost"])?;
    if quick {
        cargo.args(["--profile", "dev", "--", "--quick"]);
    }
    let begin = Instant::now();
    run::check(&mut cargo)?;
    console::say(&format!("measured in {:.1} s", begin.elapsed().as_secs_f64()));
    Ok(())
}
