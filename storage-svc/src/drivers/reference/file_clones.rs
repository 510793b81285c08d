//! Clones of files into a new directory. Crash states: (1) nothing; (2) in the list alone; (3) the marked directory with some of
//! its files; (4) all. The repeat goes on from each, the removal undoes each.

use super::{
    Reference,
    client::{Change, pending},
    file_marks::{self, Entry},
    files, look, wire,
};
use crate::{
    driver::{CloneMember, CloneRemoval, DriverError, FileCloneRequest, FileCloneTarget, Progress, Reason},
    rel_path::RelPath,
};
use std::collections::BTreeSet;
use strata_model::{ids::VolumeId, mark::Mark};

/// Stops at the first change that the array queued.
macro_rules! step {
    ($change:expr) => {
        if let Change::Queued(job) = $change {
            return Ok(pending(&job));
        }
    };
}

pub(super) async fn ensure(
    array: &Reference,
    want: &FileCloneRequest,
) -> Result<Progress<Vec<CloneMember>>, DriverError> {
    want.check()?;
    if let Some(waiting) = array.client.settle(want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let source = file_marks::source_of(want);
    if array.remembered(&want.mark.key).is_some_and(|known| known != source) {
        return Err(reused(&want.mark));
    }
    let mut members = Vec::new();
    for target in &want.targets {
        let volume = look::volume(array, &target.volume).await?;
        if volume.read_only {
            let text = format!("volume '{}' is a replica and read-only; files cannot be cloned in it", volume.name);
            return Err(DriverError::new(Reason::ReadOnly, text));
        }
        let listed = check_listed(&file_marks::index(array, &volume.id).await?, want, &source, &target.directory)?;
        let present = look_at_directory(array, &volume, &want.mark, &target.directory).await?;
        let snapshot = match &present {
            Some(_) => None,
            None => Some(check_sources(array, target).await?),
        };
        if !listed {
            let path = file_marks::index_path(&want.mark, &volume.id, &source, &target.directory);
            step!(files::make_directory(array, &volume.id, &path).await?);
        }
        array.remember(&want.mark.key, source.clone());
        if present.is_none() {
            let mark = file_marks::in_directory(&want.mark, &volume.id, &target.directory);
            step!(files::make_directory(array, &volume.id, &format!("{}/{mark}", target.directory)).await?);
        }
        if let Some(job) = fill(array, target, snapshot).await? {
            return Ok(pending(&job));
        }
        let volume = look::to_volume(&array.system().await?, volume);
        members.push(CloneMember { volume, directory: target.directory.clone(), copied_bytes: 0, luns: Vec::new() });
    }
    Ok(Progress::Ready(members))
}

fn reused(mark: &Mark) -> DriverError {
    let text = format!("key '{}' names a clone of other files or into another directory; use another key", mark.key);
    DriverError::new(Reason::KeyReused, text)
}

/// True where the volume's list has this directory of this clone already.
fn check_listed(index: &[Entry], want: &FileCloneRequest, source: &str, directory: &str) -> Result<bool, DriverError> {
    let mut listed = false;
    for entry in index.iter().filter(|entry| entry.mark.key == want.mark.key) {
        if entry.mark.installation != want.mark.installation {
            return Err(not_ours(&want.mark, entry.path()));
        }
        if entry.source != source {
            return Err(reused(&want.mark));
        }
        listed |= entry.directories.iter().any(|known| known == directory);
    }
    Ok(listed)
}

fn not_ours(mark: &Mark, path: &str) -> DriverError {
    let text = format!("'{path}' does not belong to clone '{}' of this installation; it is left alone", mark.key);
    DriverError::new(Reason::NotOurs, text)
}

/// The clone's directory where it is there and ours; refused where it is another's.
async fn look_at_directory(
    array: &Reference,
    volume: &wire::Volume,
    mark: &Mark,
    directory: &str,
) -> Result<Option<wire::File>, DriverError> {
    let Some(found) = files::find(array, &volume.id, None, directory).await? else {
        return Ok(None);
    };
    let names = found.entries.iter().map(|entry| entry.name.as_str());
    if !found.is_dir || !file_marks::is_marked(names, mark, &volume.id, directory) {
        return Err(not_ours(mark, directory));
    }
    Ok(Some(found))
}

/// All that can be refused is refused before the first directory is made.
async fn check_sources(array: &Reference, target: &FileCloneTarget) -> Result<wire::Snapshot, DriverError> {
    let snapshot = files::snapshot(array, &target.volume, &target.snapshot).await?;
    for file in &target.files {
        files::in_snapshot(array, &snapshot, &file.from).await?;
    }
    Ok(snapshot)
}

/// Clones the files that are missing. Returns a job where the array works later.
async fn fill(
    array: &Reference,
    target: &FileCloneTarget,
    known: Option<wire::Snapshot>,
) -> Result<Option<String>, DriverError> {
    let volume = target.volume.as_str();
    let mut snapshot = known;
    for file in &target.files {
        if files::find(array, volume, None, &file.to).await?.is_some() {
            continue;
        }
        let parent = file.to.rsplit_once('/').map_or("", |(parent, _)| parent);
        if parent != target.directory
            && files::find(array, volume, None, parent).await?.is_none()
            && let Change::Queued(job) = files::make_directory(array, volume, parent).await?
        {
            return Ok(Some(job));
        }
        let from = match &snapshot {
            Some(from) => from,
            None => snapshot.insert(files::snapshot(array, &target.volume, &target.snapshot).await?),
        };
        match files::clone(array, from, &file.from, &file.to).await {
            Ok(Change::Done) => {}
            Ok(Change::Queued(job)) => return Ok(Some(job)),
            Err(error) if error.reason == Reason::TargetExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

pub(super) async fn remove(array: &Reference, want: &CloneRemoval) -> Result<Progress<()>, DriverError> {
    crate::naming::check_key(&want.mark.key)?;
    if let Some(waiting) = array.client.settle(want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let volumes: BTreeSet<&VolumeId> = want.targets.iter().map(|target| &target.volume).collect();
    for id in volumes {
        let Some(volume) = look::find_volume(array, id).await? else { continue };
        let index = file_marks::index(array, &volume.id).await?;
        let entries: Vec<&Entry> = index.iter().filter(|entry| entry.mark.key == want.mark.key).collect();
        if let Some(theirs) = entries.iter().find(|entry| entry.mark.installation != want.mark.installation) {
            return Err(not_ours(&want.mark, theirs.path()));
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
            RelPath::parse(directory)?;
            if look_at_directory(array, &volume, &want.mark, directory).await?.is_some() {
                step!(files::remove(array, &volume.id, directory).await?);
            }
        }
        for entry in entries {
            step!(files::remove(array, &volume.id, entry.path()).await?);
        }
    }
    array.forget(&want.mark.key);
    Ok(Progress::Ready(()))
}
