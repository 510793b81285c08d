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
            if !*done.borrow() {
                let text = format!("the filer's work for key '{key}' ended without an answer; its log says why");
                return Err(DriverError::new(Reason::Unexpected, text));
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use std::sync::mpsc;
    use strata_kit::clock::Clock;

    /// Patience is over at once.
    #[derive(Debug)]
    struct Impatient;

    #[async_trait::async_trait]
    impl Clock for Impatient {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }
        async fn sleep(&self, _period: Duration) {}
    }

    fn resume_of<T>(progress: Progress<T>) -> String {
        match progress {
            Progress::Pending { resume, .. } => resume,
            Progress::Ready(_) => panic!("ready"),
        }
    }

    async fn until_done(jobs: &Jobs, key: &str) {
        let slot = jobs.slots.lock().unwrap().get(key).cloned().unwrap();
        let _ = slot.done.clone().wait_for(|done| *done).await;
    }

    #[tokio::test]
    async fn a_long_job_is_joined_and_its_failure_is_not_lost() {
        let jobs = Jobs::new(Arc::new(Impatient));
        let (go, wait) = mpsc::channel::<()>();
        let work = move || -> Result<u32, DriverError> {
            let _ = wait.recv();
            Err(DriverError::new(Reason::NoSpace, "full"))
        };
        let resume = resume_of(jobs.run("k", "a".into(), None, work).await.unwrap());
        let again = jobs.run("k", "a".into(), Some(&resume), || Ok(1)).await.unwrap();
        let other = jobs.run("k", "b".into(), None, || Ok(1)).await.unwrap_err();
        assert_eq!(other.reason, Reason::Busy);
        go.send(()).unwrap();
        until_done(&jobs, "k").await;
        let outcome = jobs.run("k", "a".into(), Some(&resume_of(again)), || Ok(1)).await.unwrap_err();
        assert_eq!(outcome.reason, Reason::NoSpace);
    }

    /// Work that answers `value` once it is let go.
    fn gated(value: u32) -> (mpsc::Sender<()>, impl FnOnce() -> Result<u32, DriverError> + Send + 'static) {
        let (go, wait) = mpsc::channel::<()>();
        let work = move || {
            let _ = wait.recv();
            Ok(value)
        };
        (go, work)
    }

    #[tokio::test]
    async fn a_lost_resume_does_the_work_again() {
        let jobs = Jobs::new(Arc::new(Impatient));
        for value in [1, 2] {
            let (go, work) = gated(value);
            let resume = resume_of(jobs.run("k", "a".into(), None, work).await.unwrap());
            go.send(()).unwrap();
            until_done(&jobs, "k").await;
            if value == 2 {
                let outcome = jobs.run("k", "a".into(), Some(&resume), || Ok(3_u32)).await.unwrap();
                assert_eq!(outcome, Progress::Ready(2), "the second job's outcome is the one that counts");
            }
        }
    }

    #[tokio::test]
    async fn a_job_that_panics_is_an_answer_and_no_hang() {
        let jobs = Jobs::new(strata_kit::clock::SystemClock::shared());
        let failed = jobs.run("k", "a".into(), None, || -> Result<u32, DriverError> { panic!("on purpose") }).await;
        assert_eq!(failed.unwrap_err().reason, Reason::Unexpected);
        assert_eq!(jobs.run("k", "a".into(), None, || Ok(1)).await.unwrap(), Progress::Ready(1));
    }
}
