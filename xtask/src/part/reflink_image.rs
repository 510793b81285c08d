//! A file system that shares blocks, in a file: what the filer needs where the machine's own one cannot. Root only.

use crate::run;
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Size of the file; it is sparse.
const SIZE_BYTES: u64 = 2 << 30;

/// An XFS with reflinks, mounted while this lives.
pub struct ReflinkImage {
    folder: PathBuf,
    mount: PathBuf,
}

impl ReflinkImage {
    /// Makes and mounts it below the folder for temporary files.
    ///
    /// # Errors
    /// `mkfs.xfs` or `mount` cannot be run or refuse: not root, no loop device, no such file system in the kernel.
    pub fn mount() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("strata-image-demo-{}", std::process::id()));
        let image = folder.join("image");
        let this = Self { mount: folder.join("mount"), folder };
        fs_err::create_dir_all(&this.mount)?;
        fs_err::File::create(&image)?.set_len(SIZE_BYTES)?;
        run::output_of(Command::new("mkfs.xfs").args(["-q", "-m", "reflink=1"]).arg(&image))?;
        run::output_of(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&this.mount))?;
        Ok(this)
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.mount
    }
}

impl Drop for ReflinkImage {
    fn drop(&mut self) {
        // One that was never mounted is no error; one that stays mounted keeps its folder, for a person to see.
        let _ = Command::new("umount").arg(&self.mount).stderr(std::process::Stdio::null()).status();
        if fs_err::remove_dir(&self.mount).is_ok() {
            let _ = fs_err::remove_dir_all(&self.folder);
        }
    }
}
