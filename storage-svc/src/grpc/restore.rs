//! RestoreFiles, RestoreVolume, RestoreLun, ReadSnapshotFile.

use super::{
    convert,
    error::{cannot, status},
    validate::{Fields, find, optional},
};
use crate::{
    arrays::Arrays,
    driver::{FileMapping, RestoreFilesRequest, RestoreRequest},
};
use strata_model::ids::ArraySnapshotId;
use strata_proto::strata::storage::v1 as pb;
use tonic::Status;

pub(super) async fn files(
    arrays: &Arrays,
    request: pb::RestoreFilesRequest,
) -> Result<pb::RestoreFilesResponse, Status> {
    let mut fields = Fields::default();
    let name = fields.array("array", &request.array);
    let mark = fields.mark(&request.key, request.mark);
    let volume = fields.volume_on(&name, "volume", &request.volume);
    if request.snapshot_id.is_empty() {
        fields.wrong("snapshot_id", "name the snapshot");
    }
    if request.files.is_empty() {
        fields.wrong("files", "name at least one file");
    }
    fields.finish()?;
    let array = find(arrays, &name)?;
    let files = request.files.into_iter().map(|file| FileMapping { from: file.from_path, to: file.to_path });
    let want = RestoreFilesRequest {
        mark,
        volume,
        expected_uuid: optional(request.expected_volume_uuid),
        snapshot: ArraySnapshotId(request.snapshot_id),
        files: files.collect(),
        resume: optional(request.resume),
    };
    let driver = array.driver.file_restore().ok_or_else(|| cannot(array, "restore files"))?;
    let restored = driver.restore_files(&want).await.map_err(|error| status(array, error))?;
    Ok(match convert::progress(restored) {
        Ok(files) => {
            pb::RestoreFilesResponse { pending: None, files: files.into_iter().map(convert::restored).collect() }
        }
        Err(pending) => pb::RestoreFilesResponse { pending: Some(pending), files: Vec::new() },
    })
}

pub(super) async fn volume(
    arrays: &Arrays,
    request: pb::RestoreVolumeRequest,
) -> Result<pb::RestoreVolumeResponse, Status> {
    let mut fields = Fields::default();
    let name = fields.array("array", &request.array);
    let mark = fields.mark(&request.key, request.mark);
    let volume = fields.volume_on(&name, "volume", &request.volume);
    if request.snapshot_id.is_empty() {
        fields.wrong("snapshot_id", "name the snapshot");
    }
    fields.finish()?;
    let array = find(arrays, &name)?;
    let want = RestoreRequest {
        mark,
        volume,
        expected_uuid: optional(request.expected_volume_uuid),
        snapshot: ArraySnapshotId(request.snapshot_id),
        lun: String::new(),
        released_initiators: request.released_initiators,
        resume: optional(request.resume),
    };
    let driver = array.driver.volume_restore().ok_or_else(|| cannot(array, "restore a volume in place"))?;
    let restored = driver.restore_volume(&want).await.map_err(|error| status(array, error))?;
    Ok(pb::RestoreVolumeResponse { pending: convert::progress(restored).err() })
}

pub(super) async fn lun(arrays: &Arrays, request: pb::RestoreLunRequest) -> Result<pb::RestoreLunResponse, Status> {
    let mut fields = Fields::default();
    let name = fields.array("array", &request.array);
    let mark = fields.mark(&request.key, request.mark);
    let volume = fields.volume_on(&name, "volume", &request.volume);
    if request.snapshot_id.is_empty() {
        fields.wrong("snapshot_id", "name the snapshot");
    }
    fields.finish()?;
    let array = find(arrays, &name)?;
    let want = RestoreRequest {
        mark,
        volume,
        expected_uuid: optional(request.expected_volume_uuid),
        snapshot: ArraySnapshotId(request.snapshot_id),
        lun: request.lun_path,
        released_initiators: request.released_initiators,
        resume: optional(request.resume),
    };
    let driver = array.driver.lun_restore().ok_or_else(|| cannot(array, "restore a LUN in place"))?;
    let restored = driver.restore_lun(&want).await.map_err(|error| status(array, error))?;
    Ok(pb::RestoreLunResponse { pending: convert::progress(restored).err() })
}

pub(super) async fn read_file(
    arrays: &Arrays,
    request: pb::ReadSnapshotFileRequest,
) -> Result<pb::ReadSnapshotFileResponse, Status> {
    let mut fields = Fields::default();
    let (name, volume) = fields.volume("volume", &request.volume);
    if request.snapshot_id.is_empty() {
        fields.wrong("snapshot_id", "name the snapshot");
    }
    if request.path.is_empty() {
        fields.wrong("path", "name the file");
    }
    fields.finish()?;
    let array = find(arrays, &name)?;
    let id = ArraySnapshotId(request.snapshot_id);
    let content = array.driver.read_snapshot_file(&volume, &id, &request.path).await;
    Ok(pb::ReadSnapshotFileResponse { content: content.map_err(|error| status(array, error))? })
}
