//! EnsureClone, RemoveClone: all as volumes, all as LUNs in place, or all as files.

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

/// What becomes a clone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Volume,
    Lun,
    File,
}

pub(super) async fn ensure(
    arrays: &Arrays,
    request: pb::EnsureCloneRequest,
) -> Result<pb::EnsureCloneResponse, Status> {
    let mut fields = Fields::default();
    let name = fields.array("array", &request.array);
    let mark = fields.mark(&request.key, request.mark);
    let unit = check_targets(&mut fields, &request.targets, true);
    let parts: Vec<_> =
        request.targets.into_iter().enumerate().map(|(index, it)| target(&mut fields, &name, index, it)).collect();
    fields.finish()?;
    let array = find(arrays, &name)?;
    let (label, resume) = (request.label, optional(request.resume));
    let (targets, files): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    let made = match unit {
        Unit::File => {
            let clones = array.driver.file_clones().ok_or_else(|| cannot(array, "clone files"))?;
            let targets = targets.into_iter().zip(files).map(with_files).collect();
            clones.ensure_file_clone(&FileCloneRequest { mark, label, targets, resume }).await
        }
        Unit::Lun => {
            let clones = array.driver.lun_clones().ok_or_else(|| cannot(array, "clone single LUNs"))?;
            clones.ensure_lun_clone(&VolumeCloneRequest { mark, label, targets, resume }).await
        }
        Unit::Volume => {
            let clones = array.driver.volume_clones().ok_or_else(|| cannot(array, "clone volumes"))?;
            clones.ensure_clone(&VolumeCloneRequest { mark, label, targets, resume }).await
        }
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
    let unit = check_targets(&mut fields, &request.targets, false);
    let parts: Vec<_> =
        request.targets.into_iter().enumerate().map(|(index, it)| target(&mut fields, &name, index, it)).collect();
    fields.finish()?;
    let array = find(arrays, &name)?;
    let targets = parts.into_iter().map(|(target, _)| target).collect();
    let want = CloneRemoval { mark, label: request.label, targets, resume: optional(request.resume) };
    let removed = match unit {
        Unit::File => {
            array.driver.file_clones().ok_or_else(|| cannot(array, "clone files"))?.remove_file_clone(&want).await
        }
        Unit::Lun => {
            array.driver.lun_clones().ok_or_else(|| cannot(array, "clone single LUNs"))?.remove_lun_clone(&want).await
        }
        Unit::Volume => {
            array.driver.volume_clones().ok_or_else(|| cannot(array, "clone volumes"))?.remove_clone(&want).await
        }
    };
    let removed = removed.map_err(|error| status(array, error))?;
    Ok(pb::RemoveCloneResponse { pending: convert::progress(removed).err() })
}

fn unit_of(target: &pb::CloneTarget) -> Unit {
    match (target.to_directory.is_empty(), target.luns_in_place) {
        (false, _) => Unit::File,
        (true, true) => Unit::Lun,
        (true, false) => Unit::Volume,
    }
}

/// What all targets are.
fn check_targets(fields: &mut Fields, targets: &[pb::CloneTarget], to_make: bool) -> Unit {
    let Some(unit) = targets.first().map(unit_of) else {
        fields.wrong("targets", "name at least one volume");
        return Unit::Volume;
    };
    if targets.iter().any(|target| unit_of(target) != unit) {
        fields.wrong(
            "targets",
            "give all targets a to_directory (clones of files), or all luns_in_place, or neither (clones of volumes)",
        );
    }
    for (index, target) in targets.iter().enumerate() {
        let field = |name: &str| format!("targets[{index}].{name}");
        match (target.to_directory.is_empty(), target.files.is_empty()) {
            (true, false) => fields.wrong(field("files"), "are of use only with a to_directory"),
            (false, true) if to_make => fields.wrong(field("files"), "name at least one file"),
            _ => {}
        }
        match (unit_of(target), target.lun_paths.is_empty()) {
            (Unit::File, false) => fields.wrong(field("lun_paths"), "are of no use with a to_directory"),
            (Unit::Lun, true) => fields.wrong(field("lun_paths"), "name at least one LUN"),
            _ => {}
        }
        if target.luns_in_place && !target.to_directory.is_empty() {
            fields.wrong(field("luns_in_place"), "is of no use with a to_directory");
        }
        if to_make && target.snapshot_id.is_empty() {
            fields.wrong(field("snapshot_id"), "name the snapshot");
        }
    }
    unit
}

fn target(
    fields: &mut Fields,
    array: &ArrayName,
    index: usize,
    from: pb::CloneTarget,
) -> (CloneTarget, Vec<FileMapping>) {
    let files = from.files.into_iter().map(|file| FileMapping { from: file.from_path, to: file.to_path });
    let target = CloneTarget {
        volume: fields.volume_on(array, &format!("targets[{index}].volume"), &from.volume),
        snapshot: ArraySnapshotId(from.snapshot_id),
        directory: from.to_directory,
        luns: from.lun_paths,
    };
    (target, files.collect())
}

fn with_files((target, files): (CloneTarget, Vec<FileMapping>)) -> FileCloneTarget {
    FileCloneTarget { volume: target.volume, snapshot: target.snapshot, directory: target.directory, files }
}
