//! Binaries of other packages for tests that start them as processes.

use anyhow::Context as _;
use std::path::{Path, PathBuf};

/// Builds a package's binary in the profile and target directory that this test was built in, and says where it is.
///
/// # Errors
/// The build failed.
pub fn binary(package: &str, name: &str) -> anyhow::Result<PathBuf> {
    // <target>/<profile>/deps/<test>
    let test = std::env::current_exe()?;
    let profile = test.parent().and_then(Path::parent).context("the test lies in no target directory")?;
    let target = profile.parent().context("the test lies in no target directory")?;
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "-p", package, "--bin", name, "--target-dir"]).arg(target);
    if profile.file_name().is_some_and(|name| name != "debug") {
        cargo.arg("--profile").arg(profile.file_name().unwrap_or_default());
    }
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().context("cargo cannot be run")?;
    anyhow::ensure!(output.status.success(), "cargo build: {}", String::from_utf8_lossy(&output.stderr));
    Ok(profile.join(name))
}
