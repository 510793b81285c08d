//! What a run and an undo are given. A context is made only from a permit, and a permit only by a flushed `Started` or
//! `UndoStarted`: no step can act before the journal knows that it may.

use crate::{Event, History, OperationId, StepError, log::OperationLog, operation::Operation};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};
use tokio_util::sync::CancellationToken;

/// Proof that the journal holds, durably, that the step may have effects from now on. Of a passive step, which has none outside
/// this process, it holds so with its next flush.
pub(crate) struct Permit(());

impl Permit {
    /// Only [`OperationLog`] calls this, after the flush.
    pub(super) fn granted() -> Self {
        Self(())
    }
}

/// One call's view of its operation.
#[derive(Clone)]
pub(crate) struct Scope {
    pub(crate) log: Arc<OperationLog>,
    pub(crate) step: usize,
    pub(crate) cancel: CancellationToken,
}

pub(crate) fn read_output<T: DeserializeOwned>(history: &History, step: &str) -> Result<T, StepError> {
    let output = history.step(step).and_then(|step| step.output.as_ref()).ok_or_else(|| {
        StepError::permanent("OUTPUT_ABSENT", format!("step '{step}' has no output (it did not run, or was skipped)"))
    })?;
    typed(output, step)
}

fn typed<T: DeserializeOwned>(value: &Value, what: &str) -> Result<T, StepError> {
    T::deserialize(value).map_err(|error| {
        StepError::permanent("OUTPUT_UNUSABLE", format!("the journal's value of '{what}' has another form: {error}"))
    })
}

impl Scope {
    fn history(&self) -> Arc<History> {
        self.log.history()
    }

    fn planned<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StepError> {
        self.history().steps[self.step].planned.get(key).map(|value| typed(value, key)).transpose()
    }
}

/// Given to a step's run.
pub struct RunContext<O: Operation> {
    scope: Scope,
    params: Arc<O::Params>,
    context: O::Context,
}

/// Given to a step's undo.
pub struct UndoContext<O: Operation> {
    scope: Scope,
    params: Arc<O::Params>,
    context: O::Context,
}

macro_rules! shared_by_both {
    ($name:ident) => {
        impl<O: Operation> $name<O> {
            pub(crate) fn new(_permit: Permit, scope: Scope, params: Arc<O::Params>, context: O::Context) -> Self {
                Self { scope, params, context }
            }

            /// What was asked.
            pub fn params(&self) -> &O::Params {
                &self.params
            }

            /// The host's ports.
            pub fn context(&self) -> &O::Context {
                &self.context
            }

            /// Which operation this is.
            pub fn operation(&self) -> OperationId {
                self.scope.history().id
            }

            /// Which try this is; 1 for the first.
            pub fn attempt(&self) -> u32 {
                self.scope.history().steps[self.scope.step].attempts
            }

            /// A step's output, by the step's name. An absent one is an error that names the step.
            pub fn output<T: DeserializeOwned>(&self, step: &str) -> Result<T, StepError> {
                read_output(&self.scope.history(), step)
            }

            /// A value that an earlier step (or this one) planned, where it did.
            pub fn planned_by<T: DeserializeOwned>(&self, step: &str, key: &str) -> Result<Option<T>, StepError> {
                let history = self.scope.history();
                let value = history.step(step).and_then(|step| step.planned.get(key));
                value.map(|value| typed(value, key)).transpose()
            }

            /// The targets of this step that are done already, with what was noted of each.
            pub fn targets_done(&self) -> BTreeMap<String, Value> {
                self.scope.history().steps[self.scope.step].targets.clone()
            }

            /// Tells watchers how it goes. Not journalled, never waits.
            pub fn progress(&self, percent: Option<u8>, text: impl Into<String>) {
                self.scope.log.report(self.scope.step, percent, text.into());
            }
        }
    };
}
shared_by_both!(RunContext);
shared_by_both!(UndoContext);

impl<O: Operation> RunContext<O> {
    /// What this run last answered with `Pending`, if it did and no plain no came since.
    pub fn resume(&self) -> Option<String> {
        self.scope.history().steps[self.scope.step].run_pending.as_ref().map(|pending| pending.resume.clone())
    }

    /// A value (a name, a uuid) that is made once, is in the journal and flushed before it is returned, and is the same
    /// on every re-run. Values from [`crate::Step::plan`] are found here too.
    pub async fn planned<T, F>(&self, key: &str, make: F) -> Result<T, StepError>
    where
        T: Serialize + DeserializeOwned,
        F: FnOnce() -> T,
    {
        if let Some(value) = self.scope.planned(key)? {
            return Ok(value);
        }
        let value = serde_json::to_value(make()).map_err(|error| {
            StepError::permanent("PLANNED_UNUSABLE", format!("the value of '{key}' does not serialise: {error}"))
        })?;
        let step = self.scope.log.step_name(self.scope.step);
        self.scope.log.write_in_step(Event::Planned { step, key: key.to_owned(), value: value.clone() }, true).await?;
        typed(&value, key)
    }

    /// The value of a key, where this step planned it before: by [`RunContext::planned`], also in a try that broke off.
    pub fn find_planned<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StepError> {
        self.scope.planned(key)
    }

    /// Notes that one of several targets (a disk, a host) is done, so that a re-run leaves it out. Durable with the next
    /// flush: a re-run may still meet a target that was done, as after any crash.
    pub async fn target_done(&self, target: &str, data: &impl Serialize) -> Result<(), StepError> {
        let data = serde_json::to_value(data).map_err(|error| {
            StepError::permanent("TARGET_UNUSABLE", format!("the note on '{target}' does not serialise: {error}"))
        })?;
        let step = self.scope.log.step_name(self.scope.step);
        self.scope.log.write_in_step(Event::TargetDone { step, target: target.to_owned(), data }, false).await
    }

    /// Whether somebody asked for the operation to stop. A step with many targets asks between them, and answers any
    /// error: it is undone.
    pub fn cancel_requested(&self) -> bool {
        self.scope.cancel.is_cancelled()
    }

    /// Returns when somebody asks for the operation to stop.
    pub async fn cancelled(&self) {
        self.scope.cancel.cancelled().await;
    }
}

impl<O: Operation> UndoContext<O> {
    /// What this undo last answered with `Pending`, if it did and no plain no came since.
    pub fn resume(&self) -> Option<String> {
        self.scope.history().steps[self.scope.step].undo_pending.as_ref().map(|pending| pending.resume.clone())
    }

    /// What the run last answered with `Pending`: a job that may still be on its way.
    pub fn run_resume(&self) -> Option<String> {
        self.scope.history().steps[self.scope.step].run_pending.as_ref().map(|pending| pending.resume.clone())
    }

    /// The steps whose undo a person skipped: what they did may still be there.
    pub fn undos_skipped(&self) -> Vec<String> {
        self.scope.history().undos_skipped().map(|step| step.name.clone()).collect()
    }

    /// Whether the run may have had an effect: it succeeded, waited for the other side, noted a target, or its answer is
    /// not known. After a plain no it has none.
    pub fn run_may_have_acted(&self) -> bool {
        self.scope.history().steps[self.scope.step].may_have_acted()
    }

    /// A value that the run planned. Where it is absent, the run did not get as far as making anything that bears it.
    pub fn planned<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StepError> {
        self.scope.planned(key)
    }

    /// The step's own output, where it succeeded. Do not rely on it: a step that failed has none and must be undone
    /// all the same.
    pub fn own_output<T: DeserializeOwned>(&self) -> Result<Option<T>, StepError> {
        self.scope.history().steps[self.scope.step].output.as_ref().map(|value| typed(value, "own output")).transpose()
    }
}
