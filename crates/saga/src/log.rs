//! One operation's pen: the only way to write its events. It numbers records, refuses impossible ones before they reach
//! the journal, and hands out permits.

use crate::{
    Event, History, OperationId, Record, StepError,
    clock::Clock,
    context::Permit,
    history::ReplayError,
    journal::{Journal, JournalError},
    status::StepStatus,
    watch::{Held, Report, Status, Update, Watch},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{broadcast, watch};

/// How many updates a watcher may be behind before it has to watch again.
const WATCH_BACKLOG: usize = 256;

/// Why an event was not written.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// It is impossible now; nothing was written.
    Illegal(ReplayError),
    /// The journal failed.
    Journal(JournalError),
}

struct View {
    history: Arc<History>,
    /// Everything in memory while the operation is unfinished; the journal has the rest.
    records: Vec<Record>,
    /// How many of `records` are durable and told to watchers.
    told: usize,
    report: Option<Report>,
    held: Option<Held>,
}

pub(crate) struct OperationLog {
    pub(crate) id: OperationId,
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    /// Events are written one after the other.
    gate: tokio::sync::Mutex<()>,
    view: Mutex<View>,
    updates: broadcast::Sender<Update>,
    changed: watch::Sender<()>,
    /// Gives the claims back; runs when `Finished` is durable and before anybody hears of it.
    release: Box<dyn Fn() + Send + Sync>,
}

impl OperationLog {
    /// The pen of an operation whose `records` make up `history`; `durable` is false for one that is being accepted.
    pub(crate) fn new(
        (history, records): (History, Vec<Record>),
        durable: bool,
        journal: Arc<dyn Journal>,
        clock: Arc<dyn Clock>,
        release: Box<dyn Fn() + Send + Sync>,
    ) -> Arc<Self> {
        let told = if durable { records.len() } else { 0 };
        let records = if history.outcome.is_some() { Vec::new() } else { records };
        let id = history.id;
        let view =
            View { history: Arc::new(history), told: told.min(records.len()), records, report: None, held: None };
        Arc::new(Self {
            id,
            journal,
            clock,
            gate: tokio::sync::Mutex::new(()),
            view: Mutex::new(view),
            updates: broadcast::channel(WATCH_BACKLOG).0,
            changed: watch::channel(()).0,
            release,
        })
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn history(&self) -> Arc<History> {
        self.view().history.clone()
    }

    pub(crate) fn step_name(&self, step: usize) -> String {
        self.view().history.steps[step].name.clone()
    }

    pub(crate) fn status(&self) -> Status {
        let view = self.view();
        Status { history: view.history.clone(), report: view.report.clone(), held: view.held.clone() }
    }

    pub(crate) fn hold(&self, held: Held) {
        self.view().held.get_or_insert(held);
        self.changed.send_replace(());
    }

    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    pub(crate) fn report(&self, step: usize, percent: Option<u8>, text: String) {
        let report = Report { step: self.step_name(step), percent, text };
        self.view().report = Some(report.clone());
        // Nobody listening is fine.
        let _ = self.updates.send(Update::Progress(report));
    }

    /// Makes the first record durable, and with the same flush what is planned for the first step and its `Started`, where
    /// they are given. Answers the permit that this `Started` grants.
    pub(crate) async fn accept(&self, start: Vec<Event>) -> Result<Option<Permit>, JournalError> {
        let _gate = self.gate.lock().await;
        let (mut next, mut records) = {
            let view = self.view();
            (History::clone(&view.history), view.records.clone())
        };
        for event in start {
            let record = Record { operation: self.id, seq: next.next_seq, at: self.clock.now(), event };
            // What is impossible is left to the driver, which tells it.
            if next.apply(&record).is_err() {
                break;
            }
            records.push(record);
        }
        let started = records.last().is_some_and(|record| matches!(record.event, Event::Started { .. }));
        self.journal.append_all_flushed(&records).await?;
        {
            let mut view = self.view();
            view.history = Arc::new(next);
            view.records = records;
        }
        self.tell();
        self.changed.send_replace(());
        Ok(started.then(Permit::granted))
    }

    /// Writes one event. Not stopped by a caller who stops waiting: a record whose fate nobody knows would be worse.
    pub(crate) async fn write(self: &Arc<Self>, event: Event, flush: bool) -> Result<(), WriteError> {
        let this = self.clone();
        let task = tokio::spawn(async move { this.write_to_the_end(event, flush).await });
        task.await.unwrap_or_else(|error| {
            let error = JournalError::ReadOnly(format!("writing was cut off: {error}"));
            self.hold(Held::JournalFailed(error.to_string()));
            Err(WriteError::Journal(error))
        })
    }

    async fn write_to_the_end(&self, event: Event, flush: bool) -> Result<(), WriteError> {
        let _gate = self.gate.lock().await;
        let (mut next, held) = {
            let view = self.view();
            (History::clone(&view.history), view.held.clone())
        };
        if let Some(Held::JournalFailed(why)) = held {
            return Err(WriteError::Journal(JournalError::ReadOnly(why)));
        }
        let record = Record { operation: self.id, seq: next.next_seq, at: self.clock.now(), event };
        next.apply(&record).map_err(WriteError::Illegal)?;
        let written =
            if flush { self.journal.append_flushed(&record).await } else { self.journal.append(&record).await };
        if let Err(error) = written {
            self.hold(Held::JournalFailed(error.to_string()));
            return Err(WriteError::Journal(error));
        }
        let ended = next.outcome.is_some();
        {
            let mut view = self.view();
            view.history = Arc::new(next);
            view.records.push(record);
        }
        if ended {
            (self.release)();
        }
        if flush {
            self.tell();
        }
        if ended {
            let mut view = self.view();
            view.records = Vec::new();
            view.told = 0;
        }
        self.changed.send_replace(());
        Ok(())
    }

    fn tell(&self) {
        let mut view = self.view();
        for record in &view.records[view.told..] {
            let _ = self.updates.send(Update::Recorded(record.clone()));
        }
        view.told = view.records.len();
    }

    /// Writes an event on behalf of a step that is running.
    pub(crate) async fn write_in_step(self: &Arc<Self>, event: Event, flush: bool) -> Result<(), StepError> {
        self.write(event, flush).await.map_err(|error| match error {
            WriteError::Illegal(error) => StepError::permanent("STEP_IS_OVER", error.to_string()).ambiguous(),
            WriteError::Journal(error) => StepError::permanent("JOURNAL_FAILED", error.to_string()).ambiguous(),
        })
    }

    /// Makes `Started` durable: beside [`OperationLog::accept`] the only source of a permit to run. That of a passive step is
    /// written, and durable with whatever is flushed next: nothing outside depends on it.
    pub(crate) async fn started(self: &Arc<Self>, step: usize, passive: bool) -> Result<Permit, WriteError> {
        let attempt = self.history().steps[step].attempts + 1;
        self.write(Event::Started { step: self.step_name(step), attempt }, !passive).await?;
        Ok(Permit::granted())
    }

    /// Makes `UndoStarted` durable: the only source of a permit to undo.
    pub(crate) async fn undo_started(self: &Arc<Self>, step: usize) -> Result<Permit, WriteError> {
        let before = &self.history().steps[step];
        let attempt = if before.status == StepStatus::Undoing { before.attempts + 1 } else { 1 };
        self.write(Event::UndoStarted { step: self.step_name(step), attempt }, true).await?;
        Ok(Permit::granted())
    }

    /// Notes what the other side said and allows to ask again. Records are spared where it said nothing new.
    pub(crate) async fn pending(
        self: &Arc<Self>,
        step: usize,
        resume: String,
        ask_again_after_ms: u64,
        percent: Option<u8>,
    ) -> Result<Permit, WriteError> {
        let history = self.history();
        let before = &history.steps[step];
        let known = if before.status == StepStatus::Undoing { &before.undo_pending } else { &before.run_pending };
        let same_job = known.as_ref().is_some_and(|known| known.resume == resume);
        if !(same_job && known.as_ref().is_some_and(|known| known.percent == percent)) {
            let name = before.name.clone();
            self.write(Event::PendingSeen { step: name, resume, ask_again_after_ms, percent }, !same_job).await?;
            // The record may not be durable yet; whoever watches hears of the percentage all the same.
            self.report(step, percent, "waiting for the other side".to_owned());
        }
        Ok(Permit::granted())
    }

    /// A subscription from a record on, and whether its backlog has to be read from the journal.
    pub(crate) fn watch(&self, from_seq: u32) -> (Watch, bool) {
        let view = self.view();
        let ended = view.history.outcome.is_some();
        let backlog = view.records[..view.told].iter().filter(|record| record.seq >= from_seq).cloned().collect();
        let live = (!ended).then(|| self.updates.subscribe());
        (Watch { operation: self.id, next_seq: from_seq, backlog, live }, ended)
    }
}
