//! Programs that come from the system's packages: in CI they are installed, elsewhere one is told what to install.

use crate::{console, run, workspace};
use anyhow::{Result, bail};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

/// A file that is there once something is installed: a program in the PATH, or an absolute path. The Debian packages that
/// bring it, and what is not tested without it.
struct FromSystem {
    file: &'static str,
    packages: &'static [&'static str],
    needed_for: &'static str,
}

/// One of these packages lacks where the file does; apt leaves the others as they are.
const CEPH: &[&str] = &["ceph-mon", "ceph-osd", "ceph-mgr", "ceph-mgr-dashboard", "ceph-common", "openssl"];

const NEEDED: &[FromSystem] = &[
    FromSystem { file: "mkfs.btrfs", packages: &["btrfs-progs"], needed_for: "the filer driver on btrfs" },
    FromSystem { file: "mkfs.xfs", packages: &["xfsprogs"], needed_for: "the filer driver on XFS" },
    FromSystem { file: "ceph-mon", packages: CEPH, needed_for: "the Ceph driver" },
    FromSystem { file: "ceph-osd", packages: CEPH, needed_for: "the Ceph driver" },
    FromSystem { file: "ceph-mgr", packages: CEPH, needed_for: "the Ceph driver" },
    FromSystem { file: "rbd", packages: CEPH, needed_for: "the Ceph driver" },
    FromSystem { file: "openssl", packages: CEPH, needed_for: "the Ceph driver" },
    FromSystem { file: "/usr/share/ceph/mgr/dashboard/module.py", packages: CEPH, needed_for: "the Ceph driver" },
];

/// Sees to the tools that the filer's tests make their filesystems with, and to what a Ceph cluster is made of.
///
/// # Errors
/// With `CI=true`, what cannot be installed; elsewhere it is skipped aloud.
pub fn prepare() -> Result<()> {
    let mut told = BTreeSet::new();
    for tool in NEEDED {
        if let Err(error) = require(tool.file, tool.packages) {
            if workspace::is_ci() {
                return Err(error);
            }
            if !told.insert(tool.needed_for) {
                continue;
            }
            console::skipped(tool.needed_for, &format!("{error:#}"));
        }
    }
    Ok(())
}

/// Returns the file's path; in CI, where xtask runs as root, its packages are installed when it is absent.
///
/// # Errors
/// It is absent, with the packages to install.
pub fn require(file: &str, packages: &[&str]) -> Result<PathBuf> {
    if let Some(path) = find(file) {
        return Ok(path);
    }
    // A person's machine is theirs: nothing is installed on it unasked.
    if workspace::is_ci() && run::find_program("apt-get").is_some() {
        let start = Instant::now();
        run::output_of(run::command("apt-get")?.args(["update", "--quiet"]))?;
        let mut install = run::command("apt-get")?;
        install.env("DEBIAN_FRONTEND", "noninteractive");
        install.args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(packages);
        run::output_of(&mut install)?;
        console::say(&format!("installed {} in {:.1} s", packages.join(" "), start.elapsed().as_secs_f64()));
    }
    match find(file) {
        Some(path) => Ok(path),
        None => bail!("no {file} on this machine; install the packages {}", packages.join(" ")),
    }
}

fn find(file: &str) -> Option<PathBuf> {
    if file.starts_with('/') {
        return Some(PathBuf::from(file)).filter(|path| path.exists());
    }
    run::find_program(file)
}
