//! What the journal holds: one record an event, append-only. Everything that anybody sees is computed from these.
//!
//! The serialised form is a promise: fields and variants may be added, never renamed or removed
//! (`fixtures/*.jsonl` must always load).

use crate::{Claim, StepError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// An operation's id: a UUID v7, so that ids sort by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationId(pub Uuid);

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for OperationId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// One event of one operation, at its place in that operation's history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Whose event this is.
    pub operation: OperationId,
    /// The place in the operation's history: 0 is `Accepted`, without gaps.
    pub seq: u32,
    /// When it was written, by the engine's clock.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// The caller's own name for a request: the same id from the same caller means the same operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestKey {
    /// As the caller sent it.
    pub id: String,
    /// SHA-256 over kind and parameters, hex: another request under the same id is refused.
    pub params_hash: String,
}

/// The first record: what was asked and what the code of that day meant to do about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// `Operation::KIND`.
    pub kind: String,
    /// `Operation::VERSION` of the code that accepted it.
    pub version: u16,
    /// The parameters, as JSON.
    pub params: Value,
    /// The names of the steps, in order. Code that lists others may not continue this operation.
    pub steps: Vec<String>,
    /// The step from which on only forward is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pivot: Option<String>,
    /// What the operation holds until it is finished.
    #[serde(default)]
    pub claims: Vec<Claim>,
    /// The caller's name for the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestKey>,
    /// Who asked.
    #[serde(default)]
    pub caller: String,
}

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every step succeeded (or a person skipped it).
    Succeeded,
    /// A step failed; what was done has been undone.
    Failed,
    /// Somebody cancelled it; what was done has been undone.
    Cancelled,
    /// A person gave it up as it stood; what was done may still be there.
    Abandoned,
}

/// What a person may do about a stuck operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StuckAction {
    /// Try the step (or its undo) again.
    Retry,
    /// Go on as if the step (or its undo) had worked: the person has seen to it by hand.
    Skip,
    /// End the operation as it stands.
    Abandon,
}

/// Everything that can happen to an operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The operation exists from here on. Flushed before the caller hears of it.
    Accepted(Accepted),
    /// A name or id was made, once, before anything that bears it can exist. Flushed before it is used.
    Planned {
        /// The step that made it.
        step: String,
        /// The step's word for it.
        key: String,
        /// The value, the same on every re-run.
        value: Value,
    },
    /// The step may have effects from here on. Flushed before the first of them.
    Started {
        /// Which step.
        step: String,
        /// 1 for the first try.
        attempt: u32,
    },
    /// The other side works on it and wants to be asked again.
    PendingSeen {
        /// Which step (running or being undone).
        step: String,
        /// Opaque: goes back to the step at the next call.
        resume: String,
        /// How long the other side wants to be left alone.
        ask_again_after_ms: u64,
        /// How far it is, where known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        percent: Option<u8>,
    },
    /// One of several targets of a step (a disk, a host) is done; a re-run leaves it out.
    TargetDone {
        /// Which step.
        step: String,
        /// The target's name within the step.
        target: String,
        /// What the step wants to know of it later.
        data: Value,
    },
    /// A try (of a run or an undo) failed and will be repeated.
    AttemptFailed {
        /// Which step.
        step: String,
        /// Which try.
        attempt: u32,
        /// Why.
        error: StepError,
    },
    /// The step's effect is there. Durable before the next step acts.
    Succeeded {
        /// Which step.
        step: String,
        /// What later steps and the result are made of.
        output: Value,
    },
    /// The step gave up. Its effect may be there all the same.
    Failed {
        /// Which step.
        step: String,
        /// Why.
        error: StepError,
    },
    /// The undo may have effects from here on. Flushed.
    UndoStarted {
        /// Which step.
        step: String,
        /// 1 for the first try.
        attempt: u32,
    },
    /// The step's effect is gone, or stays for a reason.
    Undone {
        /// Which step.
        step: String,
        /// Set where there was nothing to undo, or where the undo left the effect as it is, and why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<String>,
    },
    /// The undo failed for good: a person has to decide.
    UndoFailed {
        /// Which step.
        step: String,
        /// Why.
        error: StepError,
    },
    /// Somebody asked for it to stop; honoured at the next boundary.
    CancelRequested {
        /// Who.
        who: String,
    },
    /// A person decided about a stuck operation.
    StuckAction {
        /// What.
        action: StuckAction,
        /// The step that it was about; empty for an abandoned operation that was stuck at none.
        #[serde(default)]
        step: String,
        /// Who.
        who: String,
        /// Their reason.
        why: String,
    },
    /// The end.
    Finished {
        /// How it ended.
        outcome: Outcome,
        /// What the operation answers; null unless it succeeded.
        #[serde(default)]
        result: Value,
    },
    /// Written by newer code. Never guessed: its operation is parked.
    #[serde(other)]
    Unknown,
}

impl Event {
    /// The step that the event is about, if it is about one.
    pub fn step(&self) -> Option<&str> {
        match self {
            Event::Planned { step, .. }
            | Event::Started { step, .. }
            | Event::PendingSeen { step, .. }
            | Event::TargetDone { step, .. }
            | Event::AttemptFailed { step, .. }
            | Event::Succeeded { step, .. }
            | Event::Failed { step, .. }
            | Event::UndoStarted { step, .. }
            | Event::Undone { step, .. }
            | Event::UndoFailed { step, .. }
            | Event::StuckAction { step, .. } => Some(step),
            Event::Accepted(_) | Event::CancelRequested { .. } | Event::Finished { .. } | Event::Unknown => None,
        }
    }

    /// The event's word in the journal, for messages.
    pub fn name(&self) -> &'static str {
        match self {
            Event::Accepted(_) => "accepted",
            Event::Planned { .. } => "planned",
            Event::Started { .. } => "started",
            Event::PendingSeen { .. } => "pending_seen",
            Event::TargetDone { .. } => "target_done",
            Event::AttemptFailed { .. } => "attempt_failed",
            Event::Succeeded { .. } => "succeeded",
            Event::Failed { .. } => "failed",
            Event::UndoStarted { .. } => "undo_started",
            Event::Undone { .. } => "undone",
            Event::UndoFailed { .. } => "undo_failed",
            Event::CancelRequested { .. } => "cancel_requested",
            Event::StuckAction { .. } => "stuck_action",
            Event::Finished { .. } => "finished",
            Event::Unknown => "unknown",
        }
    }
}
