//! From a change that was asked for to its end: accepted, watched with progress, finished; or left to go on.

mod interrupt;
mod progress;
mod watch;

pub use watch::watch;

use crate::{
    args::ChangeArgs,
    context::Context,
    failure::Failure,
    json::{Named, to_json, unpack},
};
use strata_model::ErrorKind;
use strata_proto::{
    google::longrunning::{Operation, operation::Result as End},
    strata::gateway::v1::OperationMetadata,
};

/// A finished operation.
#[derive(Debug)]
pub struct Finished {
    /// As google.longrunning shows it; `done`, with a response.
    pub operation: Operation,
    /// Its metadata at the end.
    pub metadata: OperationMetadata,
}

impl Finished {
    /// Of an operation that is done.
    ///
    /// # Errors
    /// The operation failed: its own error.
    pub fn new(operation: Operation) -> Result<Self, Failure> {
        if let Some(End::Error(status)) = &operation.result {
            return Err(Failure::from_rpc_status(status).about_operation(&operation.name).hint(format!(
                "`strata operation show {}` tells what was done and taken back",
                short(&operation.name)
            )));
        }
        let metadata = operation.metadata.as_ref().and_then(unpack).unwrap_or_default();
        Ok(Self { operation, metadata })
    }

    /// The answer.
    ///
    /// # Errors
    /// The gateway answered something else.
    pub fn answer<M: Named + Default>(&self) -> Result<M, Failure> {
        let answer = match &self.operation.result {
            Some(End::Response(any)) => unpack(any),
            Some(End::Error(_)) | None => None,
        };
        answer.ok_or_else(|| {
            let message = format!("{} succeeded, but its answer is no {}", self.operation.name, M::NAME);
            Failure::new(ErrorKind::Unexpected, "ANSWER_NOT_UNDERSTOOD", message)
                .hint("the gateway may be of another version than this program")
        })
    }

    /// How long it took, ready to show; empty where the gateway does not tell.
    pub fn took(&self) -> Option<String> {
        crate::show::seconds(self.metadata.create_time.as_ref(), self.metadata.end_time.as_ref())
    }
}

/// Follows an accepted operation to its end and gives it back where there is something to tell as text. With `--no-wait`
/// its name is printed, with `--json` the operation, and there is nothing more to tell.
///
/// # Errors
/// The operation failed, is stuck, or was left by Ctrl-C.
pub async fn finish(context: &Context, change: &ChangeArgs, operation: Operation) -> Result<Option<Finished>, Failure> {
    let json = context.printer.style().json;
    if change.no_wait {
        if json {
            context.printer.json(&to_json(&operation)?)?;
        } else {
            context.printer.data(&operation.name)?;
            context.printer.hint(&format!("follow it with `strata operation watch {}`", short(&operation.name)));
        }
        return Ok(None);
    }
    let finished = Finished::new(if operation.done { operation } else { watch(context, &operation.name).await? })?;
    if json {
        context.printer.json(&to_json(&finished.operation)?)?;
        return Ok(None);
    }
    Ok(Some(finished))
}

/// `operations/1` as it is typed: `1`.
pub fn short(name: &str) -> &str {
    name.strip_prefix("operations/").unwrap_or(name)
}
