//! inventory.v1 as the gateway uses it.

use super::{ACT_TIMEOUT, PAGE_SIZE, PAGES_MAX, Progress, READ_TIMEOUT, progress, request, too_many_pages};
use crate::error::Result;
use strata_kit::upstream::Upstream;
use strata_proto::strata::inventory::v1::{self as pb, inventory_service_client::InventoryServiceClient};

/// A clonable client of inventory-svc.
#[derive(Debug, Clone)]
pub struct Inventory {
    client: InventoryServiceClient<Upstream>,
}

/// Calls that answer at once: name, request, answer, deadline.
macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident($request:ident) -> $answer:ident, $timeout:ident;)+) => {$(
        $(#[$doc])*
        pub async fn $name(&self, message: pb::$request) -> Result<pb::$answer> {
            Ok(self.client.clone().$name(request(message, $timeout)).await?.into_inner())
        }
    )+};
}

/// Calls that may answer Pending.
macro_rules! pending {
    ($($(#[$doc:meta])* $name:ident($request:ident) -> $answer:ident;)+) => {$(
        $(#[$doc])*
        pub async fn $name(&self, message: pb::$request) -> Result<Progress<pb::$answer>> {
            let answer = self.client.clone().$name(request(message, ACT_TIMEOUT)).await?.into_inner();
            Ok(progress(answer.pending.clone(), answer))
        }
    )+};
}

impl Inventory {
    /// Over a connection or an in-process service.
    pub fn new(upstream: Upstream) -> Self {
        Self { client: InventoryServiceClient::new(upstream).max_decoding_message_size(16 << 20) }
    }

    unary! {
        /// See the proto.
        list_vcenters(ListVcentersRequest) -> ListVcentersResponse, READ_TIMEOUT;
        /// See the proto.
        list_vms(ListVmsRequest) -> ListVmsResponse, READ_TIMEOUT;
        /// See the proto.
        get_vm(GetVmRequest) -> Vm, READ_TIMEOUT;
        /// See the proto.
        get_vm_topology(GetVmTopologyRequest) -> VmTopology, READ_TIMEOUT;
        /// See the proto.
        batch_get_vm_topologies(BatchGetVmTopologiesRequest) -> BatchGetVmTopologiesResponse, READ_TIMEOUT;
        /// See the proto.
        observe_devices(ObserveDevicesRequest) -> ObserveDevicesResponse, READ_TIMEOUT;
        /// See the proto.
        rename_datastore(RenameDatastoreRequest) -> RenameDatastoreResponse, ACT_TIMEOUT;
        /// See the proto.
        read_vm_file(ReadVmFileRequest) -> ReadVmFileResponse, READ_TIMEOUT;
        /// See the proto.
        find_vm_files(FindVmFilesRequest) -> FindVmFilesResponse, ACT_TIMEOUT;
        /// See the proto.
        unregister_vm(UnregisterVmRequest) -> UnregisterVmResponse, ACT_TIMEOUT;
        /// See the proto.
        reload_vm(ReloadVmRequest) -> ReloadVmResponse, ACT_TIMEOUT;
        /// See the proto.
        answer_question(AnswerQuestionRequest) -> AnswerQuestionResponse, ACT_TIMEOUT;
        /// See the proto.
        set_vm_identity(SetVmIdentityRequest) -> SetVmIdentityResponse, ACT_TIMEOUT;
        /// See the proto.
        move_disks(MoveDisksRequest) -> MoveDisksResponse, ACT_TIMEOUT;
        /// See the proto.
        remove_aside(RemoveAsideRequest) -> RemoveAsideResponse, ACT_TIMEOUT;
        /// See the proto.
        reset_change_tracking(ResetChangeTrackingRequest) -> ResetChangeTrackingResponse, ACT_TIMEOUT;
        /// See the proto.
        preflight(PreflightRequest) -> PreflightResponse, READ_TIMEOUT;
    }

    pending! {
        /// See the proto.
        quiesce_vm(QuiesceVmRequest) -> QuiesceVmResponse;
        /// See the proto.
        release_vm(ReleaseVmRequest) -> ReleaseVmResponse;
        /// See the proto.
        register_vm(RegisterVmRequest) -> RegisterVmResponse;
        /// See the proto.
        set_vm_power(SetVmPowerRequest) -> SetVmPowerResponse;
        /// See the proto.
        present_volume(PresentVolumeRequest) -> PresentVolumeResponse;
        /// See the proto.
        detach_datastore(DetachDatastoreRequest) -> DetachDatastoreResponse;
        /// See the proto.
        forget_devices(ForgetDevicesRequest) -> ForgetDevicesResponse;
        /// See the proto.
        attach_datastore(AttachDatastoreRequest) -> AttachDatastoreResponse;
        /// See the proto.
        swap_vm_disks(SwapVmDisksRequest) -> SwapVmDisksResponse;
        /// See the proto.
        relocate_vm_disks(RelocateVmDisksRequest) -> RelocateVmDisksResponse;
        /// See the proto.
        revert_vm_snapshot(RevertVmSnapshotRequest) -> RevertVmSnapshotResponse;
        /// See the proto.
        remove_vm_snapshots(RemoveVmSnapshotsRequest) -> RemoveVmSnapshotsResponse;
    }

    /// All VMs of a vCenter (or of all, with `vcenters/-`) as read from vCenter now, and the vCenters that did not answer.
    pub async fn all_vms(&self, parent: &str, display_name: &str) -> Result<(Vec<pb::Vm>, Vec<String>)> {
        let mut message = pb::ListVmsRequest {
            parent: parent.to_owned(),
            page_size: PAGE_SIZE,
            page_token: String::new(),
            display_name: display_name.to_owned(),
            fresh: true,
            ..pb::ListVmsRequest::default()
        };
        let (mut vms, mut unreachable) = (Vec::new(), Vec::new());
        for _ in 0..PAGES_MAX {
            let page = self.list_vms(message.clone()).await?;
            vms.extend(page.vms);
            unreachable
                .extend(page.unreachable.into_iter().filter(|name| !unreachable.contains(name)).collect::<Vec<_>>());
            if page.next_page_token.is_empty() {
                return Ok((vms, unreachable));
            }
            message.page_token = page.next_page_token;
        }
        Err(too_many_pages("VMs"))
    }

    /// All datastores of all vCenters as read now, and the vCenters that did not answer.
    pub async fn all_datastores(&self) -> Result<(Vec<pb::Datastore>, Vec<String>)> {
        let mut message = pb::ListDatastoresRequest {
            parent: "vcenters/-".to_owned(),
            page_size: PAGE_SIZE,
            fresh: true,
            ..pb::ListDatastoresRequest::default()
        };
        let (mut datastores, mut unreachable) = (Vec::new(), Vec::new());
        for _ in 0..PAGES_MAX {
            let page = self.client.clone().list_datastores(request(message.clone(), READ_TIMEOUT)).await?.into_inner();
            datastores.extend(page.datastores);
            unreachable
                .extend(page.unreachable.into_iter().filter(|name| !unreachable.contains(name)).collect::<Vec<_>>());
            if page.next_page_token.is_empty() {
                return Ok((datastores, unreachable));
            }
            message.page_token = page.next_page_token;
        }
        Err(too_many_pages("datastores"))
    }

    /// All hosts of one vCenter as read now.
    pub async fn all_hosts(&self, vcenter: &str) -> Result<Vec<pb::Host>> {
        let mut message = pb::ListHostsRequest {
            parent: vcenter.to_owned(),
            page_size: PAGE_SIZE,
            fresh: true,
            ..Default::default()
        };
        let mut hosts = Vec::new();
        for _ in 0..PAGES_MAX {
            let page = self.client.clone().list_hosts(request(message.clone(), READ_TIMEOUT)).await?.into_inner();
            hosts.extend(page.hosts);
            if page.next_page_token.is_empty() {
                return Ok(hosts);
            }
            message.page_token = page.next_page_token;
        }
        Err(too_many_pages("hosts"))
    }
}
