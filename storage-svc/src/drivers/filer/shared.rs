//! What all acts of one filer share: where things lie, who the filer is, what its file system can.

use super::{
    beneath::Beneath,
    btrfs,
    config::{EngineChoice, FilerConfig},
    copy::{self, Method},
    error::{io, os},
    record,
};
use crate::driver::{Capabilities, DriverError, Reason, SnapshotUnit};
use crate::naming::NameRules;
use rustix::fs::{self, AtFlags, Mode, StatxFlags};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use strata_kit::clock::SharedClock;
use uuid::Uuid;

/// How snapshots are made here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    /// Read-only subvolume snapshots.
    Btrfs,
    /// FICLONE, file by file.
    Reflink,
    /// Copies, with the VM off.
    Copy,
}

impl Engine {
    pub(super) fn method(self) -> Method {
        match self {
            Engine::Btrfs | Engine::Reflink => Method::Share,
            Engine::Copy => Method::Copy,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Engine::Btrfs => "btrfs",
            Engine::Reflink => "reflink",
            Engine::Copy => "copy",
        }
    }
}

/// A filer that was reached.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: FilerConfig,
    pub(super) root: PathBuf,
    pub(super) engine: Engine,
    pub(super) serial: String,
    pub(super) clock: SharedClock,
}

/// Names that snapshots get.
pub(super) const NAMES: NameRules = NameRules { bytes_max: 128, separator: '_', punctuation: "-." };
/// Our directory below the root.
pub(super) const OURS: &str = ".strata";

#[derive(Serialize, Deserialize)]
struct FilerRecord {
    id: Uuid,
}

impl Shared {
    /// Opens the filer; makes our directory where it is absent.
    pub(super) fn open(config: FilerConfig, clock: SharedClock) -> Result<Self, DriverError> {
        let described = format!("the filer's root {}", config.root.display());
        let root = std::fs::canonicalize(&config.root).map_err(|error| io(error, &described))?;
        let beneath = Beneath::open(&root, &described)?;
        let private = Mode::RWXU;
        for part in ["snapshots", "partial", "clones"] {
            beneath.create_dirs(&format!("{OURS}/{part}"), private)?;
        }
        let ours = beneath.enter(OURS)?;
        let id = filer_id(&ours)?;
        // The directory's own identity goes in, so that a copy of the whole tree is another filer and the marks that were
        // copied with it are not taken for ours (S2).
        let serial = Uuid::new_v5(&id, &birth_stamp(&beneath)?).to_string();
        let engine = choose_engine(&config, &root, &beneath)?;
        tracing::debug!(root = %root.display(), engine = engine.as_str(), serial, "filer opened");
        Ok(Self { config, root, engine, serial, clock })
    }

    /// The root.
    pub(super) fn beneath(&self) -> Result<Beneath, DriverError> {
        Beneath::open(&self.root, format!("the filer's root {}", self.root.display()))
    }

    /// A directory of ours: `snapshots`, `partial`, `clones`.
    pub(super) fn ours(&self, part: &str) -> Result<Beneath, DriverError> {
        self.beneath()?.enter(&format!("{OURS}/{part}"))
    }

    /// The path of something in a directory of ours, for the btrfs command.
    pub(super) fn ours_path(&self, part: &str) -> PathBuf {
        self.root.join(OURS).join(part)
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        let volume_unit = self.engine == Engine::Btrfs;
        let shares = self.engine.method() == Method::Share;
        Capabilities {
            snapshot_unit: if volume_unit { SnapshotUnit::Volume } else { SnapshotUnit::File },
            group_volumes_max: 1,
            clone_volume: false,
            clone_files: shares,
            restore_files: true,
            restore_volume: false,
            restore_keeps_newer_snapshots: false,
            clone_pins_snapshot: false,
            // The mark is a file of ours; this is what fits in without thought.
            note_bytes_max: 4096,
            snapshot_names: NAMES,
            skew_us_max: if volume_unit { 0 } else { 60_000_000 },
            snapshots_per_volume_max: 10_000,
            needs_vm_off: !shares,
            export_nfs: false,
            export_luns: false,
            clone_luns: false,
            restore_lun: false,
            read_files: true,
        }
    }
}

/// What was written when the filer was opened for the first time; of two that write at once the first counts.
fn filer_id(ours: &Beneath) -> Result<Uuid, DriverError> {
    const NAME: &str = "filer.json";
    if let Some(found) = record::read::<FilerRecord>(ours, NAME)? {
        return Ok(found.id);
    }
    match record::create(ours, NAME, &FilerRecord { id: Uuid::new_v4() }) {
        Err(error) if error.reason != Reason::TargetExists => return Err(error),
        _ => {}
    }
    record::read::<FilerRecord>(ours, NAME)?.map(|found| found.id).ok_or_else(|| {
        let text = format!("{} is damaged; restore it from a backup, or remove it to start anew", ours.describe(NAME));
        DriverError::new(Reason::Unexpected, text)
    })
}

/// Inode and time of birth: what a directory cannot share with its copy.
pub(super) fn birth_stamp(dir: &Beneath) -> Result<Vec<u8>, DriverError> {
    let stat = fs::statx(dir.fd(), "", AtFlags::EMPTY_PATH, StatxFlags::INO | StatxFlags::BTIME)
        .map_err(|errno| os(errno, dir.describe("")))?;
    Ok(format!("{}:{}.{}", stat.stx_ino, stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec).into_bytes())
}

fn choose_engine(config: &FilerConfig, root: &std::path::Path, beneath: &Beneath) -> Result<Engine, DriverError> {
    let refuse = |text: String| Err(DriverError::new(Reason::NotSupported, text));
    let on_btrfs = is_btrfs(beneath)?;
    let subvolumes_only = super::volume::names(config, beneath)?
        .iter()
        .all(|name| beneath.enter(name).and_then(|dir| is_subvolume(&dir)).unwrap_or(true));
    match config.engine {
        EngineChoice::Copy => Ok(Engine::Copy),
        EngineChoice::Btrfs if !on_btrfs => refuse(format!(
            "engine 'btrfs' is configured, but {} is on another file system; use 'auto'",
            root.display()
        )),
        EngineChoice::Btrfs if !btrfs::is_installed() => {
            refuse("engine 'btrfs' is configured, but the command 'btrfs' is not installed; install btrfs-progs".into())
        }
        EngineChoice::Btrfs => Ok(Engine::Btrfs),
        EngineChoice::Auto if on_btrfs && subvolumes_only && btrfs::is_installed() => Ok(Engine::Btrfs),
        EngineChoice::Auto | EngineChoice::Reflink => {
            let shares = copy::can_share(&beneath.enter(&format!("{OURS}/partial"))?)?;
            match (shares, config.engine) {
                (true, _) => Ok(Engine::Reflink),
                (false, EngineChoice::Reflink) => refuse(format!(
                    "engine 'reflink' is configured, but the file system of {} cannot share extents; use 'auto'",
                    root.display()
                )),
                (false, _) => Ok(Engine::Copy),
            }
        }
    }
}

/// True for any directory on btrfs.
pub(super) fn is_btrfs(dir: &Beneath) -> Result<bool, DriverError> {
    const BTRFS_SUPER_MAGIC: u64 = 0x9123_683E;
    let stat = fs::fstatfs(dir.fd()).map_err(|errno| os(errno, dir.describe("")))?;
    Ok(u64::try_from(stat.f_type).is_ok_and(|kind| kind & 0xFFFF_FFFF == BTRFS_SUPER_MAGIC))
}

/// True for the root of a btrfs subvolume: it always has inode 256.
pub(super) fn is_subvolume(dir: &Beneath) -> Result<bool, DriverError> {
    let stat = fs::fstat(dir.fd()).map_err(|errno| os(errno, dir.describe("")))?;
    Ok(stat.st_ino == 256 && is_btrfs(dir)?)
}
