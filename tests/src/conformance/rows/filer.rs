//! The filer on a directory of this machine.

use super::{
    Row,
    image::{copy_tree, run},
};
use crate::conformance::bench::Bench;
use anyhow::Context as _;
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use strata_kit::clock::SystemClock;
use strata_model::ids::VolumeId;
use strata_storage_svc::{
    driver::{ArrayDriver, NfsPath},
    drivers::filer::{EngineChoice, Filer, FilerConfig},
};

/// The filer below a directory, one subdirectory a case.
#[derive(Debug)]
pub struct FilerRow {
    name: String,
    base: PathBuf,
    /// Volumes are btrfs subvolumes.
    subvolumes: bool,
    /// The whole file system is ours, so that it may be filled.
    own_file_system: bool,
    count: AtomicU32,
}

impl FilerRow {
    /// Below `base`; see the fields.
    pub fn new(name: &str, base: &Path, subvolumes: bool, own_file_system: bool) -> Self {
        Self { name: name.to_owned(), base: base.to_owned(), subvolumes, own_file_system, count: AtomicU32::new(0) }
    }
}

impl Row for FilerRow {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn bench(&self, _case: &str) -> anyhow::Result<Box<dyn Bench>> {
        let root = self.base.join(format!("root-{}", self.count.fetch_add(1, Ordering::Relaxed)));
        fs_err::create_dir(&root)?;
        let bench = FilerBench { root, subvolumes: self.subvolumes, own_file_system: self.own_file_system };
        for index in 0..2 {
            bench.make_volume(index)?;
        }
        Ok(Box::new(bench))
    }
}

#[derive(Debug)]
struct FilerBench {
    root: PathBuf,
    subvolumes: bool,
    own_file_system: bool,
}

fn open(root: &Path) -> Arc<dyn ArrayDriver> {
    let config = FilerConfig {
        root: root.to_owned(),
        hosts: vec!["10.0.0.5".to_owned(), "filer.example".to_owned()],
        path_prefix: Some("/vols".to_owned()),
        volumes: None,
        engine: EngineChoice::Auto,
    };
    Arc::new(Filer::new(config, SystemClock::shared()))
}

impl FilerBench {
    fn live(&self, index: usize, path: &str) -> PathBuf {
        self.root.join(format!("ds-{index}")).join(path)
    }

    fn make_volume(&self, index: usize) -> anyhow::Result<()> {
        let path = self.root.join(format!("ds-{index}"));
        if self.subvolumes {
            return run(Command::new("btrfs").args(["subvolume", "create", "--"]).arg(&path));
        }
        Ok(fs_err::create_dir(&path)?)
    }

    fn snapshot_dir(&self, name: &str) -> PathBuf {
        self.root.join(".strata/snapshots").join(name)
    }

    fn ballast(&self) -> PathBuf {
        self.root.join(".ballast")
    }
}

impl Bench for FilerBench {
    fn driver(&self) -> Arc<dyn ArrayDriver> {
        open(&self.root)
    }

    fn restart(&self) -> Arc<dyn ArrayDriver> {
        open(&self.root)
    }

    fn volume(&self, index: usize) -> VolumeId {
        VolumeId(format!("ds-{index}"))
    }

    fn nfs(&self, index: usize) -> NfsPath {
        NfsPath { host: "filer.example".to_owned(), path: format!("/vols/ds-{index}") }
    }

    fn write(&self, index: usize, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.live(index, path);
        fs_err::create_dir_all(path.parent().context("a path without a parent")?)?;
        Ok(fs_err::write(path, bytes)?)
    }

    fn read(&self, index: usize, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
        match fs_err::read(self.live(index, path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn remove(&self, index: usize, path: &str) -> anyhow::Result<()> {
        let path = self.live(index, path);
        let meta = fs_err::symlink_metadata(&path)?;
        if meta.is_dir() {
            fs_err::remove_dir_all(path)?
        } else {
            fs_err::remove_file(path)?
        };
        Ok(())
    }

    fn list(&self, index: usize, dir: &str) -> anyhow::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs_err::read_dir(self.live(index, dir))? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    fn copy(&self, index: usize, from: &str, to: &str) -> anyhow::Result<()> {
        copy_tree(&self.live(index, from), &self.live(index, to))
    }

    fn read_nfs(&self, _client: &str, export: &NfsPath, path: &str) -> Option<Vec<u8>> {
        fs_err::read(self.root.join(export.path.strip_prefix("/vols/")?).join(path)).ok()
    }

    fn write_nfs(&self, export: &NfsPath, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let volume = export.path.strip_prefix("/vols/").context("not an export of this filer")?;
        Ok(fs_err::write(self.root.join(volume).join(path), bytes)?)
    }

    fn recreate(&self, index: usize) -> anyhow::Result<()> {
        let path = self.root.join(format!("ds-{index}"));
        if self.subvolumes {
            run(Command::new("btrfs").args(["subvolume", "delete", "--"]).arg(&path))?;
        } else {
            fs_err::remove_dir_all(&path)?;
        }
        self.make_volume(index)
    }

    fn plant_snapshot(&self, index: usize, name: &str, comment: &str) -> anyhow::Result<bool> {
        let data = self.snapshot_dir(name).join("data").join(format!("ds-{index}"));
        fs_err::create_dir_all(&data)?;
        fs_err::write(data.join("theirs"), "theirs")?;
        if !comment.is_empty() {
            fs_err::write(self.snapshot_dir(name).join("mark.json"), format!("{{\"mark\": \"{comment}\"}}"))?;
        }
        Ok(true)
    }

    fn has_snapshot(&self, _index: usize, name: &str) -> anyhow::Result<bool> {
        Ok(self.snapshot_dir(name).exists())
    }

    fn plant_partial_snapshot(&self, index: usize, name: &str) -> anyhow::Result<bool> {
        let data = self.root.join(".strata/partial").join(name).join("data");
        fs_err::create_dir_all(&data)?;
        let part = data.join(format!("ds-{index}"));
        if self.subvolumes {
            let live = self.root.join(format!("ds-{index}"));
            run(Command::new("btrfs").args(["subvolume", "snapshot", "-r", "--"]).arg(live).arg(part))?;
        } else {
            fs_err::create_dir_all(part.join("vm"))?;
            fs_err::write(part.join("vm/disk"), "half")?;
        }
        Ok(true)
    }

    fn replica(&self) -> anyhow::Result<Option<(Arc<dyn ArrayDriver>, VolumeId)>> {
        // The whole filer copied to another place, as a backup or a replication does, and configured as an array there.
        let copy = self.root.with_extension("copy");
        copy_tree(&self.root, &copy)?;
        Ok(Some((open(&copy), VolumeId("ds-0".to_owned()))))
    }

    fn set_read_only(&self, index: usize) -> anyhow::Result<bool> {
        if !self.subvolumes {
            return Ok(false);
        }
        let path = self.root.join(format!("ds-{index}"));
        run(Command::new("btrfs").args(["property", "set"]).arg(path).args(["ro", "true"]))?;
        Ok(true)
    }

    fn fill_space(&self) -> anyhow::Result<bool> {
        if !self.own_file_system {
            return Ok(false);
        }
        fill(&self.ballast())?;
        Ok(true)
    }

    fn free_space(&self) -> anyhow::Result<()> {
        fs_err::remove_file(self.ballast())?;
        run(&mut Command::new("sync"))
    }

    fn symlink(&self, index: usize, target: &str, path: &str) -> anyhow::Result<bool> {
        let path = self.live(index, path);
        fs_err::create_dir_all(path.parent().context("a path without a parent")?)?;
        fs_err::os::unix::fs::symlink(target, path)?;
        Ok(true)
    }

    fn lose_answers(&self, _method: &str, _part: &str, _times: u64) -> bool {
        false
    }

    fn end_sessions(&self) -> bool {
        false
    }

    fn with_wrong_password(&self) -> Option<Arc<dyn ArrayDriver>> {
        None
    }

    fn deny(&self, _feature: &str) -> Option<String> {
        None
    }

    fn pass_time(&self, _period: Duration) {}

    fn leftovers(&self) -> anyhow::Result<Vec<String>> {
        let mut found = Vec::new();
        let ours = |name: &str| {
            name.starts_with(".strata-partial") || name.starts_with(".strata-restore") || name.ends_with(".new")
        };
        let mut dirs = vec![self.root.join(".strata/partial"), self.live(0, ""), self.live(1, "")];
        let partial = dirs[0].clone();
        while let Some(dir) = dirs.pop() {
            for entry in fs_err::read_dir(&dir)? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if dir == partial || ours(&name) {
                    found.push(entry.path().display().to_string());
                } else if entry.file_type()?.is_dir() {
                    dirs.push(entry.path());
                }
            }
        }
        Ok(found)
    }
}

/// Writes until nothing fits any more, in ever smaller pieces, so that metadata finds no room either.
fn fill(path: &Path) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut file = fs_err::File::create(path)?;
    let piece = vec![0x5a; 1 << 20];
    for size in [1 << 20, 64 << 10, 4 << 10] {
        while file.write_all(&piece[..size]).and_then(|()| file.flush()).is_ok() {}
        // A write that was cut short has moved the position; go on at the end with smaller pieces.
        let _ = file.sync_all();
    }
    Ok(())
}
