//! How a driver fails: a reason that callers can act on, a sentence for people, the vendor's own words as metadata.

use std::{error::Error, time::Duration};
use strata_model::ErrorKind;

/// Why, as a closed set. The text form travels as `google.rpc.ErrorInfo.reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The named volume, snapshot, file or directory is not there.
    NotFound,
    /// The request is wrong in itself.
    InvalidRequest,
    /// The key names an object of another source.
    KeyReused,
    /// An object stands there that does not carry our mark (S2).
    NotOurs,
    /// The volume under this name is not the one it was (S5).
    VolumeReplaced,
    /// Something stands where the result should be.
    TargetExists,
    /// The parts cannot be cut close enough together (S10).
    SkewTooLarge,
    /// Only with the VM off: a copy of a live disk is torn (S15).
    NeedsVmOff,
    /// The files changed while they were copied (S15).
    TornCopy,
    /// Clones depend on the snapshot.
    HasDependents,
    /// The clone is exported.
    Exported,
    /// A restore in place would delete newer snapshots (S1).
    NewerSnapshots,
    /// A host that may use it has not let go (S21).
    InUse,
    /// The volume cannot be written.
    ReadOnly,
    /// A symbolic link or a path that leaves the volume.
    UnsafePath,
    /// No space, or no quota.
    NoSpace,
    /// A limit of the array is reached.
    LimitReached,
    /// The array cannot do this at all.
    NotSupported,
    /// Somebody else works on the object.
    Busy,
    /// The array refuses our credentials.
    CredentialsRefused,
    /// The account lacks a right.
    RightMissing,
    /// The array is not reached.
    ArrayUnreachable,
    /// No answer in time.
    NoAnswer,
    /// An answer that no document describes, or a bug.
    Unexpected,
}

impl Reason {
    /// All reasons, for tests and tables.
    pub const ALL: [Reason; 24] = [
        Reason::NotFound,
        Reason::InvalidRequest,
        Reason::KeyReused,
        Reason::NotOurs,
        Reason::VolumeReplaced,
        Reason::TargetExists,
        Reason::SkewTooLarge,
        Reason::NeedsVmOff,
        Reason::TornCopy,
        Reason::HasDependents,
        Reason::Exported,
        Reason::NewerSnapshots,
        Reason::InUse,
        Reason::ReadOnly,
        Reason::UnsafePath,
        Reason::NoSpace,
        Reason::LimitReached,
        Reason::NotSupported,
        Reason::Busy,
        Reason::CredentialsRefused,
        Reason::RightMissing,
        Reason::ArrayUnreachable,
        Reason::NoAnswer,
        Reason::Unexpected,
    ];

    /// The text form and the kind of each reason: the one table.
    fn row(self) -> (&'static str, ErrorKind) {
        match self {
            Reason::NotFound => ("NOT_FOUND", ErrorKind::NotFound),
            Reason::InvalidRequest => ("INVALID_REQUEST", ErrorKind::InvalidArgument),
            Reason::KeyReused => ("KEY_REUSED", ErrorKind::Conflict),
            Reason::NotOurs => ("NOT_OURS", ErrorKind::Conflict),
            Reason::VolumeReplaced => ("VOLUME_REPLACED", ErrorKind::Conflict),
            Reason::TargetExists => ("TARGET_EXISTS", ErrorKind::Conflict),
            Reason::SkewTooLarge => ("SKEW_TOO_LARGE", ErrorKind::Conflict),
            Reason::NeedsVmOff => ("NEEDS_VM_OFF", ErrorKind::Conflict),
            Reason::TornCopy => ("TORN_COPY", ErrorKind::Conflict),
            Reason::HasDependents => ("HAS_DEPENDENTS", ErrorKind::Conflict),
            Reason::Exported => ("EXPORTED", ErrorKind::Conflict),
            Reason::NewerSnapshots => ("NEWER_SNAPSHOTS", ErrorKind::Conflict),
            Reason::InUse => ("IN_USE", ErrorKind::Conflict),
            Reason::ReadOnly => ("READ_ONLY", ErrorKind::Conflict),
            Reason::UnsafePath => ("UNSAFE_PATH", ErrorKind::InvalidArgument),
            Reason::NoSpace => ("NO_SPACE", ErrorKind::Exhausted),
            Reason::LimitReached => ("LIMIT_REACHED", ErrorKind::Exhausted),
            Reason::NotSupported => ("NOT_SUPPORTED", ErrorKind::Unsupported),
            Reason::Busy => ("BUSY", ErrorKind::Busy),
            Reason::CredentialsRefused => ("CREDENTIALS_REFUSED", ErrorKind::Unauthenticated),
            Reason::RightMissing => ("RIGHT_MISSING", ErrorKind::Forbidden),
            Reason::ArrayUnreachable => ("ARRAY_UNREACHABLE", ErrorKind::Unavailable),
            Reason::NoAnswer => ("NO_ANSWER", ErrorKind::Timeout),
            Reason::Unexpected => ("UNEXPECTED", ErrorKind::Unexpected),
        }
    }

    /// `KEY_REUSED` and the like.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// What the caller can do about it.
    pub fn kind(self) -> ErrorKind {
        self.row().1
    }
}

/// A driver's failure. Its message names the object and the remedy; secrets are never in it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct DriverError {
    /// Why.
    pub reason: Reason,
    /// For people: the object and the remedy.
    pub message: String,
    /// The vendor's own code and text, where it gave any.
    pub vendor: Option<Box<(String, String)>>,
    /// After which the same call may succeed, where the array tells.
    pub retry_after: Option<Duration>,
    /// What lies below.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl DriverError {
    /// A failure with its sentence.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), vendor: None, retry_after: None, source: None }
    }

    /// With what lies below.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// With the vendor's own code and text.
    #[must_use]
    pub fn with_vendor(mut self, code: impl Into<String>, text: impl Into<String>) -> Self {
        self.vendor = Some(Box::new((code.into(), text.into())));
        self
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.reason.kind()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_reason_has_its_own_upper_snake_text() {
        let texts: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        assert_eq!(texts.len(), Reason::ALL.len());
        assert!(texts.iter().all(|text| text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')));
    }
}
