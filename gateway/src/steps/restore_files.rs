//! Lets the array clone the disks of the snapshot into the places that were cleared.

use super::{set_aside::directory_of, wait};
use crate::{
    deps::Deps,
    error::{GatewayError, Result},
    layout::array_name,
    plan::{RevertDisk, RevertIntent},
    ports::Progress as Answer,
};
use std::collections::BTreeSet;
use strata_model::DatastorePath;
use strata_proto::strata::{
    inventory::v1::{FindVmFilesRequest, MoveDisksRequest, PathMapping, RemoveAsideRequest},
    storage::v1::{FileMapping, RestoreFilesRequest},
};
use strata_saga::Progress;

/// Puts them back. A file that is there already is from an earlier try, since the live one was moved away.
pub async fn run(deps: &Deps, intent: &RevertIntent, resume: Option<String>) -> Result<Progress> {
    restore(deps, intent, resume, |_| true).await
}

/// Puts back those that are wanted, by their places in the intent.
async fn restore(
    deps: &Deps,
    intent: &RevertIntent,
    resume: Option<String>,
    wanted: impl Fn(usize) -> bool,
) -> Result<Progress> {
    for (index, disk) in intent.disks.iter().enumerate().filter(|(index, _)| wanted(*index)) {
        let mapping = |(from, to): &(String, String)| FileMapping { from_path: from.clone(), to_path: to.clone() };
        let request = RestoreFilesRequest {
            array: array_name(&disk.volume)?,
            key: intent.revert_id.clone(),
            mark: Some(deps.mark()),
            volume: disk.volume.clone(),
            expected_volume_uuid: disk.volume_uuid.clone(),
            snapshot_id: disk.snapshot_id.clone(),
            files: disk.files.iter().map(mapping).collect(),
            resume: wait::resume_of(resume.as_deref(), index),
        };
        if let Answer::Pending(still) = deps.ports.storage.restore_files(request).await? {
            return Ok(wait::pending_at(index, still));
        }
    }
    Ok(Progress::done())
}

/// Takes the restored disks away again. They are first made whole, so that vCenter can move them.
/// Those that an earlier try took away are left away.
pub async fn undo(deps: &Deps, intent: &RevertIntent, resume: Option<String>) -> Result<Progress> {
    let mut moves = Vec::new();
    let mut present = Vec::new();
    for (index, disk) in intent.disks.iter().enumerate() {
        if exists(deps, intent, disk).await? {
            present.push(index);
            moves.push(PathMapping { from_path: disk.path.clone(), to_path: aside_of_restored(intent, disk)? });
        }
    }
    if !moves.is_empty() {
        // Where this fails the move below tells: a disk without all its files is refused by vCenter.
        match restore(deps, intent, resume, |index| present.contains(&index)).await {
            Ok(Progress::Done(_)) => {}
            Ok(pending @ Progress::Pending { .. }) => return Ok(pending),
            Err(error) => {
                tracing::warn!(revert = %intent.revert_id, %error, "cannot complete the restored disks before taking them away");
            }
        }
        deps.ports.inventory.move_disks(MoveDisksRequest { vm: intent.vm.clone(), moves: moves.clone() }).await?;
    }
    let mut directories: Vec<String> = intent
        .disks
        .iter()
        .map(|disk| aside_of_restored(intent, disk).map(|path| directory_of(&path).unwrap_or_default()))
        .collect::<Result<_>>()?;
    directories.sort();
    directories.dedup();
    deps.ports.inventory.remove_aside(RemoveAsideRequest { vcenter: intent.vcenter.clone(), directories }).await?;
    Ok(Progress::done())
}

fn aside_of_restored(intent: &RevertIntent, disk: &RevertDisk) -> Result<String> {
    let path: DatastorePath = disk.path.parse().map_err(GatewayError::unexpected)?;
    let directory = format!("{}/.strata-aside-{}-new", path.directory(), intent.revert_id);
    Ok(path.moved_to(directory.trim_start_matches('/')).to_string())
}

/// Whether any file of the restored disk is there: the array may have stopped between its extents and its descriptor, in
/// any order.
async fn exists(deps: &Deps, intent: &RevertIntent, disk: &RevertDisk) -> Result<bool> {
    let path: DatastorePath = disk.path.parse().map_err(GatewayError::unexpected)?;
    let names = file_names(disk, &path);
    let request = FindVmFilesRequest {
        vcenter: intent.vcenter.clone(),
        datastore: match disk.datastore_name.as_str() {
            "" => path.datastore.clone(),
            name => name.to_owned(),
        },
        directory: path.directory().to_owned(),
        patterns: names.iter().cloned().collect(),
    };
    let found = deps.ports.inventory.find_vm_files(request).await?;
    // A pattern is looked for in the directories below as well, and without case.
    let ours = |file: &DatastorePath| file.directory() == path.directory() && names.contains(file.file_name());
    Ok(found.files.iter().filter_map(|file| file.path.parse().ok()).any(|file| ours(&file)))
}

/// The names of a disk's files that lie beside its descriptor, the descriptor's among them.
fn file_names(disk: &RevertDisk, descriptor: &DatastorePath) -> BTreeSet<String> {
    let split = |path: &str| -> (String, String) {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        (directory.to_owned(), name.to_owned())
    };
    let files: Vec<(String, String)> = disk.files.iter().map(|(_, to)| split(to)).collect();
    let home = files.iter().find(|(_, name)| name == descriptor.file_name()).map(|(directory, _)| directory.clone());
    let beside = files.into_iter().filter(|(directory, _)| Some(directory) == home.as_ref());
    beside.map(|(_, name)| name).chain([descriptor.file_name().to_owned()]).collect()
}
