//! A step's status, computed from its events by one total function. Nothing else changes a status.

use crate::{Event, StuckAction};
use serde::{Deserialize, Serialize};

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// No effect of it can exist.
    NotStarted,
    /// Its effect may or may not exist.
    Started,
    /// Its effect exists.
    Succeeded,
    /// It gave up; its effect may or may not exist.
    Failed,
    /// A person said to go on without it.
    Skipped,
    /// Its effect is being taken back.
    Undoing,
    /// No effect of it exists any more (or a person said so).
    Undone,
    /// Its undo gave up: the operation is stuck.
    UndoFailed,
}

impl StepStatus {
    /// All of them, for tests.
    pub const ALL: [StepStatus; 8] = [
        StepStatus::NotStarted,
        StepStatus::Started,
        StepStatus::Succeeded,
        StepStatus::Failed,
        StepStatus::Skipped,
        StepStatus::Undoing,
        StepStatus::Undone,
        StepStatus::UndoFailed,
    ];
}

/// The event cannot follow: the journal is damaged, or the code that wrote it was wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a step that is {status:?} cannot take the event {event}")]
pub struct IllegalEvent {
    /// The status before.
    pub status: StepStatus,
    /// The event's name.
    pub event: &'static str,
}

/// The only transition between statuses. Total: every pair has an answer, and most answers are refusals.
pub fn next(status: StepStatus, event: &Event) -> Result<StepStatus, IllegalEvent> {
    use StepStatus::{Failed, NotStarted, Skipped, Started, Succeeded, UndoFailed, Undoing, Undone};
    match (status, event) {
        (NotStarted, Event::Planned { .. }) => Ok(NotStarted),
        (NotStarted | Started, Event::Started { .. }) => Ok(Started),
        (
            Started,
            Event::Planned { .. } | Event::PendingSeen { .. } | Event::TargetDone { .. } | Event::AttemptFailed { .. },
        ) => Ok(Started),
        (Started, Event::Succeeded { .. }) => Ok(Succeeded),
        (Started, Event::Failed { .. }) => Ok(Failed),
        (Started | Succeeded | Failed | Undoing, Event::UndoStarted { .. }) => Ok(Undoing),
        // Nothing to undo is said at once; anything else is undone only by an undo that started.
        (Started | Succeeded | Failed, Event::Undone { because: Some(_), .. }) => Ok(Undone),
        (Undoing, Event::Undone { .. }) => Ok(Undone),
        (Undoing, Event::PendingSeen { .. } | Event::AttemptFailed { .. }) => Ok(Undoing),
        (Undoing, Event::UndoFailed { .. }) => Ok(UndoFailed),
        (UndoFailed, Event::StuckAction { action: StuckAction::Retry, .. }) => Ok(Undoing),
        (UndoFailed, Event::StuckAction { action: StuckAction::Skip, .. }) => Ok(Undone),
        (Failed, Event::StuckAction { action: StuckAction::Retry, .. }) => Ok(Started),
        (Failed, Event::StuckAction { action: StuckAction::Skip, .. }) => Ok(Skipped),
        _ => Err(IllegalEvent { status, event: event.name() }),
    }
}
