//! google.longrunning.Operations.

use super::{Api, convert, paging, submit::caller};
use crate::error::{GatewayError, Result, from_saga};
use std::time::Duration;
use strata_model::names;
use strata_proto::google::longrunning::{self as lro, operation::Result as LroResult, operations_server::Operations};
use strata_saga::{OperationId, engine::Filter};
use tonic::{Request, Response, Status};

/// Longest wait of one WaitOperation.
const WAIT_MOST: Duration = Duration::from_secs(3_600);

/// The id in `operations/{operation}`.
pub(super) fn operation_id(name: &str) -> Result<OperationId> {
    let id = names::split(name, &["operations"]).map_err(|error| GatewayError::invalid("name", error))?.remove(0);
    id.parse()
        .map_err(|_| GatewayError::not_found("operation", name).hint("to see what is there: strata operation list"))
}

/// An operation that had nothing to do.
pub(super) fn done_with_nothing() -> lro::Operation {
    let nothing = LroResult::Response(convert::any("google.protobuf.Empty", &()));
    lro::Operation { name: String::new(), metadata: None, done: true, result: Some(nothing) }
}

/// `done=true`, `done=false` or nothing.
fn read_filter(filter: &str) -> Result<Option<bool>> {
    match filter.replace(' ', "").as_str() {
        "" => Ok(None),
        "done=true" => Ok(Some(true)),
        "done=false" => Ok(Some(false)),
        _ => Err(GatewayError::invalid("filter", format!("'{filter}' is not understood; use done=true or done=false"))),
    }
}

#[tonic::async_trait]
impl Operations for Api {
    async fn list_operations(
        &self,
        request: Request<lro::ListOperationsRequest>,
    ) -> Result<Response<lro::ListOperationsResponse>, Status> {
        let message = request.into_inner();
        if !matches!(message.name.as_str(), "" | "operations") {
            return Err(GatewayError::invalid("name", "name must be empty or 'operations'").into());
        }
        let wanted = read_filter(&message.filter)?;
        let mut all = self.engine.list(&Filter::default());
        all.retain(|status| wanted.is_none_or(|done| done == status.history.outcome.is_some()));
        all.reverse();
        let (page, next_page_token) = paging::page(
            all,
            |status| status.history.id.to_string(),
            &message.filter,
            message.page_size,
            &message.page_token,
        )?;
        let operations = page.iter().map(|status| convert::operation(status, &*self.deps.catalog)).collect();
        Ok(Response::new(lro::ListOperationsResponse { operations, next_page_token, unreachable: Vec::new() }))
    }

    async fn get_operation(
        &self,
        request: Request<lro::GetOperationRequest>,
    ) -> Result<Response<lro::Operation>, Status> {
        Ok(Response::new(self.operation(operation_id(&request.into_inner().name)?)?))
    }

    async fn delete_operation(&self, request: Request<lro::DeleteOperationRequest>) -> Result<Response<()>, Status> {
        operation_id(&request.into_inner().name)?;
        let message = "operations are the audit trail and are not deleted";
        Err(GatewayError::unsupported("OPERATION_DELETE_UNSUPPORTED", message).into())
    }

    async fn cancel_operation(&self, request: Request<lro::CancelOperationRequest>) -> Result<Response<()>, Status> {
        let (metadata, _, message) = request.into_parts();
        let id = operation_id(&message.name)?;
        self.engine.cancel(id, &caller(&metadata)).await.map_err(|error| from_saga(&error))?;
        Ok(Response::new(()))
    }

    async fn wait_operation(
        &self,
        request: Request<lro::WaitOperationRequest>,
    ) -> Result<Response<lro::Operation>, Status> {
        let message = request.into_inner();
        let id = operation_id(&message.name)?;
        let asked = message.timeout.and_then(|timeout| Duration::try_from(timeout).ok()).unwrap_or(WAIT_MOST);
        tokio::select! {
            settled = self.engine.wait(id) => {
                settled.map_err(|error| from_saga(&error))?;
            }
            () = self.deps.clock.sleep(asked.min(WAIT_MOST)) => {}
        }
        Ok(Response::new(self.operation(id)?))
    }
}
