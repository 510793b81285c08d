//! Go programs: from a module proxy as Go is set up to use one, or from sources in this repository.

use crate::{run, workspace};
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
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

/// Vets a module of this repository, holds it to gofmt, and runs its own tests.
pub fn test(module: &str) -> Result<()> {
    let module = workspace::root()?.join(module);
    run::check(go()?.current_dir(&module).args(["vet", "-mod=readonly", "./..."]))?;
    run::check(go()?.current_dir(&module).args(["test", "-mod=readonly", "./..."]))?;
    let Some(gofmt) = run::find_program("gofmt") else { bail!("no gofmt beside go in PATH") };
    let unformatted = run::output_of(run::command(gofmt)?.current_dir(&module).args(["-l", "."]))?;
    if !unformatted.is_empty() {
        bail!("gofmt would change, in {}: {}", module.display(), unformatted.trim());
    }
    Ok(())
}

/// Whether Go is on this machine.
pub fn is_there() -> bool {
    run::find_program("go").is_some()
}

/// A key that changes when the pins or any source of the package do, those of the module's own packages that it imports
/// included. The hash need not be cryptographic: two versions of our own sources are all that it tells apart.
pub fn key_of_sources(module: &str, package: &str) -> Result<String> {
    let module = workspace::root()?.join(module);
    let mut files = vec![module.join("go.mod"), module.join("go.sum")];
    files.extend(sources(&module, package)?);
    let mut hasher = DefaultHasher::new();
    for file in files {
        fs_err::read(file)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// The Go files of a package and of what it imports from its own module, tests aside, sorted.
fn sources(module: &Path, package: &str) -> Result<BTreeSet<PathBuf>> {
    let go_mod = fs_err::read_to_string(module.join("go.mod"))?;
    let name = go_mod.lines().find_map(|line| line.strip_prefix("module ")).context("go.mod names no module")?;
    let own = format!("\"{}/", name.trim());
    let mut files = BTreeSet::new();
    let mut folders = vec![module.join(package.trim_start_matches("./"))];
    while let Some(folder) = folders.pop() {
        for file in fs_err::read_dir(folder)? {
            let path = file?.path();
            if !path.to_string_lossy().ends_with(".go") || path.to_string_lossy().ends_with("_test.go") {
                continue;
            }
            let text = fs_err::read_to_string(&path)?;
            if files.insert(path) {
                let imports = text.split(own.as_str()).skip(1).filter_map(|rest| rest.split('"').next());
                folders.extend(imports.map(|import| module.join(import)));
            }
        }
    }
    Ok(files)
}

fn go() -> Result<Command> {
    let Some(go) = run::find_program("go") else {
        bail!("no go in PATH; install Go 1.25 or newer");
    };
    let mut go = run::command(go).context("go")?;
    go.env("GOTOOLCHAIN", "local").env("CGO_ENABLED", "0");
    Ok(go)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_of_a_program_are_also_those_of_the_packages_it_imports() {
        let module = workspace::root().unwrap().join("tests/interop");
        let found = sources(&module, "./vcsimx").unwrap();
        let names: Vec<_> = found.iter().map(|path| path.strip_prefix(&module).unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["vcsimx/calls.go", "vcsimx/main.go", "vmfs/vmfs.go", "vmx/vmx.go"]);
    }
}
