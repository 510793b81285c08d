//! Blocking work outside the async threads, one job a key: who asks again joins the job that runs.
//!
//! Nothing here must survive a restart: a job that was lost is healed by the repeated call, which finds what it left.

use crate::driver::{DriverError, Progress, Reason};
use std::{
    any::Any,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use strata_kit::clock::SharedClock;
use tokio::sync::watch;

type Outcome = Result<Box<dyn Any + Send>, DriverError>;

#[derive(Debug, Clone)]
struct Slot {
    request: String,
    done: watch::Receiver<bool>,
    outcome: Arc<Mutex<Option<Outcome>>>,
}

/// The jobs of one filer.
#[derive(Debug)]
pub(super) struct Jobs {
    clock: SharedClock,
    slots: Mutex<HashMap<String, Slot>>,
}

/// How long a call waits before it answers Pending.
const PATIENCE: Duration = Duration::from_secs(5);
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// Outcomes that nobody fetched are dropped beyond this many.
const UNFETCHED_MAX: usize = 256;

impl Jobs {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self { clock, slots: Mutex::default() }
    }

    /// Runs `work`, or joins it where the same `request` runs already for this key.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        key: &str,
        request: String,
        resume: Option<&str>,
        work: impl FnOnce() -> Result<T, DriverError> + Send + 'static,
    ) -> Result<Progress<T>, DriverError> {
        let slot = self.join_or_start(key, request, resume.is_some(), work)?;
        let mut done = slot.done.clone();
        tokio::select! {
            biased;
            // An error says that the job's thread is gone, which the outcome shows.
            _ = done.wait_for(|done| *done) => {}
            () = self.clock.sleep(PATIENCE) => {
                return Ok(Progress::Pending { ask_again_after: ASK_AGAIN_AFTER, resume: "job".to_owned(), percent: None });
            }
        }
        self.forget(key, &slot);
        let outcome = slot.outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(outcome) = outcome else {
            let text = format!("the work for key '{key}' was answered to another caller; ask again");
            return Err(DriverError::new(Reason::Busy, text));
        };
        match outcome?.downcast::<T>() {
            Ok(value) => Ok(Progress::Ready(*value)),
            Err(_) => Err(DriverError::new(Reason::Busy, format!("key '{key}' was used for other work; ask again"))),
        }
    }

    fn join_or_start<T: Send + 'static>(
        &self,
        key: &str,
        request: String,
        resumed: bool,
        work: impl FnOnce() -> Result<T, DriverError> + Send + 'static,
    ) -> Result<Slot, DriverError> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(key) {
            // The sender is gone without a word only where the job panicked.
            let running = !*slot.done.borrow() && slot.done.has_changed().is_ok();
            let same = slot.request == request;
            if running && !same {
                let text = format!("other work for key '{key}' is going on; wait for its end and try again");
                return Err(DriverError::new(Reason::Busy, text));
            }
            if same && (running || resumed) {
                return Ok(slot.clone());
            }
        }
        if slots.len() > UNFETCHED_MAX {
            slots.retain(|_, slot| !*slot.done.borrow());
        }
        let (finished, done) = watch::channel(false);
        let outcome = Arc::new(Mutex::new(None));
        let slot = Slot { request, done, outcome: outcome.clone() };
        slots.insert(key.to_owned(), slot.clone());
        tokio::task::spawn_blocking(move || {
            let result = work().map(|value| Box::new(value) as Box<dyn Any + Send>);
            *outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            finished.send_replace(true);
        });
        Ok(slot)
    }

    fn forget(&self, key: &str, slot: &Slot) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.get(key).is_some_and(|found| Arc::ptr_eq(&found.outcome, &slot.outcome)) {
            slots.remove(key);
        }
    }
}
