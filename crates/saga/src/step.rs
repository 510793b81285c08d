//! What an operation is made of: steps with a run, an undo (or the reason for having none), patience and a deadline.

use crate::{OperationId, RunContext, StepError, UndoContext, operation::Operation, plan_context::PlanContext};
use futures::future::BoxFuture;
use serde_json::Value;
use std::{future::Future, sync::Arc, time::Duration};

/// What a run or an undo answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// It is done; the value is the step's output (of an undo's only [`Progress::kept`] is).
    Done(Value),
    /// The other side works on it. The engine journals `resume`, waits, and calls again with it.
    Pending {
        /// How long to leave the other side alone.
        ask_again_after: Duration,
        /// Opaque: an array's job, vCenter's task.
        resume: String,
        /// How far it is, where known.
        percent: Option<u8>,
    },
}

impl Progress {
    /// Done, with nothing to tell.
    pub fn done() -> Self {
        Progress::Done(Value::Null)
    }

    /// An undo that leaves the step's effect as it is, for this reason; journalled.
    pub fn kept(because: impl Into<String>) -> Self {
        Progress::Done(Value::String(because.into()))
    }

    /// Done, with an output that later steps read by the step's name.
    pub fn output(output: &impl serde::Serialize) -> Result<Self, StepError> {
        serde_json::to_value(output).map(Progress::Done).map_err(|error| {
            StepError::permanent("OUTPUT_UNUSABLE", format!("the output does not serialise: {error}")).ambiguous()
        })
    }
}

/// What a run or an undo returns.
pub type StepResult = Result<Progress, StepError>;

/// How often, and how patiently, a step is tried. Delays double from the first to the ceiling; they are never random.
#[derive(Debug, Clone, Copy)]
pub struct Retry {
    /// The number of tries of a run, the first included. Undo tries for as long as its errors are transient.
    pub attempts_max: u32,
    /// The delay before the second try.
    pub first_delay: Duration,
    /// No delay is longer than this.
    pub ceiling: Duration,
    /// Which errors may go away by themselves; by default those that say so.
    pub transient: fn(&StepError) -> bool,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts_max: 5,
            first_delay: Duration::from_millis(200),
            ceiling: Duration::from_secs(30),
            transient: |error| error.transient,
        }
    }
}

impl Retry {
    /// One try and no more.
    pub fn never() -> Self {
        Self { attempts_max: 1, ..Self::default() }
    }

    /// The delay after the `attempt`-th try (1 for the first).
    pub fn delay(&self, attempt: u32) -> Duration {
        let doubled = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first_delay.saturating_mul(doubled).min(self.ceiling)
    }
}

pub(crate) type Run<O> = Arc<dyn Fn(RunContext<O>) -> BoxFuture<'static, StepResult> + Send + Sync>;
pub(crate) type UndoFn<O> = Arc<dyn Fn(UndoContext<O>) -> BoxFuture<'static, StepResult> + Send + Sync>;
pub(crate) type Plan<O> = Arc<dyn Fn(&PlanContext<'_, O>) -> Vec<(String, Value)> + Send + Sync>;

/// How a step is taken back. Every step says one of these.
pub enum Undo<O: Operation> {
    /// By this function. It also runs for a step that started and did not succeed, so it goes by planned names and not
    /// by outputs, and the absent is success.
    By(UndoFn<O>),
    /// There is nothing to take back, for this reason.
    Nothing {
        /// Why; journalled.
        because: &'static str,
    },
    /// This step is the point of no return: once it may have had an effect, only forward is allowed. At most one a
    /// list.
    Pivot,
}

impl<O: Operation> Undo<O> {
    /// Taken back by this function.
    pub fn by<F, Answer>(undo: F) -> Self
    where
        F: Fn(UndoContext<O>) -> Answer + Send + Sync + 'static,
        Answer: Future<Output = StepResult> + Send + 'static,
    {
        Undo::By(Arc::new(move |context| Box::pin(undo(context))))
    }

    /// Nothing to take back, and why.
    pub fn nothing(because: &'static str) -> Self {
        Undo::Nothing { because }
    }

    /// The point of no return.
    pub fn pivot() -> Self {
        Undo::Pivot
    }
}

/// One step.
pub struct Step<O: Operation> {
    pub(crate) name: &'static str,
    pub(crate) run: Run<O>,
    pub(crate) undo: Undo<O>,
    pub(crate) plan: Option<Plan<O>>,
    pub(crate) retry: Retry,
    pub(crate) deadline: Duration,
    pub(crate) passive: bool,
}

impl<O: Operation> Step<O> {
    /// A step. `run` may be called many times and must mean once: it converges on planned names.
    pub fn new<F, Answer>(name: &'static str, run: F, undo: Undo<O>) -> Self
    where
        F: Fn(RunContext<O>) -> Answer + Send + Sync + 'static,
        Answer: Future<Output = StepResult> + Send + 'static,
    {
        Self {
            name,
            run: Arc::new(move |context| Box::pin(run(context))),
            undo,
            plan: None,
            retry: Retry::default(),
            deadline: Duration::from_secs(600),
            passive: false,
        }
    }

    /// It has no effect outside this process but on views that are computed anew from the journal at the start: its
    /// `Started` needs no flush of its own. What came before it may then not be durable yet when it runs.
    #[must_use]
    pub fn passive(mut self) -> Self {
        self.passive = true;
        self
    }

    /// Names and ids to make before the step starts, by key. They are made once and share the flush of `Started`, so
    /// they cost nothing; [`RunContext::planned`] costs a flush each.
    #[must_use]
    pub fn plan<F>(mut self, plan: F) -> Self
    where
        F: Fn(&PlanContext<'_, O>) -> Vec<(String, Value)> + Send + Sync + 'static,
    {
        self.plan = Some(Arc::new(plan));
        self
    }

    /// Another patience than the default.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// How long the run may take, tries and waiting included (begun anew after a restart of the service), and how long
    /// one call of the undo may. What is cut off counts as ambiguous.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

/// Short form of an operation id for names on other systems: its last 12 hex digits, the random ones.
pub fn short(operation: OperationId) -> String {
    let text = operation.0.simple().to_string();
    text[text.len() - 12..].to_owned()
}
