//! Places at which a test may hurt an operation. Production uses [`NoFaults`].

use crate::{OperationId, StepError};
use std::fmt::Debug;

/// Where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Point {
    /// Nothing of the step is in the journal.
    BeforeStarted,
    /// `Started` is durable, the effect has not begun.
    AfterStarted,
    /// The effect may have happened; its answer has not been looked at.
    EffectDone,
    /// The answer is known, and not durable yet.
    OutcomeUnflushed,
    /// `UndoStarted` is durable, the undo has not begun.
    DuringUndo,
    /// The undo may have happened; its answer has not been looked at.
    UndoEffectDone,
}

/// What happens there.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The operation stops as if the process had died: nothing more is written.
    Kill,
    /// This error instead of the step's answer.
    Fail(StepError),
    /// The answer is dropped and the step (or undo) called again.
    Repeat,
}

/// Decides.
pub trait Faults: Debug + Send + Sync + 'static {
    /// What happens at this point of this step.
    fn at(&self, operation: OperationId, point: Point, step: &str) -> Fault;
}

/// Nothing ever happens.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFaults;

impl Faults for NoFaults {
    fn at(&self, _: OperationId, _: Point, _: &str) -> Fault {
        Fault::None
    }
}
