//! What the engine asks of a journal. The host brings a durable one; `testing::MemoryJournal` is its twin for tests.

use crate::{OperationId, Record};
use async_trait::async_trait;

/// Why the journal did not do what it was asked. After a failed write nothing is known about that record, so a journal
/// refuses every later write until it is opened again.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// Writing failed, now or earlier; the message names the remedy.
    #[error("the journal takes no more records: {0}")]
    ReadOnly(String),
    /// Reading failed.
    #[error("the journal cannot be read: {0}")]
    Unreadable(String),
}

/// An append-only log of records. Appends of one operation come in order, one at a time; those of several operations
/// come concurrently, and a good journal makes many of them durable in one go.
#[async_trait]
pub trait Journal: Send + Sync + 'static {
    /// Takes the record; it becomes durable with the next flush at the latest, never before an earlier one.
    async fn append(&self, record: &Record) -> Result<(), JournalError>;
    /// Takes the record and returns when it and everything before it has reached the medium.
    async fn append_flushed(&self, record: &Record) -> Result<(), JournalError>;
    /// Takes several records of one operation, in order, and returns when all have reached the medium. Where it fails, any
    /// number of the first of them may be found later.
    async fn append_all_flushed(&self, records: &[Record]) -> Result<(), JournalError> {
        let Some((last, first)) = records.split_last() else { return Ok(()) };
        for record in first {
            self.append(record).await?;
        }
        self.append_flushed(last).await
    }
    /// All records, each operation's in order.
    async fn load(&self) -> Result<Vec<Record>, JournalError>;
    /// One operation's records, in order; empty where there is none.
    async fn read(&self, operation: OperationId) -> Result<Vec<Record>, JournalError>;
}
