//! File systems in loop-mounted images, for machines that allow it; unmounted whatever happens.

use anyhow::{Context as _, ensure};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A mounted image; unmounted and removed when dropped.
#[derive(Debug)]
pub struct Image {
    dir: tempfile::TempDir,
}

impl Image {
    /// Makes and mounts a file system: `mkfs` with its arguments, and the size of the image.
    ///
    /// # Errors
    /// What this machine lacks, as a sentence: the tests skip then and say so.
    pub fn mount(mkfs: &[&str], size_bytes: u64) -> anyhow::Result<Self> {
        ensure!(nix_is_root(), "mounting needs root");
        let dir = tempfile::Builder::new().prefix("strata-image-").tempdir()?;
        let image = dir.path().join("image");
        fs_err::File::create(&image)?.set_len(size_bytes)?;
        run(Command::new(mkfs[0]).args(&mkfs[1..]).arg(&image))?;
        let mount = dir.path().join("mount");
        fs_err::create_dir(&mount)?;
        run(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&mount))?;
        Ok(Self { dir })
    }

    /// Where it is mounted.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("mount")
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // Lazily where something still holds it: the loop device goes when the last one lets go.
        let path = self.path();
        if run(Command::new("umount").arg(&path)).is_err() {
            let _ = run(Command::new("umount").arg("--lazy").arg(&path));
        }
    }
}

/// Runs a command; its standard error is the error's text.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("{command:?} cannot be run"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

fn nix_is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0"))
}

/// Copies a tree as `cp -a` does.
pub fn copy_tree(from: &Path, to: &Path) -> anyhow::Result<()> {
    run(Command::new("cp").arg("-a").arg("--").arg(from).arg(to))
}
