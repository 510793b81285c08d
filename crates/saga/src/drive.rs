//! Drives one operation: asks its history what comes next, does it, writes it down.
//!
//! Write order: planned names, `Started` (flushed) -> effect -> outcome (flushed together with the next step's `Started` or
//! the end, before anything else has an effect). The first step's `Started` shares the flush of `Accepted`, and that of a
//! passive step has none of its own: an operation of n steps, p of them passive and none of these first, so costs n - p + 1
//! flushes. The same loop serves a new operation and one that was found in the journal.

use crate::{
    Event, Outcome, Point, Progress, StepError,
    clock::Clock,
    context::{Permit, Scope},
    faults::{Fault, Faults},
    history::Move,
    log::{OperationLog, WriteError},
    operation::{Prepared, RawStep, RawUndo},
    status::StepStatus,
    step::StepResult,
};
use futures::{FutureExt, future::BoxFuture};
use jiff::Timestamp;
use serde_json::Value;
use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Why driving stopped before the end.
#[derive(Debug)]
pub(crate) enum Halt {
    /// A test said so.
    Killed,
    /// The journal failed; the log holds the reason.
    Journal,
    /// The service is stopping.
    Drained,
    /// Our own mistake: no move changes anything.
    Impossible(String),
}

pub(crate) struct Driver {
    pub(crate) log: Arc<OperationLog>,
    pub(crate) prepared: Prepared,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) faults: Arc<dyn Faults>,
    pub(crate) cancel: CancellationToken,
    pub(crate) drain: CancellationToken,
    pub(crate) nudge: Arc<Notify>,
    /// Granted with the acceptance.
    pub(crate) first: Mutex<Option<Permit>>,
}

/// What a wait ended with.
enum Waited {
    Over,
    Cancelled,
}

impl Driver {
    /// Until the end, or until something stops it.
    pub(crate) async fn drive(&self) -> Result<(), Halt> {
        loop {
            let history = self.log.history();
            let next = history.next_move();
            match next {
                Move::Nothing => return Ok(()),
                Move::Stuck(_) => {
                    tokio::select! {
                        () = self.nudge.notified() => {}
                        () = self.drain.cancelled() => return Err(Halt::Drained),
                    }
                    continue;
                }
                _ if self.drain.is_cancelled() => return Err(Halt::Drained),
                Move::Run(step) => self.run(step).await?,
                Move::Undo(step) => self.undo(step).await?,
                Move::Finish(outcome) => self.finish(outcome).await?,
            }
            if self.log.history().next_seq == history.next_seq {
                return Err(Halt::Impossible(format!("{next:?} changed nothing")));
            }
        }
    }

    async fn finish(&self, outcome: Outcome) -> Result<(), Halt> {
        let result = match outcome {
            Outcome::Succeeded => (self.prepared.result)(&self.log.history()),
            Outcome::Failed | Outcome::Cancelled | Outcome::Abandoned => Value::Null,
        };
        match self.log.write(Event::Finished { outcome, result }, true).await {
            // A cancel came between the decision and this write: it was taken, so the operation turns back.
            Err(WriteError::Illegal(_)) if self.cancel_came() && outcome == Outcome::Succeeded => Ok(()),
            written => written.or_else(halt),
        }
    }

    async fn run(&self, index: usize) -> Result<(), Halt> {
        let step = &self.prepared.steps[index];
        let until = self.deadline(step);
        let mut tries = 0;
        loop {
            tries += 1;
            let granted = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
            let permit = match granted {
                Some(_) if self.cancel_came() => return Ok(()),
                Some(permit) => permit,
                None => {
                    self.kill_at(Point::BeforeStarted, step)?;
                    let Some(permit) = self.start(index).await? else { return Ok(()) };
                    permit
                }
            };
            let answer = match self.at(Point::AfterStarted, step)? {
                Fault::Fail(error) => Err(error),
                _ => match self.ask_until_done(index, permit, &*step.run, Some(until)).await? {
                    Some(answer) => answer,
                    None => return Ok(()),
                },
            };
            let answer = match self.at(Point::EffectDone, step)? {
                Fault::Fail(error) => Err(error),
                Fault::Repeat => continue,
                _ => answer,
            };
            if self.log.status().held.is_some() {
                return Err(Halt::Journal);
            }
            let name = step.name.to_owned();
            match answer {
                Ok(output) => {
                    self.kill_at(Point::OutcomeUnflushed, step)?;
                    // Durable with the flush of whatever comes next, which is before any further effect: one flush a step.
                    return self.write(Event::Succeeded { step: name, output }, false).await;
                }
                Err(error) => {
                    let delay = step.retry.delay(tries);
                    let again = (step.retry.transient)(&error)
                        && tries < step.retry.attempts_max
                        && !self.cancel.is_cancelled()
                        && self.left(until).is_some_and(|left| left > delay);
                    if !again {
                        self.kill_at(Point::OutcomeUnflushed, step)?;
                        return self.write(Event::Failed { step: name, error }, true).await;
                    }
                    let attempt = self.log.history().steps[index].attempts;
                    self.write(Event::AttemptFailed { step: name, attempt, error }, false).await?;
                    if let Waited::Cancelled = self.wait(delay, true).await? {
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn undo(&self, index: usize) -> Result<(), Halt> {
        let step = &self.prepared.steps[index];
        let name = || step.name.to_owned();
        let undo = match &step.undo {
            RawUndo::By(undo) => undo,
            RawUndo::Nothing(because) => {
                let because = Some((*because).to_owned());
                return self.write(Event::Undone { step: name(), because }, false).await;
            }
        };
        let mut tries = 0;
        loop {
            tries += 1;
            let permit = match self.log.undo_started(index).await {
                Ok(permit) => permit,
                Err(error) => return halt(error),
            };
            let answer = match self.at(Point::DuringUndo, step)? {
                Fault::Fail(error) => Err(error),
                _ => match self.ask_until_done(index, permit, &**undo, None).await? {
                    Some(answer) => answer,
                    None => return Ok(()),
                },
            };
            let answer = match self.at(Point::UndoEffectDone, step)? {
                Fault::Fail(error) => Err(error),
                Fault::Repeat => continue,
                _ => answer,
            };
            match answer {
                Ok(kept) => {
                    let because = kept.as_str().map(str::to_owned);
                    return self.write(Event::Undone { step: name(), because }, false).await;
                }
                Err(error) if (step.retry.transient)(&error) => {
                    let attempt = self.log.history().steps[index].attempts;
                    self.write(Event::AttemptFailed { step: name(), attempt, error }, false).await?;
                    self.wait(step.retry.delay(tries), false).await?;
                }
                Err(error) => return self.write(Event::UndoFailed { step: name(), error }, true).await,
            }
        }
    }

    /// Plans what is not planned yet and makes `Started` durable; `None` where a cancel came first.
    async fn start(&self, index: usize) -> Result<Option<Permit>, Halt> {
        let step = &self.prepared.steps[index];
        let history = self.log.history();
        let before = &history.steps[index];
        if let Some(plan) = step.plan.as_ref().filter(|_| before.status == StepStatus::NotStarted) {
            for (key, value) in plan(&history) {
                if before.planned.contains_key(&key) {
                    continue;
                }
                let event = Event::Planned { step: step.name.to_owned(), key, value };
                match self.log.write(event, false).await {
                    Ok(()) => {}
                    Err(WriteError::Illegal(_)) if self.cancel_came() => return Ok(None),
                    Err(error) => return halt(error),
                }
            }
        }
        match self.log.started(index, step.passive).await {
            Ok(permit) => Ok(Some(permit)),
            Err(WriteError::Illegal(_)) if self.cancel_came() => Ok(None),
            Err(error) => halt(error),
        }
    }

    /// Calls until the answer is not `Pending` any more. A run (`until` is set) is left alone, with `None`, when a cancel
    /// comes while the other side works.
    async fn ask_until_done(
        &self,
        index: usize,
        mut permit: Permit,
        call: &(dyn Fn(Permit, Scope) -> BoxFuture<'static, StepResult> + Send + Sync),
        until: Option<Timestamp>,
    ) -> Result<Option<Result<Value, StepError>>, Halt> {
        let step = &self.prepared.steps[index];
        loop {
            let scope = Scope { log: self.log.clone(), step: index, cancel: self.cancel.clone() };
            let limit = until.map_or(Some(step.deadline), |until| self.left(until));
            let answer = match limit {
                None => Err(too_late(step)),
                Some(limit) => tokio::select! {
                    biased;
                    answer = AssertUnwindSafe(call(permit, scope)).catch_unwind() => answer.unwrap_or_else(|_| Err(panicked(step))),
                    () = self.clock.sleep(limit) => Err(too_late(step)),
                },
            };
            let (resume, wait, percent) = match answer {
                Ok(Progress::Done(output)) => return Ok(Some(Ok(output))),
                Ok(Progress::Pending { ask_again_after, resume, percent }) => (resume, ask_again_after, percent),
                Err(error) => return Ok(Some(Err(error))),
            };
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            permit = match self.log.pending(index, resume, wait_ms, percent).await {
                Ok(permit) => permit,
                Err(error) => return halt(error),
            };
            let wait = until.and_then(|until| self.left(until)).map_or(wait, |left| wait.min(left));
            if let Waited::Cancelled = self.wait(wait, until.is_some()).await? {
                return Ok(None);
            }
        }
    }

    async fn wait(&self, period: Duration, heed_cancel: bool) -> Result<Waited, Halt> {
        tokio::select! {
            biased;
            () = self.drain.cancelled() => Err(Halt::Drained),
            () = self.cancel.cancelled(), if heed_cancel => Ok(Waited::Cancelled),
            () = self.clock.sleep(period) => Ok(Waited::Over),
        }
    }

    fn cancel_came(&self) -> bool {
        self.log.history().cancelled_by.is_some()
    }

    fn deadline(&self, step: &RawStep) -> Timestamp {
        self.clock.now().saturating_add(step.deadline).unwrap_or(Timestamp::MAX)
    }

    /// What is left until `until`; `None` when nothing is.
    fn left(&self, until: Timestamp) -> Option<Duration> {
        Duration::try_from(until.duration_since(self.clock.now())).ok().filter(|left| !left.is_zero())
    }

    async fn write(&self, event: Event, flush: bool) -> Result<(), Halt> {
        self.log.write(event, flush).await.or_else(halt)
    }

    fn at(&self, point: Point, step: &RawStep) -> Result<Fault, Halt> {
        match self.faults.at(self.log.id, point, step.name) {
            Fault::Kill => Err(Halt::Killed),
            other => Ok(other),
        }
    }

    fn kill_at(&self, point: Point, step: &RawStep) -> Result<(), Halt> {
        self.at(point, step).map(drop)
    }
}

fn halt<T>(error: WriteError) -> Result<T, Halt> {
    Err(match error {
        WriteError::Illegal(error) => Halt::Impossible(error.to_string()),
        WriteError::Journal(_) => Halt::Journal,
    })
}

fn too_late(step: &RawStep) -> StepError {
    let text =
        format!("step '{}' did not finish in {} ms; it may have had its effect", step.name, step.deadline.as_millis());
    StepError { transient: true, ..StepError::permanent("DEADLINE", text).ambiguous() }
}

fn panicked(step: &RawStep) -> StepError {
    StepError::permanent("PANIC", format!("step '{}' hit a bug of ours; please report it", step.name)).ambiguous()
}
