//! Watching an operation: the stream is taken up again where it broke, with the last sequence that was seen.

use super::{interrupt, progress::Progress, short};
use crate::{connect::Gateway, context::Context, failure::Failure, json::Named};
use std::time::Duration;
use strata_model::ErrorKind;
use strata_proto::{
    google::longrunning::{Operation, operation::Result as End},
    strata::gateway::v1::{
        OperationMetadata, OperationState, StepState, WatchOperationRequest, WatchOperationResponse,
    },
};
use tonic::{Request, Status, Streaming};

/// The gateway may be upgraded meanwhile; after so many tries in a row (about ten minutes) the watcher gives up. The
/// operation does not.
const TRIES_MAX: u32 = 120;
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Shows an operation's progress until it is done, and gives it back as google.longrunning would.
///
/// # Errors
/// There is no such operation, it is stuck, the gateway stays away, or Ctrl-C.
pub async fn watch(context: &Context, name: &str) -> Result<Operation, Failure> {
    let gateway = context.gateway()?;
    let interrupts = context.interrupts.clone();
    let mut progress = Progress::new(&context.printer);
    let mut seen = Seen { name: name.to_owned(), sequence: 0 };
    loop {
        let end = tokio::select! {
            end = seen.follow(&gateway, &mut progress, context) => end,
            () = interrupts.next() => {
                progress.clear();
                interrupt::handle(context, &gateway, name).await?;
                continue;
            }
        };
        progress.clear();
        return end;
    }
}

struct Seen {
    name: String,
    sequence: u64,
}

impl Seen {
    async fn follow(
        &mut self,
        gateway: &Gateway,
        progress: &mut Progress<'_>,
        context: &Context,
    ) -> Result<Operation, Failure> {
        let mut tries = 0;
        loop {
            let before = self.sequence;
            let broke = match self.stream(gateway).await {
                Ok(stream) => self.read(stream, progress).await?,
                Err(status) => Broke::Status(status),
            };
            let status = match broke {
                Broke::Done(operation) => return Ok(*operation),
                Broke::Status(status) => status,
            };
            if self.sequence > before {
                tries = 0;
            }
            if !may_come_back(&status) || tries >= TRIES_MAX {
                return Err(self.gone(status));
            }
            if tries == 1 {
                context
                    .printer
                    .note(&format!("the gateway does not answer ({}); the operation goes on", status.message()));
            }
            let wait = Duration::from_millis(200).saturating_mul(2_u32.saturating_pow(tries)).min(WAIT_MAX);
            tries += 1;
            gateway.pause(wait).await;
        }
    }

    async fn stream(&self, gateway: &Gateway) -> Result<Streaming<WatchOperationResponse>, Status> {
        let request = WatchOperationRequest { name: self.name.clone(), after_sequence: self.sequence };
        Ok(gateway.operations().watch_operation(Request::new(request)).await?.into_inner())
    }

    async fn read(
        &mut self,
        mut stream: Streaming<WatchOperationResponse>,
        progress: &mut Progress<'_>,
    ) -> Result<Broke, Failure> {
        loop {
            let event = match stream.message().await {
                Ok(Some(event)) => event,
                Ok(None) => return Ok(Broke::Status(Status::unavailable("the stream ended early"))),
                Err(status) => return Ok(Broke::Status(status)),
            };
            self.sequence = self.sequence.max(event.sequence);
            if let Some(metadata) = &event.metadata {
                progress.show(metadata, &event.message);
                if !event.done && metadata.state() == OperationState::Stuck {
                    return Err(stuck(&self.name, metadata));
                }
            }
            if event.done {
                return Ok(Broke::Done(Box::new(ended(&self.name, event))));
            }
        }
    }

    fn gone(&self, status: Status) -> Failure {
        let kind = Failure::from(status.clone());
        if kind.kind() == ErrorKind::Unavailable {
            return kind
                .hint(format!("the operation goes on; `strata operation watch {}` follows it", short(&self.name)));
        }
        kind
    }
}

enum Broke {
    Done(Box<Operation>),
    Status(Status),
}

/// A stream ends without its last message when the gateway restarts, a proxy's time limit is reached, or the watcher was
/// too slow.
fn may_come_back(status: &Status) -> bool {
    use tonic::Code;
    matches!(
        status.code(),
        Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::ResourceExhausted
            | Code::Cancelled
            | Code::Unknown
            | Code::Internal
            | Code::DataLoss
    )
}

fn ended(name: &str, event: WatchOperationResponse) -> Operation {
    use prost::Message as _;
    let metadata = event.metadata.map(|metadata| prost_types::Any {
        type_url: format!("type.googleapis.com/{}", OperationMetadata::NAME),
        value: metadata.encode_to_vec(),
    });
    let result = match (event.error, event.response) {
        (Some(error), _) => Some(End::Error(error)),
        (None, response) => response.map(End::Response),
    };
    Operation { name: name.to_owned(), metadata, done: true, result }
}

fn stuck(name: &str, metadata: &OperationMetadata) -> Failure {
    let step = metadata.steps.iter().find(|step| step.state() == StepState::Stuck);
    let place = match step {
        Some(step) => format!(" at {}: {}", step.name, step.message),
        None => String::new(),
    };
    let short = short(name);
    Failure::new(ErrorKind::Conflict, "OPERATION_STUCK", format!("{name} cannot take back what it did{place}"))
        .hint(format!("`strata operation show {short}` tells more"))
        .hint(format!("when the cause is gone: strata operation resolve {short} --action retry --reason '...'"))
}
