//! gateway.v1.SnapshotService.

use super::{Api, convert, paging, submit::Asked, wish};
use crate::{
    error::{GatewayError, Result},
    operations::{CreateSnapshot, DeleteSnapshot},
    plan,
};
use strata_model::names;
use strata_proto::{
    google::longrunning::Operation,
    strata::gateway::v1::{self as pb, snapshot_service_server::SnapshotService},
};
use strata_saga::Operation as _;
use tonic::{Request, Response, Status};

#[tonic::async_trait]
impl SnapshotService for Api {
    async fn create_snapshot(
        &self,
        request: Request<pb::CreateSnapshotRequest>,
    ) -> Result<Response<Operation>, Status> {
        let (metadata, _, message) = request.into_parts();
        let plain = pb::CreateSnapshotRequest { request_id: String::new(), validate_only: false, ..message.clone() };
        let asked = Asked::new(
            &metadata,
            &message.request_id,
            message.validate_only,
            &message.plan_hash,
            CreateSnapshot::KIND,
            &plain,
        )?;
        let wish = wish::snapshot(&message)?;
        let names = self.names_for(message.validate_only);
        let planning = plan::create_snapshot(&self.deps, &names, &message.vm, &wish);
        Ok(Response::new(self.submit::<CreateSnapshot, _>(asked, planning).await?))
    }

    async fn list_snapshots(
        &self,
        request: Request<pb::ListSnapshotsRequest>,
    ) -> Result<Response<pb::ListSnapshotsResponse>, Status> {
        let message = request.into_inner();
        let wanted = wanted(&message.parent)?;
        let mut points = self.deps.catalog.points().map_err(GatewayError::from)?;
        points.retain(|point| {
            wanted(&point.intent.vm) && (message.display_name.is_empty() || point.display_name == message.display_name)
        });
        points.sort_by(|one, other| (other.cut.time, &other.id).cmp(&(one.cut.time, &one.id)));
        let query = format!("{}\0{}", message.parent, message.display_name);
        let (points, next_page_token) =
            paging::page(points, |point| point.id.clone(), &query, message.page_size, &message.page_token)?;
        let snapshots = points.iter().map(|point| convert::point(point, &*self.deps.catalog)).collect();
        Ok(Response::new(pb::ListSnapshotsResponse { snapshots, next_page_token }))
    }

    async fn get_snapshot(&self, request: Request<pb::GetSnapshotRequest>) -> Result<Response<pb::Snapshot>, Status> {
        let name = request.into_inner().name;
        let id = names::split(&name, &["snapshots"]).map_err(|error| GatewayError::invalid("name", error))?.remove(0);
        let point = self.deps.catalog.point(&id).map_err(GatewayError::from)?;
        let point = point.ok_or_else(|| GatewayError::not_found("snapshot", &name))?;
        Ok(Response::new(convert::point(&point, &*self.deps.catalog)))
    }

    async fn delete_snapshot(
        &self,
        request: Request<pb::DeleteSnapshotRequest>,
    ) -> Result<Response<Operation>, Status> {
        let (metadata, _, message) = request.into_parts();
        let plain = pb::DeleteSnapshotRequest { request_id: String::new(), validate_only: false, ..message.clone() };
        let asked = Asked::new(
            &metadata,
            &message.request_id,
            message.validate_only,
            &message.plan_hash,
            DeleteSnapshot::KIND,
            &plain,
        )?;
        let planning = plan::delete_snapshot(&self.deps, &message.name);
        match self.submit::<DeleteSnapshot, _>(asked, planning).await {
            Err(error) if message.allow_missing && error.kind == strata_model::ErrorKind::NotFound => {
                Ok(Response::new(super::operations::done_with_nothing()))
            }
            other => Ok(Response::new(other?)),
        }
    }
}

/// A filter on the names of VMs by `vcenters/{vcenter}/vms/{vm}` where either may be `-`.
fn wanted(parent: &str) -> Result<impl Fn(&str) -> bool + use<>> {
    let parts = names::split(parent, &["vcenters", "vms"]).map_err(|error| GatewayError::invalid("parent", error))?;
    Ok(move |vm: &str| {
        names::split(vm, &["vcenters", "vms"])
            .is_ok_and(|found| parts.iter().zip(&found).all(|(asked, found)| asked == "-" || asked == found))
    })
}
