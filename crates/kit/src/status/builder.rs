//! From an error to a gRPC status with google.rpc details.

use super::{report, table::row};
use std::{collections::BTreeMap, error::Error, time::Duration};
use strata_model::ErrorKind;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// `ErrorInfo.domain` of every error of ours.
pub const DOMAIN: &str = "strata";

/// Most bytes of message and details together as they travel in the trailers; peers accept 8 KiB of metadata.
pub const DETAILS_BYTES_MAX: usize = 4096;

/// Metadata key under which the kind travels, so that the way back loses nothing.
pub(super) const KIND_KEY: &str = "kind";

/// Metadata key that says that something was cut to fit.
pub(super) const TRIMMED_KEY: &str = "trimmed";

/// An error about to be answered. ErrorInfo is always added; the other details where there is something to say.
#[derive(Debug, Clone)]
pub struct StatusBuilder {
    kind: ErrorKind,
    reason: String,
    message: String,
    metadata: BTreeMap<String, String>,
    hints: Vec<String>,
    violations: Vec<(String, String)>,
    preconditions: Vec<(String, String, String)>,
    resource: Option<(String, String)>,
    retry_after: Option<Duration>,
}

/// The short form: kind, reason and message, and nothing else to say.
pub fn to_status(kind: ErrorKind, reason: &str, message: impl Into<String>) -> Status {
    StatusBuilder::new(kind, reason, message).build()
}

impl StatusBuilder {
    /// `reason` is UPPER_SNAKE_CASE, at most 63 letters, stable: programs compare it. `message` is for people, names the object and
    /// holds no secret.
    pub fn new(kind: ErrorKind, reason: &str, message: impl Into<String>) -> Self {
        Self {
            kind,
            reason: reason.to_owned(),
            message: message.into(),
            metadata: BTreeMap::new(),
            hints: Vec::new(),
            violations: Vec::new(),
            preconditions: Vec::new(),
            resource: None,
            retry_after: None,
        }
    }

    /// The message is the error's line with all its causes.
    pub fn from_error(kind: ErrorKind, reason: &str, error: &dyn Error) -> Self {
        Self::new(kind, reason, report(error))
    }

    /// A dynamic word of the message, or the vendor's own code and text (AIP-193). Never a secret.
    #[must_use]
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// What the reader can do, one sentence (google.rpc.Help).
    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.hints.push(text.into());
        self
    }

    /// A field of the request that is wrong, by its path in the proto (google.rpc.BadRequest).
    #[must_use]
    pub fn violation(mut self, field: impl Into<String>, description: impl Into<String>) -> Self {
        self.violations.push((field.into(), description.into()));
        self
    }

    /// A condition that does not hold: its type, the object, and what is wrong (google.rpc.PreconditionFailure).
    #[must_use]
    pub fn precondition(
        mut self,
        kind: impl Into<String>,
        subject: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        self.preconditions.push((kind.into(), subject.into(), description.into()));
        self
    }

    /// The object that the error is about: its type (`strata/Vm`) and resource name (google.rpc.ResourceInfo).
    #[must_use]
    pub fn resource(mut self, resource_type: impl Into<String>, name: impl Into<String>) -> Self {
        self.resource = Some((resource_type.into(), name.into()));
        self
    }

    /// When a repeat makes sense (google.rpc.RetryInfo).
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// The status, cut to [`DETAILS_BYTES_MAX`]: long metadata first, the message last.
    pub fn build(mut self) -> Status {
        self.build_with_code(row(self.kind).code)
    }

    /// As [`StatusBuilder::build`], with the code that a peer used for the same kind.
    pub(super) fn build_with_code(&mut self, code: Code) -> Status {
        loop {
            let status = Status::with_error_details(code, self.message.clone(), self.details());
            if wire_bytes(&status) <= DETAILS_BYTES_MAX || !self.shrink() {
                return status;
            }
        }
    }

    fn details(&self) -> ErrorDetails {
        let mut metadata: std::collections::HashMap<String, String> = self.metadata.clone().into_iter().collect();
        metadata.insert(KIND_KEY.to_owned(), row(self.kind).name.to_owned());
        let mut details = ErrorDetails::with_error_info(&self.reason, DOMAIN, metadata);
        for (field, description) in &self.violations {
            details.add_bad_request_violation(field, description);
        }
        for (kind, subject, description) in &self.preconditions {
            details.add_precondition_failure_violation(kind, subject, description);
        }
        if let Some((resource_type, name)) = &self.resource {
            details.set_resource_info(resource_type, name, "", "");
        }
        if self.retry_after.is_some() {
            details.set_retry_info(self.retry_after);
        }
        for hint in &self.hints {
            details.add_help_link(hint, "");
        }
        details
    }

    /// One step smaller; false when nothing is left to cut.
    fn shrink(&mut self) -> bool {
        const KEPT_BYTES: usize = 64;
        self.metadata.insert(TRIMMED_KEY.to_owned(), "true".to_owned());
        let longest = self.metadata.values_mut().max_by_key(|value| value.len());
        if let Some(value) = longest.filter(|value| value.len() > KEPT_BYTES) {
            halve(value);
            return true;
        }
        if self.message.len() > DETAILS_BYTES_MAX / 4 {
            halve(&mut self.message);
            return true;
        }
        if let Some(key) = self.metadata.keys().rev().find(|key| *key != TRIMMED_KEY).cloned() {
            self.metadata.remove(&key);
            return true;
        }
        if self.violations.pop().is_some() || self.preconditions.pop().is_some() || self.hints.pop().is_some() {
            return true;
        }
        if self.resource.take().is_some() {
            return true;
        }
        if self.message.len() > KEPT_BYTES {
            halve(&mut self.message);
            return true;
        }
        if self.reason.len() > KEPT_BYTES {
            halve(&mut self.reason);
            return true;
        }
        false
    }
}

/// What the status takes in the trailers: the message percent-encoded, the details in base64.
pub(super) fn wire_bytes(status: &Status) -> usize {
    let plain = |byte: u8| (0x20..0x7f).contains(&byte) && !b"%\"#<>`?{}".contains(&byte);
    let message: usize = status.message().bytes().map(|byte| if plain(byte) { 1 } else { 3 }).sum();
    message + status.details().len().div_ceil(3) * 4
}

/// Keeps the first half, at a letter's boundary.
fn halve(text: &mut String) {
    let mut end = text.len() / 2;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text.push('…');
}
