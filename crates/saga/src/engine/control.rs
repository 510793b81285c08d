//! What people may do to an operation: cancel it, or decide about a stuck one.

use super::Engine;
use crate::{
    Event, OperationId, Outcome, SagaError, State, StuckAction,
    history::Move,
    log::WriteError,
    watch::{Held, Status},
};
use serde_json::Value;

impl Engine {
    /// Asks an operation to stop and be undone. Durable when this returns; honoured at the next boundary between steps
    /// or while the other side works. Asking twice is fine. Refused, with the reason, past the pivot.
    pub async fn cancel(&self, operation: OperationId, who: &str) -> Result<Status, SagaError> {
        let entry = self.entry(operation)?;
        let refused = |because| SagaError::CancelRefused { operation, because };
        match entry.log.status() {
            Status { held: Some(Held::Parked(because)), .. } => return Err(refused(because)),
            Status { history, .. } if history.cancelled_by.is_some() && history.outcome.is_none() => {
                return self.get(operation);
            }
            _ => {}
        }
        match entry.log.write(Event::CancelRequested { who: who.to_owned() }, true).await {
            Ok(()) => entry.cancel.cancel(),
            Err(WriteError::Illegal(_)) => {
                let history = entry.log.history();
                if history.cancelled_by.is_none() || history.outcome.is_some() {
                    return Err(refused(history.cancellable().err().unwrap_or_else(|| "it has moved on".to_owned())));
                }
            }
            Err(WriteError::Journal(error)) => return Err(SagaError::Journal(error)),
        }
        self.get(operation)
    }

    /// Decides about a stuck operation, on the record. `Abandon` is also taken for a parked one.
    pub async fn stuck_action(
        &self,
        operation: OperationId,
        action: StuckAction,
        who: &str,
        why: &str,
    ) -> Result<Status, SagaError> {
        let entry = self.entry(operation)?;
        let refused = |because: String| SagaError::ActionRefused { operation, action, because };
        let Status { history, held, .. } = entry.log.status();
        if entry.damaged {
            return Err(refused("its records do not fit together, so none may be added".into()));
        }
        let step = match (history.next_move(), &held) {
            (Move::Stuck(index), None) => history.steps[index].name.clone(),
            (_, Some(Held::Parked(_))) if action == StuckAction::Abandon && history.outcome.is_none() => String::new(),
            (_, Some(Held::Parked(because))) => return Err(refused(because.clone())),
            (_, Some(held)) => return Err(refused(format!("it is held ({held:?}) until the service restarts"))),
            (_, None) => return Err(refused(format!("it is {:?} and not stuck", history.state()))),
        };
        let event = Event::StuckAction { action, step, who: who.to_owned(), why: why.to_owned() };
        self.write(&entry, event, action).await?;
        if let Some(Held::Parked(_)) = held {
            // Nobody drives a parked operation, so its end is written here.
            let end = Event::Finished { outcome: Outcome::Abandoned, result: Value::Null };
            self.write(&entry, end, action).await?;
        }
        entry.nudge.notify_one();
        self.get(operation)
    }

    async fn write(&self, entry: &super::Entry, event: Event, action: StuckAction) -> Result<(), SagaError> {
        entry.log.write(event, true).await.map_err(|error| match error {
            WriteError::Illegal(error) => {
                SagaError::ActionRefused { operation: entry.log.id, action, because: error.to_string() }
            }
            WriteError::Journal(error) => SagaError::Journal(error),
        })
    }

    /// Returns when the operation has ended, is stuck, or is held.
    pub async fn wait(&self, operation: OperationId) -> Result<Status, SagaError> {
        let entry = self.entry(operation)?;
        let mut changes = entry.log.changes();
        loop {
            let status = entry.log.status();
            let settled = status.history.outcome.is_some() || status.held.is_some() || status.state() == State::Stuck;
            if settled || changes.changed().await.is_err() {
                return Ok(status);
            }
        }
    }
}
