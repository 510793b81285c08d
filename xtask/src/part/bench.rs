//! The benchmarks of docs/benchmarks.md: a table on standard output.

use crate::{console, peers, run};
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

/// Measures the inventory in memory beside VMware's own clients, against a simulated vCenter of so many VMs.
///
/// # Errors
/// A peer cannot be had, the build or a measurement failed.
pub fn inventory(vms: u32, runs: u32) -> Result<()> {
    let mut cargo =
        run::cargo(&["bench", "--locked", "--package", "strata-inventory-svc", "--bench", "inventory", "--"])?;
    for (variable, name) in [("STRATA_VCSIMX", "vcsimx"), ("STRATA_GOVC", "govc"), ("STRATA_PYVMOMI", "pyvmomi")] {
        if std::env::var_os(variable).is_none() {
            cargo.env(variable, peers::bring(name)?);
        }
    }
    let begin = Instant::now();
    run::check(cargo.args(["--vms", &vms.to_string(), "--runs", &runs.to_string()]))?;
    console::say(&format!("measured in {:.1} s", begin.elapsed().as_secs_f64()));
    Ok(())
}
