//! gateway.v1.CloneService.

use super::{Api, convert, paging, submit::Asked};
use crate::{
    error::GatewayError,
    operations::{CreateClone, DeleteClone},
    plan,
};
use strata_model::names;
use strata_proto::{
    google::longrunning::Operation,
    strata::gateway::v1::{self as pb, clone_service_server::CloneService},
};
use strata_saga::Operation as _;
use tonic::{Request, Response, Status};

#[tonic::async_trait]
impl CloneService for Api {
    async fn create_clone(&self, request: Request<pb::CreateCloneRequest>) -> Result<Response<Operation>, Status> {
        let (metadata, _, message) = request.into_parts();
        let plain = pb::CreateCloneRequest { request_id: String::new(), validate_only: false, ..message.clone() };
        let asked = Asked::new(
            &metadata,
            &message.request_id,
            message.validate_only,
            &message.plan_hash,
            CreateClone::KIND,
            &plain,
        )?;
        let planning = plan::create_clone(&self.deps, &message);
        Ok(Response::new(self.submit::<CreateClone, _>(asked, planning).await?))
    }

    async fn list_clones(
        &self,
        request: Request<pb::ListClonesRequest>,
    ) -> Result<Response<pb::ListClonesResponse>, Status> {
        let message = request.into_inner();
        let mut clones = self.deps.catalog.clones().map_err(GatewayError::from)?;
        clones.retain(|clone| {
            let of_point = format!("snapshots/{}", clone.intent.snapshot_id) == message.snapshot;
            (message.snapshot.is_empty() || of_point)
                && (message.display_name.is_empty() || clone.intent.display_name == message.display_name)
        });
        clones.sort_by(|one, other| {
            (other.create_time, &other.intent.clone_id).cmp(&(one.create_time, &one.intent.clone_id))
        });
        let query = format!("{}\0{}", message.snapshot, message.display_name);
        let (clones, next_page_token) = paging::page(
            clones,
            |clone| clone.intent.clone_id.clone(),
            &query,
            message.page_size,
            &message.page_token,
        )?;
        Ok(Response::new(pb::ListClonesResponse {
            clones: clones.iter().map(convert::clone).collect(),
            next_page_token,
        }))
    }

    async fn get_clone(&self, request: Request<pb::GetCloneRequest>) -> Result<Response<pb::Clone>, Status> {
        let name = request.into_inner().name;
        let id = names::split(&name, &["clones"]).map_err(|error| GatewayError::invalid("name", error))?.remove(0);
        let clone = self.deps.catalog.clone_record(&id).map_err(GatewayError::from)?;
        let clone = clone.ok_or_else(|| GatewayError::not_found("clone", &name))?;
        Ok(Response::new(convert::clone(&clone)))
    }

    async fn delete_clone(&self, request: Request<pb::DeleteCloneRequest>) -> Result<Response<Operation>, Status> {
        let (metadata, _, message) = request.into_parts();
        let plain = pb::DeleteCloneRequest { request_id: String::new(), validate_only: false, ..message.clone() };
        let asked = Asked::new(
            &metadata,
            &message.request_id,
            message.validate_only,
            &message.plan_hash,
            DeleteClone::KIND,
            &plain,
        )?;
        let planning = plan::delete_clone(&self.deps, &message.name, message.power_off);
        match self.submit::<DeleteClone, _>(asked, planning).await {
            Err(error) if message.allow_missing && error.kind == strata_model::ErrorKind::NotFound => {
                Ok(Response::new(super::operations::done_with_nothing()))
            }
            other => Ok(Response::new(other?)),
        }
    }
}
