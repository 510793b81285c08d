//! Go programs: from a module proxy as Go is set up to use one, or from sources in this repository.

use crate::{run, workspace};
use anyhow::{Context, Result, bail};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::process::Command;

/// `go install package@version` into `folder`.
pub fn install(folder: &Path, package_at_version: &str) -> Result<()> {
    let mut go = go()?;
    run::output_of(go.env("GOBIN", folder).args(["install", package_at_version]))?;
    Ok(())
}

/// `go build` of a package in this repository; `go.mod` and `go.sum` decide what goes in and are not changed.
pub fn build(module: &str, package: &str, program: &Path) -> Result<()> {
    let mut go = go()?;
    go.current_dir(workspace::root()?.join(module)).args(["build", "-mod=readonly", "-trimpath", "-o"]);
    run::output_of(go.arg(program).arg(package))?;
    Ok(())
}

/// A key that changes when the pins or any source of the package do. The hash need not be cryptographic: two
/// versions of our own sources are all that it tells apart.
pub fn key_of_sources(module: &str, package: &str) -> Result<String> {
    let module = workspace::root()?.join(module);
    let mut files = vec![module.join("go.mod"), module.join("go.sum")];
    for file in fs_err::read_dir(module.join(package))? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "go") {
            files.push(path);
        }
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        fs_err::read(file)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn go() -> Result<Command> {
    let Some(go) = run::find_program("go") else {
        bail!("no go in PATH; install Go 1.25 or newer");
    };
    let mut go = run::command(go).context("go")?;
    go.env("GOTOOLCHAIN", "local").env("CGO_ENABLED", "0");
    Ok(go)
}
