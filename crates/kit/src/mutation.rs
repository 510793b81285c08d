//! Mutations run to their end, whatever becomes of the caller (T12).

use crate::status::to_status;
use std::future::Future;
use strata_model::ErrorKind;
use tonic::Status;
use tracing::Instrument as _;

/// Runs `mutation` in a task of its own and waits for it. When the caller cancels, disconnects or runs out of time, the
/// wait is dropped and the mutation goes on. Inside it [`crate::contract::Deadline::current`] is empty on purpose.
///
/// # Errors
/// What the mutation answered; INTERNAL where it panicked.
pub async fn run_to_end<T, F>(mutation: F) -> Result<T, Status>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Status>> + Send + 'static,
{
    let task = tokio::spawn(mutation.in_current_span());
    task.await.unwrap_or_else(|_panic| {
        Err(to_status(ErrorKind::Unexpected, "PANIC", "the act failed inside the service; its log says where"))
    })
}
