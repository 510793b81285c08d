//! Watching an operation: every durable record from a sequence number on, and progress in between.

use crate::{History, OperationId, Record};
use std::collections::VecDeque;
use tokio::sync::broadcast;

/// How far a step is, told by the step itself. Not journalled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which step.
    pub step: String,
    /// How far it is, where known.
    pub percent: Option<u8>,
    /// For people.
    pub text: String,
}

/// What a watcher hears.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// A record that is durable. Resume with its `seq + 1`.
    Recorded(Record),
    /// How it goes meanwhile.
    Progress(Report),
}

/// The watcher was too slow and missed something; watch again from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the watcher of operation {operation} was too slow; watch again from sequence {resume_from}")]
pub struct Lagged {
    /// Which operation.
    pub operation: OperationId,
    /// The first record that was not delivered.
    pub resume_from: u32,
}

/// A subscription. Ends by itself after the record `Finished`.
#[derive(Debug)]
pub struct Watch {
    pub(crate) operation: OperationId,
    pub(crate) next_seq: u32,
    pub(crate) backlog: VecDeque<Record>,
    pub(crate) live: Option<broadcast::Receiver<Update>>,
}

impl Watch {
    /// The next update; `None` when the operation has ended and everything was told (or the engine is gone). Dropping
    /// the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Update, Lagged>> {
        if let Some(record) = self.backlog.pop_front() {
            return Some(Ok(self.told(record)));
        }
        loop {
            match self.live.as_mut()?.recv().await {
                // Records that the backlog held already, or that the watcher did not ask for.
                Ok(Update::Recorded(record)) if record.seq < self.next_seq => {
                    if matches!(record.event, crate::Event::Finished { .. }) {
                        self.live = None;
                    }
                }
                Ok(Update::Recorded(record)) => return Some(Ok(self.told(record))),
                Ok(progress) => return Some(Ok(progress)),
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    self.live = None;
                    return Some(Err(Lagged { operation: self.operation, resume_from: self.next_seq }));
                }
                Err(broadcast::error::RecvError::Closed) => self.live = None,
            }
        }
    }

    fn told(&mut self, record: Record) -> Update {
        self.next_seq = record.seq + 1;
        if matches!(record.event, crate::Event::Finished { .. }) {
            self.live = None;
        }
        Update::Recorded(record)
    }
}

/// An operation as `get` and `list` answer it.
#[derive(Debug, Clone)]
pub struct Status {
    /// Everything that the journal says.
    pub history: std::sync::Arc<History>,
    /// What its step last told of itself.
    pub report: Option<Report>,
    /// Why nothing moves although the journal alone would let it: the code is too old or too new, the journal failed,
    /// or the service is stopping.
    pub held: Option<Held>,
}

/// Why nothing moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// The code cannot continue it; the text says what is needed. Only `Abandon` is taken.
    Parked(String),
    /// The journal failed. It goes on after a restart.
    JournalFailed(String),
    /// The service is stopping. It goes on after a restart.
    Drained,
    /// A test stopped it. It goes on after a restart.
    Killed,
    /// A bug of ours stopped it. It goes on after a restart.
    Broken(String),
}

impl Status {
    /// Where it stands; parked operations are stuck.
    pub fn state(&self) -> crate::State {
        match (&self.held, self.history.outcome) {
            (Some(Held::Parked(_)), None) => crate::State::Stuck,
            _ => self.history.state(),
        }
    }
}
