//! storage.v1 over the drivers: checks requests, finds the driver, translates. One file a group of calls.

mod arrays;
mod clones;
mod convert;
mod error;
mod exports;
mod paging;
mod restore;
mod snapshots;
mod validate;
mod volumes;

use crate::arrays::Arrays;
use std::sync::Arc;
use strata_kit::mutation::run_to_end;
use strata_proto::strata::storage::v1::{self as pb, storage_service_server::StorageService};
use tonic::{Request, Response, Status};

/// The gRPC service.
#[derive(Debug, Clone)]
pub struct StorageFace {
    arrays: Arc<Arrays>,
}

impl StorageFace {
    /// Over these arrays.
    pub fn new(arrays: Arc<Arrays>) -> Self {
        Self { arrays }
    }
}

/// A call that only looks ends when its caller goes; one that changes something runs to its end (T12).
macro_rules! calls {
    ($(look $look:ident($look_in:ident) -> $look_out:ident by $look_fn:path;)*
     $(act $act:ident($act_in:ident) -> $act_out:ident by $act_fn:path;)*) => {
        #[tonic::async_trait]
        impl StorageService for StorageFace {
            $(async fn $look(&self, request: Request<pb::$look_in>) -> Result<Response<pb::$look_out>, Status> {
                $look_fn(&self.arrays, request.into_inner()).await.map(Response::new)
            })*
            $(async fn $act(&self, request: Request<pb::$act_in>) -> Result<Response<pb::$act_out>, Status> {
                let arrays = self.arrays.clone();
                run_to_end(async move { $act_fn(&arrays, request.into_inner()).await }).await.map(Response::new)
            })*
        }
    };
}

calls! {
    look list_arrays(ListArraysRequest) -> ListArraysResponse by arrays::list;
    look get_array(GetArrayRequest) -> Array by arrays::get;
    look resolve_devices(ResolveDevicesRequest) -> ResolveDevicesResponse by volumes::resolve;
    look list_volumes(ListVolumesRequest) -> ListVolumesResponse by volumes::list;
    look list_snapshots(ListSnapshotsRequest) -> ListSnapshotsResponse by snapshots::list;
    look list_owned(ListOwnedRequest) -> ListOwnedResponse by arrays::list_owned;
    look read_snapshot_file(ReadSnapshotFileRequest) -> ReadSnapshotFileResponse by restore::read_file;
    look preflight(PreflightRequest) -> PreflightResponse by arrays::preflight;
    act ensure_snapshot(EnsureSnapshotRequest) -> EnsureSnapshotResponse by snapshots::ensure;
    act remove_snapshot(RemoveSnapshotRequest) -> RemoveSnapshotResponse by snapshots::remove;
    act ensure_clone(EnsureCloneRequest) -> EnsureCloneResponse by clones::ensure;
    act remove_clone(RemoveCloneRequest) -> RemoveCloneResponse by clones::remove;
    act ensure_export(EnsureExportRequest) -> EnsureExportResponse by exports::ensure;
    act remove_export(RemoveExportRequest) -> RemoveExportResponse by exports::remove;
    act restore_files(RestoreFilesRequest) -> RestoreFilesResponse by restore::files;
    act restore_volume(RestoreVolumeRequest) -> RestoreVolumeResponse by restore::volume;
    act restore_lun(RestoreLunRequest) -> RestoreLunResponse by restore::lun;
}
