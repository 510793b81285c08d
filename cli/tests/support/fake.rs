//! A gateway that answers from a script, over real gRPC on a free port of 127.0.0.1.

use super::objects;
use std::{
    collections::{BTreeMap, VecDeque},
    pin::Pin,
    sync::{Arc, Mutex},
};
use strata_proto::{google::longrunning as lro, strata::gateway::v1 as pb};
use tokio::{net::TcpListener, sync::Notify};
use tokio_stream::{Stream, wrappers::TcpListenerStream};
use tonic::{Request, Response, Status};

/// What the gateway answers, and what it was asked.
#[derive(Default)]
pub struct Script {
    pub vms: Vec<pb::Vm>,
    pub snapshots: Vec<pb::Snapshot>,
    pub clones: Vec<pb::Clone>,
    pub unreachable: Vec<String>,
    /// By method; taken in order, before the real answer.
    pub refusals: BTreeMap<&'static str, VecDeque<Status>>,
    /// What every change answers.
    pub operation: lro::Operation,
    pub events: Vec<pb::WatchOperationResponse>,
    /// The watch breaks with these after so many events each.
    pub breaks: VecDeque<(usize, Status)>,
    /// The watch never ends by itself.
    pub hangs: bool,
    /// At most so many objects a page.
    pub page: usize,
    /// `method request_id` of every change, and `watch after_sequence`.
    pub asked: Vec<String>,
}

/// Handed out by [`start`].
#[derive(Clone)]
pub struct Fake {
    pub script: Arc<Mutex<Script>>,
    pub url: String,
    /// Told when a watch that hangs has shown all its events.
    pub watched: Arc<Notify>,
}

/// Starts one with the usual objects.
pub async fn start() -> Fake {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let response = objects::any("strata.gateway.v1.Snapshot", &objects::snapshot());
    let script = Script {
        vms: objects::vms(),
        snapshots: vec![objects::snapshot()],
        clones: vec![objects::clone()],
        operation: objects::accepted(),
        events: objects::events(response),
        page: 2,
        ..Script::default()
    };
    let fake = Fake { script: Arc::new(Mutex::new(script)), url, watched: Arc::default() };
    let server = tonic::transport::Server::builder()
        .add_service(pb::vm_service_server::VmServiceServer::new(fake.clone()))
        .add_service(pb::snapshot_service_server::SnapshotServiceServer::new(fake.clone()))
        .add_service(pb::clone_service_server::CloneServiceServer::new(fake.clone()))
        .add_service(pb::plan_service_server::PlanServiceServer::new(fake.clone()))
        .add_service(pb::operation_service_server::OperationServiceServer::new(fake.clone()))
        .add_service(lro::operations_server::OperationsServer::new(fake.clone()));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    fake
}

impl Fake {
    /// Changes the script.
    pub fn set(&self, act: impl FnOnce(&mut Script)) {
        act(&mut self.script.lock().unwrap());
    }

    /// What it was asked since the last look.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.script.lock().unwrap().asked)
    }

    fn refuse(&self, method: &'static str) -> Result<(), Status> {
        let mut script = self.script.lock().unwrap();
        match script.refusals.get_mut(method).and_then(VecDeque::pop_front) {
            Some(status) => Err(status),
            None => Ok(()),
        }
    }

    fn change(&self, method: &'static str, request_id: &str) -> Result<Response<lro::Operation>, Status> {
        self.script.lock().unwrap().asked.push(format!("{method} {request_id}"));
        self.refuse(method)?;
        Ok(Response::new(self.script.lock().unwrap().operation.clone()))
    }

    fn page<T: Clone>(&self, all: &[T], token: &str) -> (Vec<T>, String) {
        let page = self.script.lock().unwrap().page;
        let start: usize = token.parse().unwrap_or(0);
        let end = all.len().min(start + page);
        let next = if end < all.len() { end.to_string() } else { String::new() };
        (all[start..end].to_vec(), next)
    }
}

fn found<T>(object: Option<T>, name: &str) -> Result<Response<T>, Status> {
    object.map(Response::new).ok_or_else(|| Status::not_found(format!("{name} does not exist")))
}

#[tonic::async_trait]
impl pb::vm_service_server::VmService for Fake {
    async fn list_vms(&self, request: Request<pb::ListVmsRequest>) -> Result<Response<pb::ListVmsResponse>, Status> {
        self.refuse("list_vms")?;
        let request = request.into_inner();
        if !["vcenters/-", "vcenters/vc-1", "vcenters/vc-2"].contains(&request.parent.as_str()) {
            return Err(Status::not_found(format!("{} is not configured", request.parent)));
        }
        let (vms, unreachable) = {
            let script = self.script.lock().unwrap();
            (script.vms.clone(), script.unreachable.clone())
        };
        let prefix = request.parent.trim_end_matches('-').to_owned();
        let all: Vec<pb::Vm> = vms
            .into_iter()
            .filter(|vm| vm.name.starts_with(&prefix))
            .filter(|vm| request.display_name.is_empty() || vm.display_name == request.display_name)
            .map(|vm| pb::Vm { detail: None, ..vm })
            .collect();
        let (vms, next_page_token) = self.page(&all, &request.page_token);
        Ok(Response::new(pb::ListVmsResponse { vms, next_page_token, unreachable, freshness: Vec::new() }))
    }

    async fn get_vm(&self, request: Request<pb::GetVmRequest>) -> Result<Response<pb::Vm>, Status> {
        self.refuse("get_vm")?;
        let name = request.into_inner().name;
        found(self.script.lock().unwrap().vms.iter().find(|vm| vm.name == name).cloned(), &name)
    }

    async fn revert_vm(&self, request: Request<pb::RevertVmRequest>) -> Result<Response<lro::Operation>, Status> {
        self.change("revert_vm", &request.into_inner().request_id)
    }

    async fn commit_revert(
        &self,
        request: Request<pb::CommitRevertRequest>,
    ) -> Result<Response<lro::Operation>, Status> {
        self.change("commit_revert", &request.into_inner().request_id)
    }
}

#[tonic::async_trait]
impl pb::snapshot_service_server::SnapshotService for Fake {
    async fn create_snapshot(
        &self,
        request: Request<pb::CreateSnapshotRequest>,
    ) -> Result<Response<lro::Operation>, Status> {
        self.change("create_snapshot", &request.into_inner().request_id)
    }

    async fn list_snapshots(
        &self,
        request: Request<pb::ListSnapshotsRequest>,
    ) -> Result<Response<pb::ListSnapshotsResponse>, Status> {
        self.refuse("list_snapshots")?;
        let request = request.into_inner();
        let all: Vec<pb::Snapshot> = self.script.lock().unwrap().snapshots.clone();
        let all: Vec<pb::Snapshot> = all
            .into_iter()
            .filter(|one| request.display_name.is_empty() || one.display_name == request.display_name)
            .filter(|one| request.parent == "vcenters/-/vms/-" || request.parent == one.vm)
            .collect();
        let (snapshots, next_page_token) = self.page(&all, &request.page_token);
        Ok(Response::new(pb::ListSnapshotsResponse { snapshots, next_page_token }))
    }

    async fn get_snapshot(&self, request: Request<pb::GetSnapshotRequest>) -> Result<Response<pb::Snapshot>, Status> {
        let name = request.into_inner().name;
        found(self.script.lock().unwrap().snapshots.iter().find(|one| one.name == name).cloned(), &name)
    }

    async fn delete_snapshot(
        &self,
        request: Request<pb::DeleteSnapshotRequest>,
    ) -> Result<Response<lro::Operation>, Status> {
        self.change("delete_snapshot", &request.into_inner().request_id)
    }
}

#[tonic::async_trait]
impl pb::clone_service_server::CloneService for Fake {
    async fn create_clone(&self, request: Request<pb::CreateCloneRequest>) -> Result<Response<lro::Operation>, Status> {
        self.change("create_clone", &request.into_inner().request_id)
    }

    async fn list_clones(
        &self,
        request: Request<pb::ListClonesRequest>,
    ) -> Result<Response<pb::ListClonesResponse>, Status> {
        let request = request.into_inner();
        let all: Vec<pb::Clone> = self.script.lock().unwrap().clones.clone();
        let all: Vec<pb::Clone> = all
            .into_iter()
            .filter(|one| request.display_name.is_empty() || one.display_name == request.display_name)
            .filter(|one| request.snapshot.is_empty() || one.snapshot == request.snapshot)
            .collect();
        let (clones, next_page_token) = self.page(&all, &request.page_token);
        Ok(Response::new(pb::ListClonesResponse { clones, next_page_token }))
    }

    async fn get_clone(&self, request: Request<pb::GetCloneRequest>) -> Result<Response<pb::Clone>, Status> {
        let name = request.into_inner().name;
        found(self.script.lock().unwrap().clones.iter().find(|one| one.name == name).cloned(), &name)
    }

    async fn delete_clone(&self, request: Request<pb::DeleteCloneRequest>) -> Result<Response<lro::Operation>, Status> {
        self.change("delete_clone", &request.into_inner().request_id)
    }
}

#[tonic::async_trait]
impl pb::plan_service_server::PlanService for Fake {
    async fn plan(&self, _: Request<pb::PlanRequest>) -> Result<Response<pb::PlanResponse>, Status> {
        self.refuse("plan")?;
        Ok(Response::new(objects::plan()))
    }

    async fn preflight(&self, _: Request<pb::PreflightRequest>) -> Result<Response<pb::PreflightResponse>, Status> {
        self.refuse("preflight")?;
        Ok(Response::new(objects::preflight()))
    }
}

#[tonic::async_trait]
impl pb::operation_service_server::OperationService for Fake {
    type WatchOperationStream = Pin<Box<dyn Stream<Item = Result<pb::WatchOperationResponse, Status>> + Send>>;

    async fn watch_operation(
        &self,
        request: Request<pb::WatchOperationRequest>,
    ) -> Result<Response<Self::WatchOperationStream>, Status> {
        let after = request.into_inner().after_sequence;
        self.script.lock().unwrap().asked.push(format!("watch_operation {after}"));
        self.refuse("watch_operation")?;
        let mut script = self.script.lock().unwrap();
        let mut items: Vec<Result<_, Status>> =
            script.events.iter().filter(|event| event.sequence > after).cloned().map(Ok).collect();
        if let Some((count, status)) = script.breaks.pop_front() {
            items.truncate(count);
            items.push(Err(status));
        }
        let events = tokio_stream::iter(items);
        if !script.hangs {
            return Ok(Response::new(Box::pin(events)));
        }
        let watched = self.watched.clone();
        let end = futures::stream::once(async move {
            watched.notify_one();
            std::future::pending::<Result<pb::WatchOperationResponse, Status>>().await
        });
        Ok(Response::new(Box::pin(futures::StreamExt::chain(events, end))))
    }

    async fn resolve_operation(
        &self,
        request: Request<pb::ResolveOperationRequest>,
    ) -> Result<Response<pb::ResolveOperationResponse>, Status> {
        let request = request.into_inner();
        self.script.lock().unwrap().asked.push(format!("resolve_operation {}", request.reason));
        self.refuse("resolve_operation")?;
        let metadata = objects::metadata(pb::OperationState::Undoing, &[]);
        Ok(Response::new(pb::ResolveOperationResponse { metadata: Some(metadata) }))
    }
}

#[tonic::async_trait]
impl lro::operations_server::Operations for Fake {
    async fn list_operations(
        &self,
        _: Request<lro::ListOperationsRequest>,
    ) -> Result<Response<lro::ListOperationsResponse>, Status> {
        let operations = vec![self.script.lock().unwrap().operation.clone()];
        Ok(Response::new(lro::ListOperationsResponse { operations, ..lro::ListOperationsResponse::default() }))
    }

    async fn get_operation(
        &self,
        request: Request<lro::GetOperationRequest>,
    ) -> Result<Response<lro::Operation>, Status> {
        let name = request.into_inner().name;
        let operation = self.script.lock().unwrap().operation.clone();
        found(Some(operation).filter(|operation| operation.name == name), &name)
    }

    async fn delete_operation(&self, _: Request<lro::DeleteOperationRequest>) -> Result<Response<()>, Status> {
        Err(Status::unimplemented("operations stay in the journal"))
    }

    async fn cancel_operation(&self, request: Request<lro::CancelOperationRequest>) -> Result<Response<()>, Status> {
        self.script.lock().unwrap().asked.push(format!("cancel_operation {}", request.into_inner().name));
        self.refuse("cancel_operation")?;
        self.set(|script| script.hangs = false);
        Ok(Response::new(()))
    }

    async fn wait_operation(&self, _: Request<lro::WaitOperationRequest>) -> Result<Response<lro::Operation>, Status> {
        Err(Status::unimplemented("watch instead"))
    }
}
