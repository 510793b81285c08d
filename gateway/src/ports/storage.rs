//! storage.v1 as the gateway uses it.

use super::{ACT_TIMEOUT, PAGE_SIZE, PAGES_MAX, Progress, READ_TIMEOUT, progress, request, too_many_pages};
use crate::error::{GatewayError, Result};
use strata_kit::upstream::Upstream;
use strata_proto::strata::storage::v1::{
    self as pb, ensure_clone_response, ensure_snapshot_response, storage_service_client::StorageServiceClient,
};

/// A clonable client of storage-svc.
#[derive(Debug, Clone)]
pub struct Storage {
    client: StorageServiceClient<Upstream>,
}

impl Storage {
    /// Over a connection or an in-process service.
    pub fn new(upstream: Upstream) -> Self {
        Self { client: StorageServiceClient::new(upstream).max_decoding_message_size(16 << 20) }
    }

    /// All configured arrays.
    pub async fn list_arrays(&self) -> Result<Vec<pb::Array>> {
        Ok(self.client.clone().list_arrays(request(pb::ListArraysRequest {}, READ_TIMEOUT)).await?.into_inner().arrays)
    }

    /// One array by name.
    pub async fn get_array(&self, name: &str) -> Result<pb::Array> {
        let message = pb::GetArrayRequest { name: name.to_owned() };
        Ok(self.client.clone().get_array(request(message, READ_TIMEOUT)).await?.into_inner())
    }

    /// The volumes behind devices.
    pub async fn resolve_devices(&self, devices: Vec<pb::Device>) -> Result<pb::ResolveDevicesResponse> {
        let message = pb::ResolveDevicesRequest { devices };
        Ok(self.client.clone().resolve_devices(request(message, READ_TIMEOUT)).await?.into_inner())
    }

    /// See the proto.
    pub async fn ensure_snapshot(&self, message: pb::EnsureSnapshotRequest) -> Result<Progress<pb::ArraySnapshot>> {
        let answer = self.client.clone().ensure_snapshot(request(message, ACT_TIMEOUT)).await?.into_inner();
        match answer.outcome {
            Some(ensure_snapshot_response::Outcome::Snapshot(snapshot)) => Ok(Progress::Ready(snapshot)),
            Some(ensure_snapshot_response::Outcome::Pending(pending)) => Ok(Progress::Pending(pending)),
            None => Err(GatewayError::unexpected("storage-svc answered EnsureSnapshot without an outcome")),
        }
    }

    /// See the proto.
    pub async fn remove_snapshot(&self, message: pb::RemoveSnapshotRequest) -> Result<Progress<()>> {
        let answer = self.client.clone().remove_snapshot(request(message, ACT_TIMEOUT)).await?.into_inner();
        Ok(progress(answer.pending, ()))
    }

    /// See the proto.
    pub async fn ensure_clone(&self, message: pb::EnsureCloneRequest) -> Result<Progress<pb::ArrayClone>> {
        let answer = self.client.clone().ensure_clone(request(message, ACT_TIMEOUT)).await?.into_inner();
        match answer.outcome {
            Some(ensure_clone_response::Outcome::Clone(clone)) => Ok(Progress::Ready(clone)),
            Some(ensure_clone_response::Outcome::Pending(pending)) => Ok(Progress::Pending(pending)),
            None => Err(GatewayError::unexpected("storage-svc answered EnsureClone without an outcome")),
        }
    }

    /// See the proto.
    pub async fn remove_clone(&self, message: pb::RemoveCloneRequest) -> Result<Progress<()>> {
        let answer = self.client.clone().remove_clone(request(message, ACT_TIMEOUT)).await?.into_inner();
        Ok(progress(answer.pending, ()))
    }

    /// See the proto.
    pub async fn ensure_export(&self, message: pb::EnsureExportRequest) -> Result<Progress<pb::EnsureExportResponse>> {
        let answer = self.client.clone().ensure_export(request(message, ACT_TIMEOUT)).await?.into_inner();
        Ok(progress(answer.pending.clone(), answer))
    }

    /// See the proto.
    pub async fn remove_export(&self, message: pb::RemoveExportRequest) -> Result<Progress<()>> {
        let answer = self.client.clone().remove_export(request(message, ACT_TIMEOUT)).await?.into_inner();
        Ok(progress(answer.pending, ()))
    }

    /// See the proto.
    pub async fn restore_volume(&self, message: pb::RestoreVolumeRequest) -> Result<Progress<()>> {
        let answer = self.client.clone().restore_volume(request(message, ACT_TIMEOUT)).await?.into_inner();
        Ok(progress(answer.pending, ()))
    }

    /// See the proto.
    pub async fn restore_lun(&self, message: pb::RestoreLunRequest) -> Result<Progress<()>> {
        let answer = self.client.clone().restore_lun(request(message, ACT_TIMEOUT)).await?.into_inner();
        Ok(progress(answer.pending, ()))
    }

    /// See the proto.
    pub async fn restore_files(&self, message: pb::RestoreFilesRequest) -> Result<Progress<pb::RestoreFilesResponse>> {
        let answer = self.client.clone().restore_files(request(message, ACT_TIMEOUT)).await?.into_inner();
        Ok(progress(answer.pending.clone(), answer))
    }

    /// A small file of a snapshot.
    pub async fn read_snapshot_file(&self, volume: &str, snapshot_id: &str, path: &str) -> Result<Vec<u8>> {
        let message = pb::ReadSnapshotFileRequest {
            volume: volume.to_owned(),
            snapshot_id: snapshot_id.to_owned(),
            path: path.to_owned(),
        };
        Ok(self.client.clone().read_snapshot_file(request(message, READ_TIMEOUT)).await?.into_inner().content)
    }

    /// Everything on an array that carries an installation's mark.
    pub async fn all_owned(&self, array: &str, installation: &str) -> Result<Vec<pb::Owned>> {
        let mut message = pb::ListOwnedRequest {
            parent: array.to_owned(),
            installation: installation.to_owned(),
            page_size: PAGE_SIZE,
            page_token: String::new(),
        };
        let mut owned = Vec::new();
        for _ in 0..PAGES_MAX {
            let page = self.client.clone().list_owned(request(message.clone(), READ_TIMEOUT)).await?.into_inner();
            owned.extend(page.owned);
            if page.next_page_token.is_empty() {
                return Ok(owned);
            }
            message.page_token = page.next_page_token;
        }
        Err(too_many_pages("marked objects"))
    }

    /// What is missing on an array.
    pub async fn preflight(&self, array: &str) -> Result<pb::PreflightResponse> {
        let message = pb::PreflightRequest { array: array.to_owned() };
        Ok(self.client.clone().preflight(request(message, READ_TIMEOUT)).await?.into_inner())
    }
}
