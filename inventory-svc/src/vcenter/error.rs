//! What can go wrong with a vCenter.

use crate::soap::{Fault, SoapError};
use strata_model::ErrorKind;

/// Why something asked of a vCenter did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The call itself failed.
    #[error("vCenter {vcenter}: {object}: {source}")]
    Call {
        /// Configured name of the vCenter.
        vcenter: String,
        /// What it was about, in the administrator's words: `VM web-01`.
        object: String,
        /// Why.
        #[source]
        source: SoapError,
    },
    /// A task was started and failed.
    #[error("vCenter {vcenter}: {action} of {object} failed: {}", fault.describe())]
    Task {
        /// Configured name of the vCenter.
        vcenter: String,
        /// What the task does.
        action: String,
        /// What it was about.
        object: String,
        /// What vCenter said.
        fault: Box<Fault>,
    },
    /// An answer lacks what it must have.
    #[error("vCenter {vcenter}: the answer to {method} has no {what}")]
    Incomplete {
        /// Configured name of the vCenter.
        vcenter: String,
        /// The method that was called.
        method: String,
        /// What is missing.
        what: String,
    },
    /// Strata refuses, or found the world in another state than the request says.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// A refusal of ours, with everything that its reader needs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What the caller can do about it.
    pub kind: ErrorKind,
    /// For machines, in UPPER_SNAKE: `VM_NOT_FOUND`.
    pub reason: &'static str,
    /// Names the object and the remedy.
    pub message: String,
    /// Values of the message for machines.
    pub metadata: Vec<(&'static str, String)>,
}

impl Refusal {
    /// With a message and no metadata.
    pub fn new(kind: ErrorKind, reason: &'static str, message: impl Into<String>) -> Self {
        Self { kind, reason, message: message.into(), metadata: Vec::new() }
    }

    /// The request is wrong in itself.
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidArgument, "INVALID_FIELD", message).and("field", field)
    }

    /// The named object does not exist.
    pub fn not_found(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, reason, message)
    }

    /// The world's state forbids the act.
    pub fn conflict(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, reason, message)
    }

    /// Adds a value.
    #[must_use]
    pub fn and(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.metadata.push((key, value.into()));
        self
    }
}

impl Error {
    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Call { source, .. } => source.kind(),
            Error::Task { fault, .. } => fault.kind(),
            Error::Incomplete { .. } => ErrorKind::Unexpected,
            Error::Refused(refusal) => refusal.kind,
        }
    }

    /// vCenter's fault, where there is one.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Error::Call { source, .. } => source.fault(),
            Error::Task { fault, .. } => Some(fault),
            _ => None,
        }
    }

    /// Whether vCenter's fault is of this type or below it.
    pub fn is_fault(&self, name: &str) -> bool {
        self.fault().is_some_and(|fault| fault.is(name))
    }

    /// For machines, in UPPER_SNAKE.
    pub fn reason(&self) -> &'static str {
        match (self, self.kind()) {
            (Error::Refused(refusal), _) => refusal.reason,
            (Error::Incomplete { .. }, _) => "VCENTER_ANSWER_INCOMPLETE",
            (_, ErrorKind::Unavailable) => "VCENTER_UNAVAILABLE",
            (_, ErrorKind::Timeout) => "VCENTER_TIMEOUT",
            (_, ErrorKind::Unauthenticated) => "VCENTER_REFUSES_US",
            (_, ErrorKind::Forbidden) => "VCENTER_PRIVILEGE_MISSING",
            (_, ErrorKind::NotFound) => "VCENTER_OBJECT_NOT_FOUND",
            (_, ErrorKind::Busy) => "VCENTER_OBJECT_BUSY",
            _ => "VCENTER_CALL_FAILED",
        }
    }

    /// Values for machines.
    pub fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Error::Refused(refusal) => refusal.metadata.clone(),
            Error::Call { vcenter, object, source } => {
                let mut all = vec![("vcenter", vcenter.clone()), ("object", object.clone())];
                all.extend(source.fault().map(|fault| ("fault", fault.name.clone())));
                all
            }
            Error::Task { vcenter, object, fault, .. } => {
                vec![("vcenter", vcenter.clone()), ("object", object.clone()), ("fault", fault.name.clone())]
            }
            Error::Incomplete { vcenter, .. } => vec![("vcenter", vcenter.clone())],
        }
    }
}
