//! The verbs of the gateway as a test writes them: what is asked, and either the answer or the error, whether it came at
//! once or as the operation's end.

use super::{Finished, House};
use prost::Message;
use strata_kit::status::ErrorReport;
use strata_proto::{
    google::longrunning::Operation,
    strata::{
        common::v1::Grade,
        gateway::v1::{
            self as pb, clone_service_client::CloneServiceClient, plan_service_client::PlanServiceClient,
            snapshot_service_client::SnapshotServiceClient, vm_service_client::VmServiceClient,
        },
    },
};
use tonic::{Response, Status};

/// How it ended. Errors of the test's own machinery are anyhow's and lie outside.
pub type Outcome<T> = Result<T, ErrorReport>;

impl House {
    /// Waits for the end of an operation that may not even have begun.
    pub async fn ended<M: Message + Default>(
        &self,
        operation: Result<Response<Operation>, Status>,
    ) -> anyhow::Result<Outcome<M>> {
        let operation = match operation {
            Ok(operation) => operation,
            Err(status) => return Ok(Err(ErrorReport::from_status(&status))),
        };
        match self.finish(Ok(operation)).await? {
            Finished::Well(any) => Ok(Ok(M::decode(any.value.as_slice())?)),
            Finished::Badly(status) => Ok(Err(ErrorReport::from_status(&status))),
        }
    }

    /// Snapshot of a VM by full or display name, with what the test changes in the request.
    pub async fn snapshot(
        &self,
        vm: &str,
        change: impl FnOnce(&mut pb::CreateSnapshotRequest),
    ) -> anyhow::Result<Outcome<pb::Snapshot>> {
        let mut request =
            pb::CreateSnapshotRequest { vm: self.named(vm).await?, grade: Grade::Crash.into(), ..Default::default() };
        change(&mut request);
        let mut client = SnapshotServiceClient::new(self.upstream.clone());
        self.ended(client.create_snapshot(request).await).await
    }

    /// Clone of a restore point.
    pub async fn clone_of(
        &self,
        snapshot: &str,
        name: &str,
        change: impl FnOnce(&mut pb::CreateCloneRequest),
    ) -> anyhow::Result<Outcome<pb::Clone>> {
        let mut request =
            pb::CreateCloneRequest { snapshot: snapshot.into(), display_name: name.into(), ..Default::default() };
        change(&mut request);
        let mut client = CloneServiceClient::new(self.upstream.clone());
        self.ended(client.create_clone(request).await).await
    }

    /// Revert of a VM by full or display name.
    pub async fn revert(
        &self,
        vm: &str,
        snapshot: &str,
        change: impl FnOnce(&mut pb::RevertVmRequest),
    ) -> anyhow::Result<Outcome<pb::RevertVmResponse>> {
        let mut request =
            pb::RevertVmRequest { vm: self.named(vm).await?, snapshot: snapshot.into(), ..Default::default() };
        change(&mut request);
        let mut client = VmServiceClient::new(self.upstream.clone());
        self.ended(client.revert_vm(request).await).await
    }

    /// Removal of a restore point.
    pub async fn delete_snapshot(&self, name: &str) -> anyhow::Result<Outcome<()>> {
        let mut client = SnapshotServiceClient::new(self.upstream.clone());
        let request = pb::DeleteSnapshotRequest { name: name.into(), ..Default::default() };
        self.ended(client.delete_snapshot(request).await).await
    }

    /// Removal of a clone.
    pub async fn delete_clone(&self, name: &str, power_off: bool) -> anyhow::Result<Outcome<()>> {
        let mut client = CloneServiceClient::new(self.upstream.clone());
        let request = pb::DeleteCloneRequest { name: name.into(), power_off, ..Default::default() };
        self.ended(client.delete_clone(request).await).await
    }

    /// What would be done.
    pub async fn plan(&self, request: pb::plan_request::Request) -> anyhow::Result<Outcome<pb::PlanResponse>> {
        let mut client = PlanServiceClient::new(self.upstream.clone());
        let answer = client.plan(pb::PlanRequest { request: Some(request) }).await;
        Ok(answer.map(Response::into_inner).map_err(|status| ErrorReport::from_status(&status)))
    }

    /// A full name stays; a display name is looked up.
    async fn named(&self, vm: &str) -> anyhow::Result<String> {
        if vm.starts_with("vcenters/") { Ok(vm.to_owned()) } else { self.vm(vm).await }
    }

    /// vCenter's id of a VM by name.
    pub fn moref(&self, vm: &str) -> String {
        self.vcenter.with(|state| {
            let found = state.vms.iter().find(|(_, found)| found.config.name == vm);
            found.map(|(id, _)| id.clone()).unwrap_or_default()
        })
    }
}
