//! Clones of files into a new directory. Crash states: (1) nothing; (2) in the volume's list alone; (3) the marked directory with
//! some of its files; (4) all. The repeat goes on from each, the removal undoes each.

use super::{
    Ontap,
    client::Change,
    file_marks::{self, Entry},
    files::{self, Seen},
    job::{pending, settle, settle_removal},
    release::Release,
    snapshots,
    volumes::{self, Teller},
    wire,
};
use crate::{
    driver::{
        CloneMember, CloneRemoval, DriverError, FileCloneRequest, FileCloneTarget, FileMapping, Progress, Reason,
    },
    rel_path::RelPath,
};
use std::collections::BTreeSet;
use strata_model::{
    ids::{ArraySnapshotId, VolumeId},
    mark::Mark,
};

/// Stops at the first change that the array does later.
macro_rules! step {
    ($change:expr) => {
        if let Change::Queued(job) = $change {
            return Ok(pending(&job));
        }
    };
}

pub(super) async fn ensure(array: &Ontap, want: &FileCloneRequest) -> Result<Progress<Vec<CloneMember>>, DriverError> {
    want.check()?;
    if let Some(waiting) = settle(array, want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let source = file_marks::source_of(want);
    if array.remembered(&want.mark.key).is_some_and(|known| known != source) {
        return Err(reused(&want.mark));
    }
    let teller = Teller::new(array).await?;
    let mut members = Vec::new();
    for target in &want.targets {
        let volume = volumes::get(array, &target.volume).await?;
        check_can(array, &volume).await?;
        let directory = RelPath::parse(&target.directory)?;
        let listed = is_listed(&file_marks::index(array, &volume.uuid).await?, want, &source, &target.directory)?;
        let present = is_present(array, &volume, &want.mark, &directory).await?;
        let snapshot = match present {
            true => None,
            false => Some(check_sources(array, &volume, &target.snapshot, &target.files).await?),
        };
        if !listed {
            let path = file_marks::in_index(&want.mark, &volume.uuid, &source, &target.directory)?;
            step!(files::make_directories(array, &volume.uuid, &path).await?);
        }
        array.remember(&want.mark.key, source.clone());
        if !present {
            let mark = file_marks::in_directory(&want.mark, &volume.uuid, &target.directory)?;
            step!(files::make_directories(array, &volume.uuid, &mark).await?);
        }
        if let Some(job) = fill(array, &volume, target, snapshot).await? {
            return Ok(pending(&job));
        }
        let volume = teller.tell(volume);
        members.push(CloneMember { volume, directory: target.directory.clone(), copied_bytes: 0, luns: Vec::new() });
    }
    Ok(Progress::Ready(members))
}

/// Refuses a volume in which files cannot be cloned.
pub(super) async fn check_can(array: &Ontap, volume: &wire::Volume) -> Result<(), DriverError> {
    volumes::check_read_write(array, volume).await?;
    if volume.style == "flexgroup" && array.learned().await?.release() < Release::FLEXGROUP_FILES {
        let text = format!(
            "volume '{}' is a FlexGroup, in which files can be cloned from ONTAP {} on; clone the volume",
            volume.name,
            Release::FLEXGROUP_FILES
        );
        return Err(DriverError::new(Reason::NotSupported, text));
    }
    Ok(())
}

fn reused(mark: &Mark) -> DriverError {
    let text = format!("key '{}' names a clone of other files or into another directory; use another key", mark.key);
    DriverError::new(Reason::KeyReused, text)
}

fn not_ours(mark: &Mark, path: &str) -> DriverError {
    let text = format!("'{path}' does not belong to clone '{}' of this installation; it is left alone", mark.key);
    DriverError::new(Reason::NotOurs, text)
}

/// True where the volume's list has this directory of this clone already.
fn is_listed(index: &[Entry], want: &FileCloneRequest, source: &str, directory: &str) -> Result<bool, DriverError> {
    let mut listed = false;
    for entry in index.iter().filter(|entry| entry.mark.key == want.mark.key) {
        if entry.mark.installation != want.mark.installation {
            return Err(not_ours(&want.mark, &entry.path));
        }
        if entry.source != source {
            return Err(reused(&want.mark));
        }
        listed |= entry.directories.iter().any(|known| known == directory);
    }
    Ok(listed)
}

/// True where the clone's directory is there and ours; refused where it is another's.
async fn is_present(
    array: &Ontap,
    volume: &wire::Volume,
    mark: &Mark,
    directory: &RelPath,
) -> Result<bool, DriverError> {
    let inner = match files::walk(array, &volume.uuid, "", directory).await? {
        Seen::Absent | Seen::Hidden => return Ok(false),
        Seen::File(_) => Vec::new(),
        Seen::Directory => files::entries(array, &volume.uuid, directory.as_str()).await?.unwrap_or_default(),
    };
    let names = inner.iter().map(|entry| entry.name.as_str());
    if file_marks::is_marked(names, mark, &volume.uuid, directory.as_str()) {
        return Ok(true);
    }
    Err(not_ours(mark, directory.as_str()))
}

/// All that can be refused is refused before the first effect. A file that the array does not show is left to the clone itself.
pub(super) async fn check_sources(
    array: &Ontap,
    volume: &wire::Volume,
    snapshot: &ArraySnapshotId,
    wanted: &[FileMapping],
) -> Result<wire::Snapshot, DriverError> {
    let snapshot = snapshots::get(array, &VolumeId(volume.uuid.clone()), snapshot).await?;
    let root = files::snapshot_root(&snapshot);
    for file in wanted {
        match files::walk(array, &volume.uuid, &root, &RelPath::parse(&file.from)?).await? {
            Seen::File(_) | Seen::Hidden => {}
            Seen::Directory | Seen::Absent => {
                let text =
                    format!("'{}' is no file in snapshot '{}' of volume '{}'", file.from, snapshot.name, volume.name);
                return Err(DriverError::new(Reason::NotFound, text));
            }
        }
    }
    Ok(snapshot)
}

/// Clones the files that are missing. Returns a job where the array works later.
async fn fill(
    array: &Ontap,
    volume: &wire::Volume,
    target: &FileCloneTarget,
    known: Option<wire::Snapshot>,
) -> Result<Option<String>, DriverError> {
    let mut snapshot = known;
    for file in &target.files {
        let to = RelPath::parse(&file.to)?;
        if files::walk(array, &volume.uuid, "", &to).await?.is_there() {
            continue;
        }
        let parent = RelPath::parse(to.split().0)?;
        if let Change::Queued(job) = files::make_directories(array, &volume.uuid, &parent).await? {
            return Ok(Some(job));
        }
        let from = match &snapshot {
            Some(from) => from,
            None => snapshot.insert(snapshots::get(array, &target.volume, &target.snapshot).await?),
        };
        match files::clone(array, volume, from, &file.from, &file.to).await {
            Ok(Change::Done) => {}
            Ok(Change::Queued(job)) => return Ok(Some(job)),
            Err(error) if error.reason == Reason::TargetExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

pub(super) async fn remove(array: &Ontap, want: &CloneRemoval) -> Result<Progress<()>, DriverError> {
    crate::naming::check_key(&want.mark.key)?;
    if let Some(waiting) = settle_removal(array, want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let ids: BTreeSet<&VolumeId> = want.targets.iter().map(|target| &target.volume).collect();
    for id in ids {
        let Some(volume) = volumes::find(array, id).await? else { continue };
        let index = file_marks::index(array, &volume.uuid).await?;
        let entries: Vec<&Entry> = index.iter().filter(|entry| entry.mark.key == want.mark.key).collect();
        if let Some(theirs) = entries.iter().find(|entry| entry.mark.installation != want.mark.installation) {
            return Err(not_ours(&want.mark, &theirs.path));
        }
        let asked: BTreeSet<&str> =
            want.targets.iter().filter(|target| target.volume == *id).map(|target| target.directory.as_str()).collect();
        let listed: BTreeSet<&str> =
            entries.iter().flat_map(|entry| entry.directories.iter().map(String::as_str)).collect();
        // A crash may have listed only some of what was asked for; more than that is another clone.
        if !listed.is_subset(&asked) {
            return Err(reused(&want.mark));
        }
        for directory in asked {
            let directory = RelPath::parse(directory)?;
            if is_present(array, &volume, &want.mark, &directory).await? {
                step!(files::remove_directory(array, &volume.uuid, directory.as_str()).await?);
            }
        }
        for entry in entries {
            step!(files::remove_directory(array, &volume.uuid, &entry.path).await?);
        }
    }
    array.forget(&want.mark.key);
    Ok(Progress::Ready(()))
}
