//! An operation as the sum of its events: a pure fold, and the one decision what comes next.
//!
//! The engine and recovery ask the same function ([`History::next_move`]), so that an operation that crashed goes on
//! exactly as one that did not.

use crate::{
    Accepted, Event, OperationId, Outcome, Record, StepError, StuckAction,
    status::{IllegalEvent, StepStatus, next},
};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// Where an operation stands, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Durable, nothing started.
    Accepted,
    /// Going forward.
    Running,
    /// Taking back what was done.
    Undoing,
    /// Ended well.
    Succeeded,
    /// Ended with an error (or abandoned).
    Failed,
    /// Ended because somebody asked.
    Cancelled,
    /// Waits for a person.
    Stuck,
}

/// What is to be done next. Steps by their index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Run this step (again).
    Run(usize),
    /// Undo this step (again).
    Undo(usize),
    /// Write the end.
    Finish(Outcome),
    /// Wait for a person to decide about this step.
    Stuck(usize),
    /// Nothing: it has ended.
    Nothing,
}

/// The records do not make an operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// There are none.
    #[error("the operation has no records")]
    Empty,
    /// The first is something else.
    #[error("record 0 is '{0}' and not 'accepted'")]
    NoAccepted(&'static str),
    /// A hole, a duplicate, or another operation's record.
    #[error("record {got} stands where {expected} belongs")]
    Sequence {
        /// The place.
        expected: u32,
        /// What stands there.
        got: u32,
    },
    /// A step that `Accepted` did not list, or a list with duplicates.
    #[error("record {seq} speaks of step '{step}', which the operation does not have exactly once")]
    UnknownStep {
        /// Which record.
        seq: u32,
        /// Its step.
        step: String,
    },
    /// No step in this status takes this event.
    #[error("record {seq} is impossible")]
    Step {
        /// Which record.
        seq: u32,
        /// Why.
        #[source]
        source: IllegalEvent,
    },
    /// The operation as a whole does not take this event now.
    #[error("record {seq} ('{event}') is impossible: {because}")]
    Operation {
        /// Which record.
        seq: u32,
        /// The event's name.
        event: &'static str,
        /// Why.
        because: String,
    },
}

/// The last thing that a step's other side said while it was working.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Opaque: goes back to the step at the next call.
    pub resume: String,
    /// How far it is, where known.
    pub percent: Option<u8>,
}

/// A step as the sum of its events.
#[derive(Debug, Clone, PartialEq)]
pub struct StepHistory {
    /// Its name, unique in the operation.
    pub name: String,
    /// Where it stands.
    pub status: StepStatus,
    /// How often it was started; of the undo once that has begun.
    pub attempts: u32,
    /// Values made once.
    pub planned: BTreeMap<String, Value>,
    /// Targets done, with what the step noted of each.
    pub targets: BTreeMap<String, Value>,
    /// What the run last heard.
    pub run_pending: Option<Pending>,
    /// What the undo last heard.
    pub undo_pending: Option<Pending>,
    /// What it made.
    pub output: Option<Value>,
    /// The last error of run or undo, repeated tries included.
    pub error: Option<StepError>,
    /// Why there was nothing to undo, or why the undo left the effect as it is, where that was so.
    pub undo_note: Option<String>,
    /// Who said that its undo shall be skipped: its effect may still be there.
    pub undo_skipped_by: Option<String>,
    /// When it was first started.
    pub started_at: Option<Timestamp>,
    /// When its last event was written.
    pub changed_at: Option<Timestamp>,
    /// A try is open: it was started and no answer is recorded.
    open: bool,
    /// Some effect of it may exist, whatever a later try was told.
    tainted: bool,
}

impl StepHistory {
    fn new(name: String) -> Self {
        Self {
            name,
            status: StepStatus::NotStarted,
            attempts: 0,
            planned: BTreeMap::new(),
            targets: BTreeMap::new(),
            run_pending: None,
            undo_pending: None,
            output: None,
            error: None,
            undo_note: None,
            undo_skipped_by: None,
            started_at: None,
            changed_at: None,
            open: false,
            tainted: false,
        }
    }

    fn apply(&mut self, event: &Event, at: Timestamp) -> Result<(), IllegalEvent> {
        let before = self.status;
        self.status = next(before, event)?;
        self.changed_at = Some(at);
        match event {
            Event::Planned { key, value, .. } => {
                self.planned.insert(key.clone(), value.clone());
            }
            Event::Started { attempt, .. } => {
                // A try without an answer was cut off by a crash: its effect may exist.
                self.tainted |= self.open;
                self.open = true;
                self.attempts = *attempt;
                self.started_at.get_or_insert(at);
            }
            Event::UndoStarted { attempt, .. } => self.attempts = *attempt,
            Event::PendingSeen { resume, percent, .. } => {
                let pending = Some(Pending { resume: resume.clone(), percent: *percent });
                if before == StepStatus::Undoing {
                    self.undo_pending = pending;
                } else {
                    self.tainted = true;
                    self.run_pending = pending;
                }
            }
            Event::TargetDone { target, data, .. } => {
                self.tainted = true;
                self.targets.insert(target.clone(), data.clone());
            }
            Event::AttemptFailed { error, .. } => {
                // After a plain no the other side's job is over; after an unclear answer it may still be working.
                if !error.ambiguous {
                    if before == StepStatus::Undoing {
                        self.undo_pending = None;
                    } else {
                        self.run_pending = None;
                    }
                }
                self.close(error);
            }
            Event::Failed { error, .. } | Event::UndoFailed { error, .. } => self.close(error),
            Event::Succeeded { output, .. } => {
                self.open = false;
                self.output = Some(output.clone());
                self.error = None;
            }
            Event::Undone { because, .. } => self.undo_note.clone_from(because),
            Event::StuckAction { action, who, .. } => {
                if before == StepStatus::UndoFailed && *action == StuckAction::Skip {
                    self.undo_skipped_by = Some(who.clone());
                }
                self.run_pending = None;
                self.undo_pending = None;
            }
            Event::Accepted(_) | Event::CancelRequested { .. } | Event::Finished { .. } | Event::Unknown => {}
        }
        Ok(())
    }

    /// Whether the run may have had an effect.
    pub(crate) fn may_have_acted(&self) -> bool {
        self.tainted || self.open || self.output.is_some()
    }

    fn close(&mut self, error: &StepError) {
        self.open = false;
        self.tainted |= error.ambiguous;
        self.error = Some(error.clone());
    }
}

/// An operation as the sum of its events.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// Which operation.
    pub id: OperationId,
    /// What was asked.
    pub accepted: Accepted,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When the last event was written.
    pub changed_at: Timestamp,
    /// Its steps, in order.
    pub steps: Vec<StepHistory>,
    /// Who asked for it to stop.
    pub cancelled_by: Option<String>,
    /// The step that failed and why; what turned the operation back.
    pub failure: Option<(String, StepError)>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// What it answers.
    pub result: Value,
    /// The place of the next record.
    pub next_seq: u32,
    abandoned: bool,
}

impl History {
    /// Folds records into an operation, or says which of them is impossible.
    pub fn replay<'a>(records: impl IntoIterator<Item = &'a Record>) -> Result<Self, ReplayError> {
        let mut records = records.into_iter();
        let mut history = Self::accept(records.next().ok_or(ReplayError::Empty)?)?;
        for record in records {
            history.apply(record)?;
        }
        Ok(history)
    }

    /// Begins with the first record.
    pub fn accept(record: &Record) -> Result<Self, ReplayError> {
        if record.seq != 0 {
            return Err(ReplayError::Sequence { expected: 0, got: record.seq });
        }
        let Event::Accepted(accepted) = &record.event else {
            return Err(ReplayError::NoAccepted(record.event.name()));
        };
        let unknown = |step: &String| ReplayError::UnknownStep { seq: 0, step: step.clone() };
        for (place, name) in accepted.steps.iter().enumerate() {
            if accepted.steps[..place].contains(name) {
                return Err(unknown(name));
            }
        }
        if let Some(pivot) = accepted.pivot.as_ref().filter(|pivot| !accepted.steps.contains(pivot)) {
            return Err(unknown(pivot));
        }
        Ok(Self {
            id: record.operation,
            accepted: accepted.clone(),
            accepted_at: record.at,
            changed_at: record.at,
            steps: accepted.steps.iter().cloned().map(StepHistory::new).collect(),
            cancelled_by: None,
            failure: None,
            outcome: None,
            result: Value::Null,
            next_seq: 1,
            abandoned: false,
        })
    }

    /// The steps whose undo a person skipped: their effects may still be there.
    pub fn undos_skipped(&self) -> impl Iterator<Item = &StepHistory> {
        self.steps.iter().filter(|step| step.undo_skipped_by.is_some())
    }

    /// Adds one record, or says why it is impossible and stays as it was.
    pub fn apply(&mut self, record: &Record) -> Result<(), ReplayError> {
        let seq = record.seq;
        if seq != self.next_seq || record.operation != self.id {
            return Err(ReplayError::Sequence { expected: self.next_seq, got: seq });
        }
        self.permits(&record.event).map_err(|because| ReplayError::Operation {
            seq,
            event: record.event.name(),
            because,
        })?;
        let abandon = matches!(record.event, Event::StuckAction { action: StuckAction::Abandon, .. });
        if let Some(name) = record.event.step().filter(|_| !abandon) {
            let index = self.index(name).ok_or_else(|| ReplayError::UnknownStep { seq, step: name.to_owned() })?;
            self.steps[index].apply(&record.event, record.at).map_err(|source| ReplayError::Step { seq, source })?;
        }
        self.absorb(&record.event);
        self.changed_at = record.at;
        self.next_seq += 1;
        Ok(())
    }

    fn absorb(&mut self, event: &Event) {
        match event {
            Event::Failed { step, error } => self.failure = Some((step.clone(), error.clone())),
            Event::CancelRequested { who } => self.cancelled_by = Some(who.clone()),
            Event::StuckAction { action: StuckAction::Abandon, .. } => self.abandoned = true,
            // A decision about a failed run (past the pivot) sends the operation forward again.
            Event::StuckAction { step, .. }
                if self.pivot_passed() && self.failure.as_ref().is_some_and(|(failed, _)| failed == step) =>
            {
                self.failure = None;
            }
            Event::Finished { outcome, result } => {
                self.outcome = Some(*outcome);
                self.result = result.clone();
            }
            _ => {}
        }
    }

    /// Whether the operation as a whole takes the event now; the step's own table is asked separately.
    fn permits(&self, event: &Event) -> Result<(), String> {
        if self.outcome.is_some() {
            return Err("the operation has ended".into());
        }
        let wanted = match event {
            Event::Accepted(_) => return Err("an operation is accepted once".into()),
            Event::Unknown => return Err("it was written by newer code".into()),
            Event::CancelRequested { .. } => return self.cancellable(),
            Event::StuckAction { action: StuckAction::Abandon, .. } => return Ok(()),
            Event::Started { step, .. } => self.index(step).map(Move::Run),
            Event::Planned { step, .. } => match self.index(step) {
                Some(index) if self.steps[index].status == StepStatus::NotStarted => Some(Move::Run(index)),
                _ => return Ok(()),
            },
            Event::UndoStarted { step, .. } | Event::Undone { step, .. } => self.index(step).map(Move::Undo),
            Event::StuckAction { step, .. } => self.index(step).map(Move::Stuck),
            Event::Finished { outcome, .. } => Some(Move::Finish(*outcome)),
            Event::PendingSeen { .. }
            | Event::TargetDone { .. }
            | Event::AttemptFailed { .. }
            | Event::Succeeded { .. }
            | Event::Failed { .. }
            | Event::UndoFailed { .. } => return Ok(()),
        };
        let now = self.next_move();
        if wanted.is_none_or(|wanted| wanted == now) { Ok(()) } else { Err(format!("next comes {now:?}")) }
    }

    /// What is to be done next.
    pub fn next_move(&self) -> Move {
        if self.outcome.is_some() {
            return Move::Nothing;
        }
        if self.abandoned {
            return Move::Finish(Outcome::Abandoned);
        }
        let first = |status| self.steps.iter().position(|step| step.status == status);
        if let Some(index) = first(StepStatus::UndoFailed) {
            return Move::Stuck(index);
        }
        if let Some(index) = first(StepStatus::Undoing) {
            return Move::Undo(index);
        }
        if self.failure.is_some() && self.pivot_passed() {
            return first(StepStatus::Failed).map_or(Move::Finish(Outcome::Failed), Move::Stuck);
        }
        if self.failure.is_some() || self.cancelled_by.is_some() {
            let left = self.steps.iter().rposition(|step| {
                matches!(step.status, StepStatus::Started | StepStatus::Succeeded | StepStatus::Failed)
            });
            let end = if self.cancelled_by.is_some() { Outcome::Cancelled } else { Outcome::Failed };
            return left.map_or(Move::Finish(end), Move::Undo);
        }
        self.steps
            .iter()
            .position(|step| matches!(step.status, StepStatus::NotStarted | StepStatus::Started))
            .map_or(Move::Finish(Outcome::Succeeded), Move::Run)
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        match (self.outcome, self.next_move()) {
            (Some(Outcome::Succeeded), _) => State::Succeeded,
            (Some(Outcome::Failed | Outcome::Abandoned), _) => State::Failed,
            (Some(Outcome::Cancelled), _) => State::Cancelled,
            (None, Move::Stuck(_)) => State::Stuck,
            (None, Move::Run(0)) if self.steps[0].status == StepStatus::NotStarted => State::Accepted,
            (None, Move::Run(_) | Move::Finish(Outcome::Succeeded)) => State::Running,
            // Given up, and its end is not written yet: past the pivot nothing is undone.
            (None, Move::Finish(Outcome::Abandoned)) if self.pivot_passed() => State::Running,
            (None, Move::Undo(_) | Move::Finish(_) | Move::Nothing) => State::Undoing,
        }
    }

    /// Whether only forward is allowed: the pivot ran, or may have had an effect. A pivot that was told a plain no, at
    /// every try, has not been passed.
    pub fn pivot_passed(&self) -> bool {
        let Some(pivot) = self.pivot() else { return false };
        match pivot.status {
            StepStatus::Started | StepStatus::Succeeded | StepStatus::Skipped => true,
            StepStatus::Failed => pivot.tainted,
            StepStatus::NotStarted | StepStatus::Undoing | StepStatus::Undone | StepStatus::UndoFailed => false,
        }
    }

    /// Whether it may be cancelled now, or why not.
    pub fn cancellable(&self) -> Result<(), String> {
        if self.outcome.is_some() {
            return Err("it has ended".into());
        }
        if let Some(who) = &self.cancelled_by {
            return Err(format!("{who} has cancelled it already"));
        }
        if self.pivot_passed() {
            let name = self.pivot().map_or("", |pivot| pivot.name.as_str());
            return Err(format!("step '{name}' has started, and from there only forward is safe"));
        }
        if let Some((step, _)) = &self.failure {
            return Err(format!("step '{step}' failed and the operation is being undone anyway"));
        }
        Ok(())
    }

    /// A step by name.
    pub fn step(&self, name: &str) -> Option<&StepHistory> {
        self.steps.iter().find(|step| step.name == name)
    }

    fn index(&self, name: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.name == name)
    }

    fn pivot(&self) -> Option<&StepHistory> {
        self.accepted.pivot.as_deref().and_then(|name| self.step(name))
    }
}
