//! The service of the contract. Reading ends with the caller; every mutation runs to its end.

use super::{lists, status::to_status, vms, watch};
use crate::{acts, preflight, topology::pb, vcenter::Error, vcenters::Vcenters};
use pb::inventory_service_server::InventoryService;
use std::future::Future;
use strata_kit::mutation::run_to_end;
use tonic::{Request, Response, Status};

/// See the module.
#[derive(Debug, Clone)]
pub struct InventoryFace {
    vcenters: Vcenters,
}

impl InventoryFace {
    /// Over these vCenters.
    pub fn new(vcenters: Vcenters) -> Self {
        Self { vcenters }
    }

    async fn act<Q, A, F>(&self, request: Request<Q>, act: impl FnOnce(Vcenters, Q) -> F) -> Reply<A>
    where
        A: Send + 'static,
        F: Future<Output = Result<A, Error>> + Send + 'static,
    {
        let vcenters = self.vcenters.clone();
        let acting = act(vcenters.clone(), request.into_inner());
        let to_end = async move {
            let outcome = acting.await;
            // Also after a failure, which may have done a part.
            vcenters.caches().all().for_each(|cache| cache.acted());
            outcome.map_err(|error| to_status(&error))
        };
        run_to_end(to_end).await.map(Response::new)
    }
}

type Reply<A> = Result<Response<A>, Status>;

fn reply<A>(answer: Result<A, Error>) -> Reply<A> {
    answer.map(Response::new).map_err(|error| to_status(&error))
}

#[tonic::async_trait]
impl InventoryService for InventoryFace {
    async fn list_vcenters(&self, _: Request<pb::ListVcentersRequest>) -> Reply<pb::ListVcentersResponse> {
        Ok(Response::new(lists::vcenters(&self.vcenters).await))
    }

    async fn list_vms(&self, request: Request<pb::ListVmsRequest>) -> Reply<pb::ListVmsResponse> {
        reply(lists::vms(&self.vcenters, request.into_inner()).await)
    }

    async fn get_vm(&self, request: Request<pb::GetVmRequest>) -> Reply<pb::Vm> {
        reply(vms::vm(&self.vcenters, request.into_inner()).await)
    }

    async fn get_vm_topology(&self, request: Request<pb::GetVmTopologyRequest>) -> Reply<pb::VmTopology> {
        reply(vms::topology(&self.vcenters, request.into_inner()).await)
    }

    async fn batch_get_vm_topologies(
        &self,
        request: Request<pb::BatchGetVmTopologiesRequest>,
    ) -> Reply<pb::BatchGetVmTopologiesResponse> {
        reply(vms::topologies(&self.vcenters, request.into_inner()).await)
    }

    type WatchInventoryStream = watch::News;

    async fn watch_inventory(&self, request: Request<pb::WatchInventoryRequest>) -> Reply<watch::News> {
        reply(watch::start(&self.vcenters, &request.into_inner()))
    }

    async fn list_datastores(&self, request: Request<pb::ListDatastoresRequest>) -> Reply<pb::ListDatastoresResponse> {
        reply(lists::datastores(&self.vcenters, request.into_inner()).await)
    }

    async fn get_datastore(&self, request: Request<pb::GetDatastoreRequest>) -> Reply<pb::Datastore> {
        reply(vms::datastore(&self.vcenters, request.into_inner()).await)
    }

    async fn list_hosts(&self, request: Request<pb::ListHostsRequest>) -> Reply<pb::ListHostsResponse> {
        reply(lists::hosts(&self.vcenters, request.into_inner()).await)
    }

    async fn quiesce_vm(&self, request: Request<pb::QuiesceVmRequest>) -> Reply<pb::QuiesceVmResponse> {
        self.act(request, acts::quiesce_vm::run).await
    }

    async fn release_vm(&self, request: Request<pb::ReleaseVmRequest>) -> Reply<pb::ReleaseVmResponse> {
        self.act(request, acts::release_vm::run).await
    }

    async fn present_volume(&self, request: Request<pb::PresentVolumeRequest>) -> Reply<pb::PresentVolumeResponse> {
        self.act(request, acts::present_volume::run).await
    }

    async fn detach_datastore(
        &self,
        request: Request<pb::DetachDatastoreRequest>,
    ) -> Reply<pb::DetachDatastoreResponse> {
        self.act(request, acts::detach_datastore::run).await
    }

    async fn observe_devices(&self, request: Request<pb::ObserveDevicesRequest>) -> Reply<pb::ObserveDevicesResponse> {
        reply(acts::observe_devices::run(self.vcenters.clone(), request.into_inner()).await)
    }

    async fn forget_devices(&self, request: Request<pb::ForgetDevicesRequest>) -> Reply<pb::ForgetDevicesResponse> {
        self.act(request, acts::forget_devices::run).await
    }

    async fn attach_datastore(
        &self,
        request: Request<pb::AttachDatastoreRequest>,
    ) -> Reply<pb::AttachDatastoreResponse> {
        self.act(request, acts::attach_datastore::run).await
    }

    async fn rename_datastore(
        &self,
        request: Request<pb::RenameDatastoreRequest>,
    ) -> Reply<pb::RenameDatastoreResponse> {
        self.act(request, acts::rename_datastore::run).await
    }

    async fn swap_vm_disks(&self, request: Request<pb::SwapVmDisksRequest>) -> Reply<pb::SwapVmDisksResponse> {
        self.act(request, acts::swap_vm_disks::run).await
    }

    async fn relocate_vm_disks(
        &self,
        request: Request<pb::RelocateVmDisksRequest>,
    ) -> Reply<pb::RelocateVmDisksResponse> {
        self.act(request, acts::relocate_vm_disks::run).await
    }

    async fn revert_vm_snapshot(
        &self,
        request: Request<pb::RevertVmSnapshotRequest>,
    ) -> Reply<pb::RevertVmSnapshotResponse> {
        self.act(request, acts::revert_vm_snapshot::run).await
    }

    async fn read_vm_file(&self, request: Request<pb::ReadVmFileRequest>) -> Reply<pb::ReadVmFileResponse> {
        reply(acts::read_vm_file::run(self.vcenters.clone(), request.into_inner()).await)
    }

    async fn find_vm_files(&self, request: Request<pb::FindVmFilesRequest>) -> Reply<pb::FindVmFilesResponse> {
        reply(acts::find_vm_files::run(self.vcenters.clone(), request.into_inner()).await)
    }

    async fn register_vm(&self, request: Request<pb::RegisterVmRequest>) -> Reply<pb::RegisterVmResponse> {
        self.act(request, acts::register_vm::run).await
    }

    async fn unregister_vm(&self, request: Request<pb::UnregisterVmRequest>) -> Reply<pb::UnregisterVmResponse> {
        self.act(request, acts::unregister_vm::run).await
    }

    async fn reload_vm(&self, request: Request<pb::ReloadVmRequest>) -> Reply<pb::ReloadVmResponse> {
        self.act(request, acts::reload_vm::run).await
    }

    async fn answer_question(&self, request: Request<pb::AnswerQuestionRequest>) -> Reply<pb::AnswerQuestionResponse> {
        self.act(request, acts::answer_question::run).await
    }

    async fn set_vm_power(&self, request: Request<pb::SetVmPowerRequest>) -> Reply<pb::SetVmPowerResponse> {
        self.act(request, acts::set_vm_power::run).await
    }

    async fn set_vm_identity(&self, request: Request<pb::SetVmIdentityRequest>) -> Reply<pb::SetVmIdentityResponse> {
        self.act(request, acts::set_vm_identity::run).await
    }

    async fn move_disks(&self, request: Request<pb::MoveDisksRequest>) -> Reply<pb::MoveDisksResponse> {
        self.act(request, acts::move_disks::run).await
    }

    async fn remove_aside(&self, request: Request<pb::RemoveAsideRequest>) -> Reply<pb::RemoveAsideResponse> {
        self.act(request, acts::remove_aside::run).await
    }

    async fn reset_change_tracking(
        &self,
        request: Request<pb::ResetChangeTrackingRequest>,
    ) -> Reply<pb::ResetChangeTrackingResponse> {
        self.act(request, acts::reset_change_tracking::run).await
    }

    async fn remove_vm_snapshots(
        &self,
        request: Request<pb::RemoveVmSnapshotsRequest>,
    ) -> Reply<pb::RemoveVmSnapshotsResponse> {
        self.act(request, acts::remove_vm_snapshots::run).await
    }

    async fn consolidate(&self, request: Request<pb::ConsolidateRequest>) -> Reply<pb::ConsolidateResponse> {
        self.act(request, acts::consolidate::run).await
    }

    async fn preflight(&self, request: Request<pb::PreflightRequest>) -> Reply<pb::PreflightResponse> {
        reply(preflight::run(&self.vcenters, request.into_inner()).await)
    }

    async fn check_session(&self, request: Request<pb::CheckSessionRequest>) -> Reply<pb::CheckSessionResponse> {
        self.act(request, |vcenters, request| async move {
            let client = vcenters.by_name("vcenter", &request.vcenter)?;
            client.check().await?;
            Ok(pb::CheckSessionResponse { vcenter: Some(lists::vcenter(&vcenters, &client).await) })
        })
        .await
    }
}
