//! Jobs: work that an array has accepted and does later. A job whose time has come is done before anyone next looks at
//! the world, so that the outcome depends on the clock and not on threads.

use super::{
    array::{Array, Storage},
    error::StorageError,
};
use crate::world::{World, lock};
use jiff::Timestamp;
use serde_json::Value;
use std::{fmt, sync::TryLockError, time::Duration};
use uuid::Uuid;

/// What is done when a job's time has come; the answer is in the words of the skin that queued it.
pub type Effect = Box<dyn FnOnce(&World) -> Result<Value, StorageError> + Send>;

/// How far a job is.
#[derive(Debug, Clone, PartialEq)]
pub enum JobState {
    /// Waiting for its time.
    Queued,
    /// Done; the answer.
    Succeeded(Value),
    /// Refused when its time came.
    Failed(StorageError),
}

/// A job as the array shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its identity.
    pub id: Uuid,
    /// What it does, for people.
    pub description: String,
    /// When it was accepted.
    pub created: Timestamp,
    /// How far it is.
    pub state: JobState,
}

pub(super) struct Queued {
    array: String,
    id: Uuid,
    due: Timestamp,
    effect: Effect,
}

impl fmt::Debug for Queued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "job {} on {} due {}", self.id, self.array, self.due)
    }
}

impl Storage {
    fn take_due(&mut self, now: Timestamp) -> Option<Queued> {
        let due = self.queue.iter().enumerate().filter(|(_, queued)| queued.due <= now);
        let (index, _) = due.min_by_key(|(_, queued)| queued.due)?;
        Some(self.queue.remove(index))
    }
}

impl World {
    /// Does the jobs whose time has come, in the order of their times.
    pub fn settle(&self) {
        let _one_at_a_time = match self.settling.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // A job's effect looks at the world too; or another thread settles just now.
            Err(TryLockError::WouldBlock) => return,
        };
        loop {
            let now = self.clock().now();
            let Some(queued) = lock(&self.storage).take_due(now) else { return };
            let state = match (queued.effect)(self) {
                Ok(answer) => JobState::Succeeded(answer),
                Err(error) => JobState::Failed(error),
            };
            if let Ok(array) = lock(&self.storage).array(&queued.array)
                && let Some(job) = array.jobs.get_mut(&queued.id)
            {
                job.state = state;
            }
        }
    }
}

impl Array<'_> {
    /// Accepts work to be done after `delay`.
    pub fn queue(&self, description: &str, delay: Duration, effect: Effect) -> Result<Job, StorageError> {
        self.change(|storage, created| {
            let id = storage.new_id();
            let job = Job { id, description: description.to_owned(), created, state: JobState::Queued };
            storage.array(self.name)?.jobs.insert(id, job.clone());
            let due = self.world.clock().now().checked_add(delay).unwrap_or(Timestamp::MAX);
            storage.queue.push(Queued { array: self.name.to_owned(), id, due, effect });
            Ok(job)
        })
    }

    /// All jobs that it ever accepted.
    pub fn jobs(&self) -> Result<Vec<Job>, StorageError> {
        self.world.settle();
        self.change(|storage, _| Ok(storage.array(self.name)?.jobs.values().cloned().collect()))
    }

    /// One job.
    pub fn job(&self, id: Uuid) -> Result<Job, StorageError> {
        self.world.settle();
        self.change(|storage, _| {
            storage.array(self.name)?.jobs.get(&id).cloned().ok_or_else(|| StorageError::absent("job", id))
        })
    }
}
