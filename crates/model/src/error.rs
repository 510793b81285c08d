//! The kinds of error that Strata distinguishes, independent of any transport.
//!
//! Each layer has an error type of its own with context and a `kind()`; `kit::status` has the one table that maps a
//! kind to a gRPC code, a retry class, an exit code and an HTTP status.

use serde::{Deserialize, Serialize};

/// What went wrong, as far as the caller's next act is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The named object does not exist (or the caller may not know that it does).
    NotFound,
    /// An object with this name exists with another meaning, or the world is in a state that forbids the act.
    Conflict,
    /// Somebody else works on the object now; the same call succeeds later.
    Busy,
    /// The request is wrong in itself; the message names the field and the remedy.
    InvalidArgument,
    /// Who is calling is not known: absent, wrong or expired credentials.
    Unauthenticated,
    /// The caller is known and may not do this; the message names the privilege and the object.
    Forbidden,
    /// The array, vCenter or datastore cannot do this at all; retrying never helps.
    Unsupported,
    /// Space, licence or a limit is used up.
    Exhausted,
    /// The other side cannot be reached or is not ready.
    Unavailable,
    /// No answer came in time. The effect may or may not have happened.
    Timeout,
    /// Stopped because somebody asked.
    Cancelled,
    /// Everything else: a bug of ours or an answer that no document describes.
    Unexpected,
}

impl ErrorKind {
    /// All kinds, for tests and tables.
    pub const ALL: [ErrorKind; 12] = [
        ErrorKind::NotFound,
        ErrorKind::Conflict,
        ErrorKind::Busy,
        ErrorKind::InvalidArgument,
        ErrorKind::Unauthenticated,
        ErrorKind::Forbidden,
        ErrorKind::Unsupported,
        ErrorKind::Exhausted,
        ErrorKind::Unavailable,
        ErrorKind::Timeout,
        ErrorKind::Cancelled,
        ErrorKind::Unexpected,
    ];

    /// True where the same call may succeed later without anybody changing anything.
    pub fn is_transient(self) -> bool {
        matches!(self, ErrorKind::Busy | ErrorKind::Unavailable | ErrorKind::Timeout)
    }

    /// True where the effect of the failed call may have happened all the same: a time-out is not a no.
    pub fn is_ambiguous(self) -> bool {
        matches!(self, ErrorKind::Timeout | ErrorKind::Unavailable | ErrorKind::Cancelled | ErrorKind::Unexpected)
    }
}
