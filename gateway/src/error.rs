//! The gateway's error: a kind, a reason for machines, a sentence for people, and what to do next.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strata_kit::status::{ErrorReport, StatusBuilder};
use strata_model::ErrorKind;
use strata_saga::{SagaError, StepError};
use tonic::Status;

/// Result of everything in the gateway.
pub type Result<T, E = GatewayError> = std::result::Result<T, E>;

/// What went wrong. It is journalled with operations, so it is plain data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct GatewayError {
    /// What the caller can do about it.
    pub kind: ErrorKind,
    /// UPPER_SNAKE, stable: `VM_RUNNING`.
    pub reason: String,
    /// One sentence that names the object and, where it can, the remedy.
    pub message: String,
    /// The request field that is wrong, for InvalidArgument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Every varying word of the message, by name, and the vendor's own code and text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// What to do next, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
}

impl GatewayError {
    /// An error of this kind.
    pub fn new(kind: ErrorKind, reason: &str, message: impl Into<String>) -> Self {
        Self {
            kind,
            reason: reason.to_owned(),
            message: message.into(),
            field: None,
            metadata: BTreeMap::new(),
            hints: Vec::new(),
        }
    }

    /// A request field is wrong; `message` says how to mend it.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        let mut error = Self::new(ErrorKind::InvalidArgument, "INVALID_FIELD", message);
        error.field = Some(field.to_owned());
        error
    }

    /// An object that is not there.
    pub fn not_found(what: &str, name: &str) -> Self {
        let reason = format!("{}_NOT_FOUND", what.to_uppercase().replace(' ', "_"));
        Self::new(ErrorKind::NotFound, &reason, format!("there is no {what} '{name}'")).with("name", name)
    }

    /// The state of the world forbids it.
    pub fn conflict(reason: &str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, reason, message)
    }

    /// Neither array nor vCenter can do it.
    pub fn unsupported(reason: &str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, reason, message)
    }

    /// A bug of ours, or an answer that no document describes.
    pub fn unexpected(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unexpected, "UNEXPECTED", message)
    }

    /// Adds a varying word.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.metadata.insert(name.to_owned(), value.to_string());
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.hints.push(text.into());
        self
    }
}

impl From<Status> for GatewayError {
    fn from(status: Status) -> Self {
        let report = ErrorReport::from_status(&status);
        let field = report.violations.first().map(|violation| violation.field.clone());
        Self {
            kind: report.kind,
            reason: report.reason,
            message: report.message,
            field,
            metadata: report.metadata,
            hints: report.hints,
        }
    }
}

impl From<&GatewayError> for Status {
    fn from(error: &GatewayError) -> Self {
        let mut builder = StatusBuilder::new(error.kind, &error.reason, &error.message);
        for (name, value) in &error.metadata {
            builder = builder.metadata(name, value);
        }
        for hint in &error.hints {
            builder = builder.hint(hint);
        }
        if let Some(field) = &error.field {
            builder = builder.violation(field, &error.message);
        }
        builder.build()
    }
}

impl From<GatewayError> for Status {
    fn from(error: GatewayError) -> Self {
        Status::from(&error)
    }
}

impl From<GatewayError> for StepError {
    fn from(error: GatewayError) -> Self {
        let mut step = match error.kind.is_transient() {
            true => StepError::transient(error.reason.clone(), error.message.clone()),
            false => StepError::permanent(error.reason.clone(), error.message.clone()),
        };
        step.ambiguous = error.kind.is_ambiguous();
        // The rest travels as one JSON text, since a step's metadata is flat.
        step.kind(serde_json::to_string(&error.kind).unwrap_or_default())
            .with("gateway_error", serde_json::to_string(&error).unwrap_or_default())
    }
}

/// The gateway's error inside a journalled step error.
pub fn from_step(error: &StepError) -> GatewayError {
    error.metadata.get("gateway_error").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| {
        let kind = if error.transient { ErrorKind::Unavailable } else { ErrorKind::Unexpected };
        GatewayError::new(kind, &error.reason, error.message.clone())
    })
}

/// What the engine refused, for callers.
pub fn from_saga(error: &SagaError) -> GatewayError {
    let kind = match error {
        SagaError::UnknownOperation(_) => ErrorKind::NotFound,
        SagaError::ClaimConflict { .. } => ErrorKind::Busy,
        SagaError::RequestReused { .. } | SagaError::CancelRefused { .. } | SagaError::ActionRefused { .. } => {
            ErrorKind::Conflict
        }
        SagaError::Draining | SagaError::Journal(_) => ErrorKind::Unavailable,
        SagaError::Unregistered { .. } | SagaError::BadParams { .. } => ErrorKind::Unexpected,
    };
    let mut message = error.to_string();
    if let Some(source) = std::error::Error::source(error) {
        message = format!("{message}: {source}");
    }
    let made = GatewayError::new(kind, error.reason(), message);
    match error {
        SagaError::ClaimConflict { resource, holder, holder_kind } => made
            .with("resource", resource)
            .with("operation", format!("operations/{holder}"))
            .with("operation_kind", holder_kind)
            .hint(format!("watch it: strata operation watch {holder}")),
        _ => made,
    }
}
