//! gateway.v1.OperationService: watching, and deciding about what is stuck.

use super::{Api, convert, operations::operation_id, submit::caller};
use crate::error::{GatewayError, from_saga};
use futures::Stream;
use std::pin::Pin;
use strata_model::ErrorKind;
use strata_proto::strata::gateway::v1::{self as pb, ResolveAction, operation_service_server::OperationService};
use strata_saga::{
    Event, OperationId, Outcome, Record, SagaError, StuckAction,
    watch::{Update, Watch},
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// Messages under way to one watcher; a slow one is held back by flow control and in the end told to come again.
const UNDER_WAY: usize = 16;

type Events = Pin<Box<dyn Stream<Item = Result<pb::WatchOperationResponse, Status>> + Send>>;

#[tonic::async_trait]
impl OperationService for Api {
    type WatchOperationStream = Events;

    async fn watch_operation(&self, request: Request<pb::WatchOperationRequest>) -> Result<Response<Events>, Status> {
        let message = request.into_inner();
        let id = operation_id(&message.name)?;
        let from = u32::try_from(message.after_sequence)
            .map_err(|_| GatewayError::invalid("after_sequence", "after_sequence is larger than any sequence"))?;
        let watch = self.engine.watch(id, from).await.map_err(|error| from_saga(&error))?;
        let (sender, receiver) = mpsc::channel(UNDER_WAY);
        let api = self.clone();
        tokio::spawn(async move { api.tell(id, watch, from, sender).await });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn resolve_operation(
        &self,
        request: Request<pb::ResolveOperationRequest>,
    ) -> Result<Response<pb::ResolveOperationResponse>, Status> {
        let (metadata, _, message) = request.into_parts();
        let id = operation_id(&message.name)?;
        let action = match message.action() {
            ResolveAction::Retry => StuckAction::Retry,
            ResolveAction::Skip => StuckAction::Skip,
            ResolveAction::Abandon => StuckAction::Abandon,
            ResolveAction::Unspecified => {
                return Err(GatewayError::invalid("action", "say what to do: retry, skip or abandon").into());
            }
        };
        if message.reason.trim().chars().count() < 3 {
            return Err(GatewayError::invalid(
                "reason",
                "say why, in at least 3 characters; it is kept in the journal",
            )
            .into());
        }
        let status = self.engine.stuck_action(id, action, &caller(&metadata), message.reason.trim()).await;
        let status = status.map_err(|error| from_saga(&error))?;
        Ok(Response::new(pb::ResolveOperationResponse { metadata: Some(convert::metadata(&status)) }))
    }
}

type Sender = mpsc::Sender<Result<pb::WatchOperationResponse, Status>>;

impl Api {
    /// Sends what the watch hears until the operation has ended, the watcher is gone, or it was too slow.
    async fn tell(self, id: OperationId, mut watch: Watch, from: u32, sender: Sender) {
        let mut sequence = u64::from(from);
        let mut done = false;
        loop {
            let heard = tokio::select! {
                heard = watch.next() => heard,
                () = sender.closed() => return,
            };
            let (message, last) = match heard {
                None => break,
                Some(Ok(Update::Recorded(record))) => {
                    sequence = u64::from(record.seq) + 1;
                    (words(&record), matches!(record.event, Event::Finished { .. }))
                }
                Some(Ok(Update::Progress(report))) => (format!("{}: {}", report.step, report.text), false),
                Some(Err(lagged)) => {
                    let error = GatewayError::new(ErrorKind::Busy, "WATCH_LAGGED", lagged.to_string())
                        .with("after_sequence", lagged.resume_from);
                    let _ = sender.send(Err(error.into())).await;
                    return;
                }
            };
            done |= last;
            if sender.send(self.response(id, sequence, message, last)).await.is_err() {
                return;
            }
        }
        // A watcher that came after the end hears the end all the same.
        if !done {
            let ended = self.engine.get(id).is_ok_and(|status| status.history.outcome.is_some());
            if ended {
                let _ = sender.send(self.response(id, sequence, "it has ended".to_owned(), true)).await;
            }
        }
    }

    fn response(
        &self,
        id: OperationId,
        sequence: u64,
        message: String,
        last: bool,
    ) -> Result<pb::WatchOperationResponse, Status> {
        let status = self.engine.get(id).map_err(|error: SagaError| Status::from(from_saga(&error)))?;
        let history = &status.history;
        let succeeded = history.outcome == Some(Outcome::Succeeded);
        Ok(pb::WatchOperationResponse {
            metadata: Some(convert::metadata(&status)),
            sequence,
            message,
            done: last,
            error: (last && !succeeded).then(|| convert::error_status(history)),
            response: if last && succeeded { convert::response(history, &*self.deps.catalog) } else { None },
        })
    }
}

/// A record in words.
fn words(record: &Record) -> String {
    match &record.event {
        Event::Accepted(accepted) => format!("accepted: {} steps", accepted.steps.len()),
        Event::Planned { step, key, .. } => format!("{step}: planned {key}"),
        Event::Started { step, attempt: 1 } => format!("{step}: started"),
        Event::Started { step, attempt } => format!("{step}: started, try {attempt}"),
        Event::PendingSeen { step, percent: Some(percent), .. } => format!("{step}: {percent} %"),
        Event::PendingSeen { step, .. } => format!("{step}: the other side works"),
        Event::TargetDone { step, target, .. } => format!("{step}: {target} done"),
        Event::AttemptFailed { step, error, attempt } => format!("{step}: try {attempt} failed: {error}"),
        Event::Succeeded { step, .. } => format!("{step}: done"),
        Event::Failed { step, error } => format!("{step}: failed: {error}"),
        Event::UndoStarted { step, .. } => format!("{step}: is being taken back"),
        Event::Undone { step, because: None } => format!("{step}: taken back"),
        Event::Undone { step, because: Some(why) } => format!("{step}: nothing taken back: {why}"),
        Event::UndoFailed { step, error } => format!("{step}: cannot be taken back: {error}"),
        Event::CancelRequested { who } => format!("{who} asked to cancel it"),
        Event::StuckAction { action, who, why, .. } => format!("{who} decided: {action:?} ({why})"),
        Event::Finished { outcome, .. } => format!("ended: {outcome:?}"),
        Event::Unknown => "written by newer code".to_owned(),
    }
}
