//! Where snapshots lie: `.strata/snapshots/<native name>/` with `mark.json` and `data/<volume>/`.
//!
//! A snapshot is built in `.strata/partial/<native name>/` and renamed when it is whole, so that it is there or not.

use super::{
    beneath::Beneath,
    btrfs, record,
    shared::{NAMES, Shared, is_subvolume},
};
use crate::driver::{DriverError, Reason, Snapshot, SnapshotMember};
use crate::naming;
use crate::rel_path::RelPath;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strata_model::{
    ids::{ArraySnapshotId, VolumeId},
    mark::Mark,
};

/// `mark.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SnapshotRecord {
    pub(super) mark: String,
    pub(super) label: String,
    /// The filer that made it: a copied record does not fit.
    pub(super) filer: String,
    pub(super) engine: String,
    pub(super) cut_time: Timestamp,
    pub(super) skew_us: u64,
    pub(super) members: Vec<MemberRecord>,
}

/// One volume's part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct MemberRecord {
    pub(super) volume: String,
    pub(super) volume_uuid: String,
    /// Sorted; what was asked for.
    pub(super) paths: Vec<String>,
}

/// A snapshot that lies there.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) name: String,
    /// With the mark that it carries; none where it is not ours.
    pub(super) record: Option<(SnapshotRecord, Mark)>,
    /// The volumes that have data in it.
    volumes: Vec<String>,
}

pub(super) const MARK_FILE: &str = "mark.json";
pub(super) const DATA: &str = "data";

impl Stored {
    fn read(shared: &Shared, snapshots: &Beneath, name: &str) -> Result<Self, DriverError> {
        let dir = snapshots.enter(name)?;
        let volumes = if dir.find(DATA)?.is_some() { dir.enter(DATA)?.list()? } else { Vec::new() };
        let record = record::read::<SnapshotRecord>(&dir, MARK_FILE)?.and_then(|record| {
            let mark: Mark = record.mark.parse().ok()?;
            let fits = record.filer == shared.serial && naming::is_for_key(&NAMES, name, &mark.key);
            fits.then_some((record, mark))
        });
        Ok(Self { name: name.to_owned(), record, volumes })
    }

    /// As the driver answers it.
    pub(super) fn to_snapshot(&self) -> Snapshot {
        let member = |volume: &str, volume_uuid: &str| SnapshotMember {
            volume: VolumeId::from(volume),
            volume_uuid: volume_uuid.to_owned(),
            id: ArraySnapshotId(self.name.clone()),
            native_name: self.name.clone(),
            used_bytes: None,
        };
        match &self.record {
            Some((record, mark)) => Snapshot {
                members: record.members.iter().map(|part| member(&part.volume, &part.volume_uuid)).collect(),
                cut_time: record.cut_time,
                skew_us: record.skew_us,
                mark: Some(mark.clone()),
                comment: record.mark.clone(),
            },
            None => Snapshot {
                members: self.volumes.iter().map(|volume| member(volume, "")).collect(),
                cut_time: Timestamp::UNIX_EPOCH,
                skew_us: 0,
                mark: None,
                comment: String::new(),
            },
        }
    }

    /// Refuses where this is not the caller's.
    pub(super) fn check_ours(&self, mark: &Mark) -> Result<&SnapshotRecord, DriverError> {
        match &self.record {
            Some((record, found)) if found.installation == mark.installation && found.key == mark.key => Ok(record),
            Some((_, found)) => {
                Err(not_ours(&self.name, &format!("it belongs to installation {}", found.installation)))
            }
            None => Err(not_ours(&self.name, "it carries no mark of this filer")),
        }
    }
}

fn not_ours(name: &str, why: &str) -> DriverError {
    let text = format!(
        "snapshot '{name}' is not this installation's: {why}; it is left alone, remove it by hand if it may go"
    );
    DriverError::new(Reason::NotOurs, text)
}

/// All snapshots, oldest first.
pub(super) fn all(shared: &Shared) -> Result<Vec<Stored>, DriverError> {
    let snapshots = shared.ours("snapshots")?;
    let mut found = Vec::new();
    for name in snapshots.list()? {
        match Stored::read(shared, &snapshots, &name) {
            Ok(stored) => found.push(stored),
            // Removed meanwhile, or a file that somebody put there.
            Err(error) if matches!(error.reason, Reason::NotFound | Reason::UnsafePath) => {}
            Err(error) => return Err(error),
        }
    }
    found.sort_by_key(order);
    Ok(found)
}

/// By time, then by name; also the token of a page.
pub(super) fn order(stored: &Stored) -> String {
    let cut_us = stored.record.as_ref().map_or(0, |(record, _)| record.cut_time.as_microsecond().max(0));
    format!("{cut_us:020} {}", stored.name)
}

/// Those that hold a part of this volume.
pub(super) fn of_volume(shared: &Shared, volume: &VolumeId) -> Result<Vec<Stored>, DriverError> {
    let mut found = all(shared)?;
    found.retain(|stored| stored.to_snapshot().members.iter().any(|member| member.volume == *volume));
    Ok(found)
}

/// The snapshot that was made, or stands, under this key's name.
pub(super) fn by_key(shared: &Shared, key: &str) -> Result<Option<Stored>, DriverError> {
    let snapshots = shared.ours("snapshots")?;
    let name = snapshots.list()?.into_iter().find(|name| naming::is_for_key(&NAMES, name, key));
    name.map(|name| Stored::read(shared, &snapshots, &name)).transpose()
}

/// A snapshot's files of one volume, and the volume's identity when it was cut (empty where no record tells).
pub(super) fn open_data(
    shared: &Shared,
    id: &ArraySnapshotId,
    volume: &VolumeId,
) -> Result<(Beneath, String), DriverError> {
    let absent = || {
        let text = format!(
            "there is no snapshot '{id}' of volume '{volume}'; list the volume's snapshots to see which there are"
        );
        DriverError::new(Reason::NotFound, text)
    };
    if RelPath::parse(id.as_str()).is_err() || id.as_str().contains('/') || volume.as_str().contains('/') {
        return Err(absent());
    }
    let snapshots = shared.ours("snapshots")?;
    let stored = match Stored::read(shared, &snapshots, id.as_str()) {
        Ok(stored) => stored,
        Err(error) if error.reason == Reason::NotFound => return Err(absent()),
        Err(error) => return Err(error),
    };
    let member = stored.to_snapshot().members.into_iter().find(|member| member.volume == *volume).ok_or_else(absent)?;
    let data = snapshots.enter(&format!("{id}/{DATA}/{volume}"))?;
    Ok((data.called(format!("snapshot '{id}' of volume '{volume}'")), member.volume_uuid))
}

/// Removes a snapshot's directory from `part` (`snapshots` or `partial`); fine where it is absent.
pub(super) fn discard(shared: &Shared, part: &str, name: &str) -> Result<(), DriverError> {
    let parent = shared.ours(part)?;
    if parent.find(name)?.is_none() {
        return Ok(());
    }
    let dir = parent.enter(name)?;
    if dir.find(DATA)?.is_some() {
        let data = dir.enter(DATA)?;
        for volume in data.list()? {
            if data.enter(&volume).and_then(|inner| is_subvolume(&inner)).unwrap_or(false) {
                btrfs::delete(&shared.ours_path(part).join(name).join(DATA).join(&volume))?;
            }
        }
    }
    parent.remove_tree(name)?;
    parent.sync()
}
