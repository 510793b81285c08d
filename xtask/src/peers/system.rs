//! Programs that come from the system's packages: in CI they are installed, elsewhere one is told what to install.

use crate::{console, run, workspace};
use anyhow::{Result, bail};
use std::path::PathBuf;

/// A program, the Debian package that has it, and what is not tested without it.
struct SystemProgram {
    program: &'static str,
    package: &'static str,
    needed_for: &'static str,
}

const FILESYSTEM_TOOLS: &[SystemProgram] = &[
    SystemProgram { program: "mkfs.btrfs", package: "btrfs-progs", needed_for: "the filer driver on btrfs" },
    SystemProgram { program: "mkfs.xfs", package: "xfsprogs", needed_for: "the filer driver on XFS" },
];

/// Sees to the tools that the filer's tests make their filesystems with.
///
/// # Errors
/// With `CI=true`, a tool that cannot be installed; elsewhere it is skipped aloud.
pub fn prepare() -> Result<()> {
    for tool in FILESYSTEM_TOOLS {
        if let Err(error) = require(tool.program, tool.package) {
            if workspace::is_ci() {
                return Err(error);
            }
            console::skipped(tool.needed_for, &format!("{error:#}"));
        }
    }
    Ok(())
}

/// Returns the program's path; in CI, where xtask runs as root, its package is installed when it is absent.
///
/// # Errors
/// It is absent, with the package to install.
pub fn require(program: &str, package: &str) -> Result<PathBuf> {
    if let Some(path) = run::find_program(program) {
        return Ok(path);
    }
    // A person's machine is theirs: nothing is installed on it unasked.
    if workspace::is_ci() && run::find_program("apt-get").is_some() {
        run::output_of(run::command("apt-get")?.args(["update", "--quiet"]))?;
        let mut install = run::command("apt-get")?;
        install.env("DEBIAN_FRONTEND", "noninteractive");
        install.args(["install", "--yes", "--quiet", "--no-install-recommends", package]);
        run::output_of(&mut install)?;
    }
    match run::find_program(program) {
        Some(path) => Ok(path),
        None => bail!("no {program} on this machine; install the package {package}"),
    }
}
