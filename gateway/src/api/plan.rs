//! gateway.v1.PlanService.

use super::{Api, preflight, wish};
use crate::{
    error::{GatewayError, Result},
    plan,
};
use strata_proto::strata::gateway::v1::{
    self as pb, plan_request::Request as Wanted, plan_service_server::PlanService,
};
use tonic::{Request, Response, Status};

#[tonic::async_trait]
impl PlanService for Api {
    async fn plan(&self, request: Request<pb::PlanRequest>) -> Result<Response<pb::PlanResponse>, Status> {
        let wanted = request.into_inner().request;
        let names = self.names.preview();
        let shown = match wanted {
            Some(Wanted::CreateSnapshot(message)) => {
                let wish = wish::snapshot(&message)?;
                plan::create_snapshot(&self.deps, &names, &message.vm, &wish).await?.shown
            }
            Some(Wanted::DeleteSnapshot(message)) => plan::delete_snapshot(&self.deps, &message.name).await?.shown,
            Some(Wanted::CreateClone(message)) => plan::create_clone(&self.deps, &message).await?.shown,
            Some(Wanted::DeleteClone(message)) => {
                plan::delete_clone(&self.deps, &message.name, message.power_off).await?.shown
            }
            Some(Wanted::RevertVm(message)) => plan::revert(&self.deps, &names, &message).await?.shown(),
            Some(Wanted::CommitRevert(message)) => plan::commit_revert(&message.vm, &self.kept(&message.vm))?.shown,
            None => return Err(GatewayError::invalid("request", "say what to plan").into()),
        };
        self.plans.remember(&shown);
        Ok(Response::new(shown))
    }

    async fn preflight(
        &self,
        request: Request<pb::PreflightRequest>,
    ) -> Result<Response<pb::PreflightResponse>, Status> {
        let targets = preflight::all(&self.deps, &request.into_inner().vm).await?;
        Ok(Response::new(pb::PreflightResponse { targets }))
    }
}
