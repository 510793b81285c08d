//! What a step's plan sees: enough to make names, nothing to act with but the operation's own context.

use crate::{History, OperationId, StepError, context::read_output, operation::Operation};
use serde::de::DeserializeOwned;

/// Given to [`crate::Step::plan`].
pub struct PlanContext<'a, O: Operation> {
    pub(crate) params: &'a O::Params,
    pub(crate) context: &'a O::Context,
    pub(crate) history: &'a History,
}

impl<O: Operation> PlanContext<'_, O> {
    /// What was asked.
    pub fn params(&self) -> &O::Params {
        self.params
    }

    /// The host's ports.
    pub fn context(&self) -> &O::Context {
        self.context
    }

    /// Which operation this is.
    pub fn operation(&self) -> OperationId {
        self.history.id
    }

    /// An earlier step's output.
    pub fn output<T: DeserializeOwned>(&self, step: &str) -> Result<T, StepError> {
        read_output(self.history, step)
    }
}
