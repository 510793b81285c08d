//! The gRPC contract where stock tonic is wrong: deadlines, content type, size limits, load (facts/grpc.md T1 to T5, T9).
//!
//! [`Stack`] is a whole server as a tower service; [`crate::serve`] puts it on a socket and [`crate::upstream`] calls it in
//! process.

mod body;
mod deadline;
mod layer;
mod stack;
mod timeout_header;

pub use body::GuardedBody;
pub use deadline::Deadline;
pub use layer::{Contract, ContractLayer, ContractOptions};
pub use stack::{Stack, stack};
pub use timeout_header::{GRPC_TIMEOUT, format_timeout, parse_timeout};

use crate::status::{StatusBuilder, to_status};
use std::time::Duration;
use strata_model::ErrorKind;
use tonic::Status;

/// The status of a call whose deadline passed (code 4; stock tonic says CANCELLED).
pub(crate) fn deadline_exceeded(method: &str) -> Status {
    let message = format!("{method} did not finish before the caller's deadline");
    StatusBuilder::new(ErrorKind::Timeout, "DEADLINE_EXCEEDED", message).metadata("method", method).build()
}

/// The status of a call that came while too many were under way.
pub(crate) fn overloaded(limit: usize) -> Status {
    StatusBuilder::new(ErrorKind::Exhausted, "TOO_MANY_CALLS", format!("{limit} calls are under way, the most allowed"))
        .metadata("limit", limit.to_string())
        .retry_after(Duration::from_secs(1))
        .build()
}

/// The status of a handler that panicked; its text is in the log only.
pub(crate) fn panicked(method: &str) -> Status {
    to_status(ErrorKind::Unexpected, "PANIC", format!("{method} failed inside the service; its log says where"))
}
