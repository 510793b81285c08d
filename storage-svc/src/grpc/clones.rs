//! EnsureClone, RemoveClone: all as volumes, or all as files.

use super::{
    convert,
    error::{cannot, status},
    validate::{Fields, find, optional},
};
use crate::{
    arrays::Arrays,
    driver::{CloneRemoval, CloneTarget, FileCloneRequest, FileCloneTarget, FileMapping, VolumeCloneRequest},
};
use strata_model::ids::{ArrayName, ArraySnapshotId};
use strata_proto::strata::storage::v1::{self as pb, ensure_clone_response::Outcome};
use tonic::Status;

pub(super) async fn ensure(
    arrays: &Arrays,
    request: pb::EnsureCloneRequest,
) -> Result<pb::EnsureCloneResponse, Status> {
    let mut fields = Fields::default();
    let name = fields.array("array", &request.array);
    let mark = fields.mark(&request.key, request.mark);
    let as_files = check_targets(&mut fields, &request.targets, true);
    let targets: Vec<FileCloneTarget> =
        request.targets.into_iter().enumerate().map(|(index, it)| target(&mut fields, &name, index, it)).collect();
    fields.finish()?;
    let array = find(arrays, &name)?;
    let (label, resume) = (request.label, optional(request.resume));
    let made = if as_files {
        let clones = array.driver.file_clones().ok_or_else(|| cannot(array, "clone files"))?;
        clones.ensure_file_clone(&FileCloneRequest { mark, label, targets, resume }).await
    } else {
        let clones = array.driver.volume_clones().ok_or_else(|| cannot(array, "clone volumes"))?;
        let targets = targets.into_iter().map(without_files).collect();
        clones.ensure_clone(&VolumeCloneRequest { mark, label, targets, resume }).await
    };
    let outcome = match convert::progress(made.map_err(|error| status(array, error))?) {
        Ok(members) => Outcome::Clone(pb::ArrayClone {
            key: request.key,
            members: members.into_iter().map(|member| convert::clone_member(&name, member)).collect(),
        }),
        Err(pending) => Outcome::Pending(pending),
    };
    Ok(pb::EnsureCloneResponse { outcome: Some(outcome) })
}

pub(super) async fn remove(
    arrays: &Arrays,
    request: pb::RemoveCloneRequest,
) -> Result<pb::RemoveCloneResponse, Status> {
    let mut fields = Fields::default();
    let name = fields.array("array", &request.array);
    let mark = fields.mark(&request.key, request.mark);
    let as_files = check_targets(&mut fields, &request.targets, false);
    let targets: Vec<FileCloneTarget> =
        request.targets.into_iter().enumerate().map(|(index, it)| target(&mut fields, &name, index, it)).collect();
    fields.finish()?;
    let array = find(arrays, &name)?;
    let targets = targets.into_iter().map(without_files).collect();
    let want = CloneRemoval { mark, label: request.label, targets, resume: optional(request.resume) };
    let removed = if as_files {
        array.driver.file_clones().ok_or_else(|| cannot(array, "clone files"))?.remove_file_clone(&want).await
    } else {
        array.driver.volume_clones().ok_or_else(|| cannot(array, "clone volumes"))?.remove_clone(&want).await
    };
    let removed = removed.map_err(|error| status(array, error))?;
    Ok(pb::RemoveCloneResponse { pending: convert::progress(removed).err() })
}

/// True where the targets are files.
fn check_targets(fields: &mut Fields, targets: &[pb::CloneTarget], files_needed: bool) -> bool {
    let as_files = targets.iter().filter(|target| !target.to_directory.is_empty()).count();
    if targets.is_empty() {
        fields.wrong("targets", "name at least one volume");
    } else if as_files != 0 && as_files != targets.len() {
        fields.wrong("targets", "give all targets a to_directory (clones of files), or none (clones of volumes)");
    }
    for (index, target) in targets.iter().enumerate() {
        match (target.to_directory.is_empty(), target.files.is_empty()) {
            (true, false) => fields.wrong(format!("targets[{index}].files"), "are of use only with a to_directory"),
            (false, true) if files_needed => fields.wrong(format!("targets[{index}].files"), "name at least one file"),
            _ => {}
        }
    }
    as_files > 0
}

fn target(fields: &mut Fields, array: &ArrayName, index: usize, from: pb::CloneTarget) -> FileCloneTarget {
    let files = from.files.into_iter().map(|file| FileMapping { from: file.from_path, to: file.to_path });
    FileCloneTarget {
        volume: fields.volume_on(array, &format!("targets[{index}].volume"), &from.volume),
        snapshot: ArraySnapshotId(from.snapshot_id),
        directory: from.to_directory,
        files: files.collect(),
    }
}

fn without_files(from: FileCloneTarget) -> CloneTarget {
    CloneTarget { volume: from.volume, snapshot: from.snapshot, directory: from.directory }
}
