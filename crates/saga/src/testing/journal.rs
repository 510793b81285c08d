//! A journal in memory that loses what was not flushed, and crashes at the n-th write.

use crate::{Journal, JournalError, OperationId, Record};
use async_trait::async_trait;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What becomes of the write at which the journal crashes. Its caller gets an error either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashKind {
    /// It and everything unflushed is gone.
    Lost,
    /// It and everything before it is durable; only the answer is lost.
    Kept,
}

#[derive(Debug, Default)]
struct Inner {
    durable: Vec<String>,
    buffered: Vec<String>,
    writes: u64,
    flushes: u64,
    crash_at: Option<(u64, CrashKind)>,
    crashed: bool,
}

/// The journal. Clones are the same journal.
#[derive(Debug, Clone, Default)]
pub struct MemoryJournal {
    inner: Arc<Mutex<Inner>>,
}

impl MemoryJournal {
    /// An empty one that never crashes.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty one that crashes at its `write`-th write (1 for the first).
    pub fn crashing_at(write: u64, kind: CrashKind) -> Self {
        let journal = Self::default();
        journal.inner().crash_at = Some((write, kind));
        journal
    }

    /// What a new process would find: the durable records, in a journal that does not crash.
    pub fn reopen(&self) -> Self {
        let durable = self.inner().durable.clone();
        Self { inner: Arc::new(Mutex::new(Inner { durable, ..Inner::default() })) }
    }

    /// One with these lines of JSON as its durable records.
    pub fn from_lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let durable = lines.into_iter().map(str::to_owned).collect();
        Self { inner: Arc::new(Mutex::new(Inner { durable, ..Inner::default() })) }
    }

    /// The durable records as lines of JSON.
    pub fn lines(&self) -> Vec<String> {
        self.inner().durable.clone()
    }

    /// Whether it has crashed.
    pub fn crashed(&self) -> bool {
        self.inner().crashed
    }

    /// How many writes, and how many of them with a flush.
    pub fn writes(&self) -> (u64, u64) {
        let inner = self.inner();
        (inner.writes, inner.flushes)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, record: &Record, flush: bool) -> Result<(), JournalError> {
        let line = serde_json::to_string(record).map_err(|error| JournalError::ReadOnly(error.to_string()))?;
        let mut inner = self.inner();
        if inner.crashed {
            return Err(JournalError::ReadOnly("crashed earlier".into()));
        }
        inner.writes += 1;
        inner.flushes += u64::from(flush);
        let crash = inner.crash_at.filter(|(at, _)| *at == inner.writes);
        if crash.is_none_or(|(_, kind)| kind == CrashKind::Kept) {
            inner.buffered.push(line);
            if flush || crash.is_some() {
                let buffered = std::mem::take(&mut inner.buffered);
                inner.durable.extend(buffered);
            }
        }
        if crash.is_some() {
            inner.crashed = true;
            return Err(JournalError::ReadOnly("crashed now".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn append(&self, record: &Record) -> Result<(), JournalError> {
        self.write(record, false)
    }

    async fn append_flushed(&self, record: &Record) -> Result<(), JournalError> {
        // A real medium lets others run meanwhile.
        tokio::task::yield_now().await;
        self.write(record, true)
    }

    async fn load(&self) -> Result<Vec<Record>, JournalError> {
        let inner = self.inner();
        let lines = inner.durable.iter().chain(&inner.buffered);
        lines
            .map(|line| serde_json::from_str(line).map_err(|error| JournalError::Unreadable(error.to_string())))
            .collect()
    }

    async fn read(&self, operation: OperationId) -> Result<Vec<Record>, JournalError> {
        let mut records = self.load().await?;
        records.retain(|record| record.operation == operation);
        Ok(records)
    }
}
