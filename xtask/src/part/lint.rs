//! Formatting and clippy, warnings denied.

use crate::run;
use anyhow::Result;

/// `cargo fmt --check`.
pub fn format() -> Result<()> {
    run::check(&mut run::cargo(&["fmt", "--all", "--check"])?)
}

/// `cargo clippy` over everything, tests included.
pub fn clippy() -> Result<()> {
    let arguments = ["clippy", "--quiet", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    run::check(&mut run::cargo(&arguments)?)
}
