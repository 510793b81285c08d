//! What can go wrong: in a step (plain data, journalled) and in the engine.

use crate::{OperationId, StuckAction, journal::JournalError};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// Why a step or an undo failed, as plain data: the engine reads the two flags, everything else is the host's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepError {
    /// The host's word for the kind of error.
    #[serde(default)]
    pub kind: String,
    /// A stable code, in capitals: `ARRAY_BUSY`.
    #[serde(default)]
    pub reason: String,
    /// For people: names the object and the remedy.
    pub message: String,
    /// The same call may succeed later without anybody changing anything.
    #[serde(default)]
    pub transient: bool,
    /// The effect may have happened all the same: a time-out is not a no.
    #[serde(default)]
    pub ambiguous: bool,
    /// The other side's own code and words; never secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl StepError {
    /// An error that stays the same however often one tries, and after which surely nothing happened.
    pub fn permanent(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind: String::new(),
            reason: reason.into(),
            message: message.into(),
            transient: false,
            ambiguous: false,
            metadata: BTreeMap::new(),
        }
    }

    /// An error that may go away by itself.
    pub fn transient(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self { transient: true, ..Self::permanent(reason, message) }
    }

    /// The same error, after which the effect may be there all the same.
    #[must_use]
    pub fn ambiguous(mut self) -> Self {
        self.ambiguous = true;
        self
    }

    /// The same error with the host's word for its kind.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = kind.into();
        self
    }

    /// The same error with a fact more.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StepError {}

/// Why the engine refused a call. Nothing happened where one of these is returned.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SagaError {
    /// No such operation.
    #[error("there is no operation {0}; list the operations to see their ids")]
    UnknownOperation(OperationId),
    /// Another operation holds what this one needs.
    #[error("{resource} is held by operation {holder} ({holder_kind}); wait for it or cancel it")]
    ClaimConflict {
        /// What both need.
        resource: String,
        /// Who holds it.
        holder: OperationId,
        /// The holder's kind.
        holder_kind: String,
    },
    /// The request id was used before, for something else.
    #[error(
        "request id '{request}' already stands for operation {operation}, which was asked with other parameters; use a new id"
    )]
    RequestReused {
        /// The id.
        request: String,
        /// What it stands for.
        operation: OperationId,
    },
    /// Cancel came too late, or makes no sense.
    #[error("operation {operation} cannot be cancelled: {because}")]
    CancelRefused {
        /// Which operation.
        operation: OperationId,
        /// Why not.
        because: String,
    },
    /// The operation is not in a state in which this may be decided.
    #[error("operation {operation} does not take '{action:?}': {because}")]
    ActionRefused {
        /// Which operation.
        operation: OperationId,
        /// What was asked.
        action: StuckAction,
        /// Why not.
        because: String,
    },
    /// The gateway is going down.
    #[error("no new operations are taken while the service stops; ask again when it is back")]
    Draining,
    /// No code for this kind.
    #[error("no code is registered for operations of kind {kind} version {version}")]
    Unregistered {
        /// The kind.
        kind: String,
        /// The version.
        version: u16,
    },
    /// The parameters do not serialise, or the code does not understand them.
    #[error("the parameters of {kind} are unusable: {because}")]
    BadParams {
        /// The kind.
        kind: String,
        /// Why.
        because: String,
    },
    /// The journal cannot be written or read.
    #[error("the journal refused")]
    Journal(#[source] JournalError),
}

impl SagaError {
    /// A stable code for the host's table of errors.
    pub fn reason(&self) -> &'static str {
        match self {
            SagaError::UnknownOperation(_) => "OPERATION_NOT_FOUND",
            SagaError::ClaimConflict { .. } => "CLAIM_CONFLICT",
            SagaError::RequestReused { .. } => "REQUEST_ID_REUSED",
            SagaError::CancelRefused { .. } => "CANCEL_REFUSED",
            SagaError::ActionRefused { .. } => "STUCK_ACTION_REFUSED",
            SagaError::Draining => "DRAINING",
            SagaError::Unregistered { .. } => "KIND_UNREGISTERED",
            SagaError::BadParams { .. } => "PARAMS_UNUSABLE",
            SagaError::Journal(_) => "JOURNAL_FAILED",
        }
    }
}
