//! The gRPC face: thin. A request is checked in form, planned, and handed to the engine; answers are read from catalog and
//! journal.

mod clones;
mod convert;
mod kept_disks;
mod operations;
mod paging;
mod plan;
mod plans;
mod preflight;
mod snapshots;
mod submit;
mod vms;
mod watch;
mod wish;

use crate::{deps::Deps, plan::NameAllocator};
use std::sync::Arc;
use strata_proto::{
    google::longrunning::operations_server::OperationsServer,
    strata::gateway::v1::{
        clone_service_server::CloneServiceServer, operation_service_server::OperationServiceServer,
        plan_service_server::PlanServiceServer, snapshot_service_server::SnapshotServiceServer,
        vm_service_server::VmServiceServer,
    },
};
use strata_saga::Engine;
use tonic::service::Routes;

/// Everything that answers.
#[derive(Clone)]
pub struct Api {
    deps: Deps,
    engine: Engine,
    names: Arc<NameAllocator>,
    plans: Arc<plans::ShownPlans>,
}

/// The names of the services, for health and reflection.
pub const SERVICE_NAMES: [&str; 6] = [
    "strata.gateway.v1.VmService",
    "strata.gateway.v1.SnapshotService",
    "strata.gateway.v1.CloneService",
    "strata.gateway.v1.OperationService",
    "strata.gateway.v1.PlanService",
    "google.longrunning.Operations",
];

impl Api {
    /// Over what operations act through, and the engine that runs them.
    pub fn new(deps: Deps, engine: Engine, names: Arc<NameAllocator>) -> Self {
        Self { deps, engine, names, plans: Arc::default() }
    }

    /// All services, ready to be served.
    pub fn routes(&self) -> Routes {
        Routes::default()
            .add_service(VmServiceServer::new(self.clone()))
            .add_service(SnapshotServiceServer::new(self.clone()))
            .add_service(CloneServiceServer::new(self.clone()))
            .add_service(OperationServiceServer::new(self.clone()))
            .add_service(PlanServiceServer::new(self.clone()))
            .add_service(OperationsServer::new(self.clone()))
    }
}
