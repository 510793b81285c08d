//! What callers and people may do: request ids, claims, cancel, decisions, watching, draining, deadlines.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod world;

use std::{sync::Arc, time::Duration};
use strata_saga::{
    Engine, Event, Held, Journal, Outcome, SagaError, State, StepError, StuckAction, Submission, Submitted, Update,
    engine::Filter,
    testing::{CrashKind, MemoryJournal, TokioClock},
};
use world::{Make, Swap, World, params, refuse};

struct Set {
    engine: Engine,
    world: World,
    journal: MemoryJournal,
}

fn start_on(journal: MemoryJournal, world: World) -> Set {
    let engine = Engine::builder(Arc::new(journal.clone()), Arc::new(TokioClock::new()))
        .register::<Make>(world.clone())
        .register::<Swap>(world.clone())
        .build();
    Set { engine, world, journal }
}

fn start() -> Set {
    start_on(MemoryJournal::new(), World::default())
}

fn asked(caller: &str, id: &str) -> Submission {
    Submission { caller: caller.into(), request_id: Some(id.into()), ..Submission::default() }
}

impl Set {
    async fn make(&self, name: &str) -> Submitted {
        self.engine.submit::<Make>(&params(name), Submission::default()).await.unwrap()
    }
    async fn swap(&self, name: &str) -> Submitted {
        self.engine.submit::<Swap>(&params(name), Submission::default()).await.unwrap()
    }
    async fn events(&self, submitted: Submitted) -> Vec<Event> {
        let records = self.journal.read(submitted.operation).await.unwrap();
        records.into_iter().map(|record| record.event).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn one_request_is_one_operation() {
    let set = start();
    let a = params("a");
    let both = tokio::join!(
        set.engine.submit::<Make>(&a, asked("anna", "r1")),
        set.engine.submit::<Make>(&a, asked("anna", "r1"))
    );
    let (first, second) = (both.0.unwrap(), both.1.unwrap());
    assert_eq!((first.operation, first.existing, second.existing), (second.operation, false, true));
    let other = set.engine.submit::<Make>(&params("b"), asked("anna", "r1")).await;
    assert!(matches!(other, Err(SagaError::RequestReused { operation, .. }) if operation == first.operation));
    assert!(!set.engine.submit::<Make>(&params("b"), asked("bert", "r1")).await.unwrap().existing);
    set.engine.wait(first.operation).await.unwrap();
    // Also after a restart.
    let again = start_on(set.journal.reopen(), set.world.clone());
    again.engine.recover().await.unwrap();
    let third = again.engine.submit::<Make>(&params("a"), asked("anna", "r1")).await.unwrap();
    assert_eq!((third.operation, third.existing), (first.operation, true));
}

#[tokio::test(start_paused = true)]
async fn claims_name_the_holder_and_end_with_the_operation() {
    let set = start();
    let holder = set.make("a").await;
    match set.engine.submit::<Swap>(&params("a"), Submission::default()).await {
        Err(SagaError::ClaimConflict { holder: named, holder_kind, .. }) => {
            assert_eq!((named, holder_kind.as_str()), (holder.operation, "make"));
        }
        other => panic!("{other:?}"),
    }
    set.make("b").await;
    let mut watch = set.engine.watch(holder.operation, 0).await.unwrap();
    while let Some(update) = watch.next().await {
        if let Ok(Update::Recorded(record)) = update
            && matches!(record.event, Event::Finished { .. })
        {
            set.swap("a").await;
            return;
        }
    }
    panic!("the end was not told");
}

#[tokio::test(start_paused = true)]
async fn claims_are_held_again_after_a_restart() {
    let set = start_on(MemoryJournal::crashing_at(12, CrashKind::Lost), World::default());
    let holder = set.make("a").await;
    assert!(matches!(set.engine.wait(holder.operation).await.unwrap().held, Some(Held::JournalFailed(_))));
    let again = start_on(set.journal.reopen(), set.world.clone());
    assert_eq!(again.engine.recover().await.unwrap().resumed, [holder.operation]);
    let refused = again.engine.submit::<Swap>(&params("a"), Submission::default()).await;
    assert!(matches!(refused, Err(SagaError::ClaimConflict { .. })), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_refuses_accepts_nothing() {
    let set = start_on(MemoryJournal::crashing_at(1, CrashKind::Lost), World::default());
    let refused = set.engine.submit::<Make>(&params("a"), asked("anna", "r1")).await;
    assert!(matches!(refused, Err(SagaError::Journal(_))), "{refused:?}");
    assert!(set.engine.list(&Filter::default()).is_empty());
    assert!(set.world.lock().unwrap().calls.is_empty());
}

#[tokio::test(start_paused = true)]
async fn cancel_while_the_other_side_works() {
    let set = start();
    let submitted = set.make("a").await;
    let mut watch = set.engine.watch(submitted.operation, 0).await.unwrap();
    while let Some(Ok(update)) = watch.next().await {
        if matches!(update, Update::Recorded(record) if matches!(record.event, Event::PendingSeen { .. })) {
            break;
        }
    }
    set.engine.cancel(submitted.operation, "anna").await.unwrap();
    set.engine.cancel(submitted.operation, "bert").await.expect("asking twice is fine");
    let status = set.engine.wait(submitted.operation).await.unwrap();
    assert_eq!(status.state(), State::Cancelled);
    assert_eq!(status.history.cancelled_by.as_deref(), Some("anna"));
    let world = set.world.lock().unwrap();
    assert!(world.things.is_empty() && world.jobs.is_empty(), "{world:?}");
    assert!(!world.calls.iter().any(|call| call == "fan"));
}

#[tokio::test(start_paused = true)]
async fn cancel_is_refused_past_the_pivot_and_after_the_end() {
    let set = start();
    refuse(&set.world, "tidy", [StepError::permanent("NO", "no room to tidy")]);
    let submitted = set.swap("a").await;
    assert_eq!(set.engine.wait(submitted.operation).await.unwrap().state(), State::Stuck);
    let refused = set.engine.cancel(submitted.operation, "anna").await.unwrap_err().to_string();
    assert!(refused.contains("'swap'"), "{refused}");
    let skipped = StuckAction::Skip;
    set.engine.stuck_action(submitted.operation, skipped, "anna", "tidied by hand").await.unwrap();
    while set.engine.get(submitted.operation).unwrap().history.outcome.is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(set.engine.get(submitted.operation).unwrap().history.outcome, Some(Outcome::Succeeded));
    assert!(set.engine.cancel(submitted.operation, "anna").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_pivot_that_was_plainly_refused_has_not_been_passed() {
    for (error, expected) in [
        (StepError::permanent("NO", "refused"), State::Failed),
        (StepError::permanent("LOST", "no answer").ambiguous(), State::Stuck),
    ] {
        let set = start();
        refuse(&set.world, "swap", [error.clone()]);
        let submitted = set.swap("a").await;
        let status = set.engine.wait(submitted.operation).await.unwrap();
        assert_eq!(status.state(), expected, "{error:?}");
        assert_eq!(set.world.lock().unwrap().things.is_empty(), expected == State::Failed);
    }
    // An unclear answer counts even when a later try is told a plain no.
    let set = start();
    let errors = [StepError::transient("LOST", "no answer").ambiguous(), StepError::permanent("NO", "refused")];
    refuse(&set.world, "swap", errors);
    let submitted = set.swap("a").await;
    assert_eq!(set.engine.wait(submitted.operation).await.unwrap().state(), State::Stuck);
}

#[tokio::test(start_paused = true)]
async fn transient_errors_are_tried_again_and_shown() {
    let set = start();
    refuse(&set.world, "cut", vec![StepError::transient("BUSY", "the array is busy"); 3]);
    let submitted = set.make("a").await;
    let status = set.engine.wait(submitted.operation).await.unwrap();
    assert_eq!((status.state(), status.history.steps[0].attempts), (State::Succeeded, 4));
    let failed =
        set.events(submitted).await.iter().filter(|event| matches!(event, Event::AttemptFailed { .. })).count();
    assert_eq!(failed, 3);
    // The name was planned once, whatever the number of tries.
    assert_eq!(status.history.result["cut"], "cut-a-1");
}

#[tokio::test(start_paused = true)]
async fn patience_with_a_run_has_an_end_and_with_an_undo_has_none() {
    let set = start();
    refuse(&set.world, "fan", vec![StepError::transient("BUSY", "busy"); 100]);
    refuse(&set.world, "uncut", vec![StepError::transient("BUSY", "busy"); 100]);
    let submitted = set.make("a").await;
    let status = set.engine.wait(submitted.operation).await.unwrap();
    assert_eq!(status.state(), State::Failed);
    let world = set.world.lock().unwrap();
    let count = |name: &str| world.calls.iter().filter(|call| *call == name).count();
    assert_eq!((count("fan"), count("uncut"), world.things.len()), (5, 101, 0));
}

#[tokio::test(start_paused = true)]
async fn an_undo_that_fails_for_good_waits_for_a_person() {
    for (action, things_left, outcome) in [
        (StuckAction::Retry, 0, Outcome::Failed),
        (StuckAction::Skip, 1, Outcome::Failed),
        (StuckAction::Abandon, 2, Outcome::Abandoned),
    ] {
        let set = start();
        refuse(&set.world, "fan", [StepError::permanent("NO", "no")]);
        refuse(&set.world, "uncopy", [StepError::permanent("HELD", "the copy is in use; detach it")]);
        let submitted = set.make("a").await;
        let status = set.engine.wait(submitted.operation).await.unwrap();
        assert_eq!(status.state(), State::Stuck);
        let holds = set.engine.submit::<Make>(&params("a"), Submission::default()).await;
        assert!(matches!(holds, Err(SagaError::ClaimConflict { .. })), "a stuck operation keeps its claims");
        set.engine.stuck_action(submitted.operation, action, "anna", "because").await.unwrap();
        while set.engine.get(submitted.operation).unwrap().history.outcome.is_none() {
            tokio::task::yield_now().await;
        }
        let history = set.engine.get(submitted.operation).unwrap().history;
        assert_eq!(
            (history.outcome, set.world.lock().unwrap().things.len()),
            (Some(outcome), things_left),
            "{action:?}"
        );
        let noted = set.events(submitted).await.into_iter().find_map(|event| match event {
            Event::StuckAction { action, step, who, why } => Some((action, step, who, why)),
            _ => None,
        });
        assert_eq!(noted, Some((action, "copy".into(), "anna".into(), "because".into())));
        let late = set.engine.stuck_action(submitted.operation, action, "anna", "again").await;
        assert!(matches!(late, Err(SagaError::ActionRefused { .. })));
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_counts_as_ambiguous_and_is_undone() {
    let set = start();
    refuse(&set.world, "copy", vec![StepError::transient("BUSY", "busy"); 4]);
    set.world.lock().unwrap().jobs.insert("copy-2".into(), 1_000);
    let submitted = set.make("a").await;
    let status = set.engine.wait(submitted.operation).await.unwrap();
    assert_eq!(status.state(), State::Failed);
    let (step, error) = status.history.failure.clone().unwrap();
    assert_eq!((step.as_str(), error.reason.as_str(), error.ambiguous), ("copy", "DEADLINE", true));
    assert!(set.world.lock().unwrap().things.is_empty());
}

#[tokio::test(start_paused = true)]
async fn watching_resumes_anywhere_and_ends() {
    let set = start();
    let submitted = set.make("a").await;
    let mut live = set.engine.watch(submitted.operation, 0).await.unwrap();
    let (mut seen, mut told) = (Vec::new(), 0);
    while let Some(update) = live.next().await {
        match update.unwrap() {
            Update::Recorded(record) => seen.push(record.seq),
            Update::Progress(report) => told += u32::from(report.text.ends_with("is done")),
        }
    }
    assert_eq!(seen, (0..u32::try_from(seen.len()).unwrap()).collect::<Vec<_>>());
    assert_eq!(told, 3, "one for each target");
    for from in 0..seen.len() {
        let mut later = set.engine.watch(submitted.operation, u32::try_from(from).unwrap()).await.unwrap();
        let mut rest = Vec::new();
        while let Some(Ok(Update::Recorded(record))) = later.next().await {
            rest.push(record.seq);
        }
        assert_eq!(rest, seen[from..]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_watcher_is_told_where_to_resume() {
    let set = start();
    refuse(&set.world, "uncut", vec![StepError::transient("BUSY", "busy"); 400]);
    refuse(&set.world, "fan", [StepError::permanent("NO", "no")]);
    let submitted = set.make("a").await;
    let mut slow = set.engine.watch(submitted.operation, 0).await.unwrap();
    slow.next().await.unwrap().unwrap();
    set.engine.wait(submitted.operation).await.unwrap();
    let lagged = loop {
        match slow.next().await {
            Some(Ok(_)) => {}
            Some(Err(lagged)) => break lagged,
            None => panic!("800 records through a channel of 256"),
        }
    };
    let mut again = set.engine.watch(submitted.operation, lagged.resume_from).await.unwrap();
    match again.next().await {
        Some(Ok(Update::Recorded(record))) => assert_eq!(record.seq, lagged.resume_from),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn draining_stops_at_a_boundary_and_goes_on_after_the_restart() {
    let set = start();
    let submitted = set.make("a").await;
    set.engine.drain().await;
    let refused = set.engine.submit::<Make>(&params("b"), Submission::default()).await;
    assert!(matches!(refused, Err(SagaError::Draining)));
    let status = set.engine.get(submitted.operation).unwrap();
    assert_eq!((status.held, status.history.outcome), (Some(Held::Drained), None));
    let again = start_on(set.journal.reopen(), set.world.clone());
    again.engine.recover().await.unwrap();
    assert_eq!(again.engine.wait(submitted.operation).await.unwrap().state(), State::Succeeded);
    assert_eq!(set.world.lock().unwrap().things.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_goes_away_changes_nothing() {
    let set = start();
    let once = tokio::time::timeout(Duration::ZERO, set.engine.submit::<Make>(&params("a"), asked("anna", "r"))).await;
    assert!(once.is_err(), "the caller left before the answer");
    let submitted = set.engine.submit::<Make>(&params("a"), asked("anna", "r")).await.unwrap();
    assert!(submitted.existing);
    assert_eq!(set.engine.wait(submitted.operation).await.unwrap().state(), State::Succeeded);
}

/// Four steps, the second of them passive; the first one's `Started` shares the flush of `Accepted`.
#[tokio::test(start_paused = true)]
async fn flushes_are_shared_where_nothing_outside_depends_on_them() {
    let set = start();
    set.world.lock().unwrap().jobs.clear();
    let made = set.make("a").await;
    let status = set.engine.wait(made.operation).await.unwrap();
    assert_eq!(status.state(), State::Succeeded);
    let lines = set.journal.lines();
    let place = |word: &str| lines.iter().position(|line| line.contains(word)).unwrap_or_else(|| panic!("no {word}"));
    assert_eq!(place("\"started\""), place("\"planned\"") + 1, "names are planned before the start: {lines:#?}");
    // Flushed one by one: acceptance with the first start, each further start but the passive one, the copy's planned name,
    // the job's first word, and the end. Targets and outcomes are not.
    let events = set.events(made).await;
    let own = |wanted: &str, event: &Event| matches!(event, Event::Started { step, .. } if step == wanted);
    let starts = events.iter().filter(|event| own("copy", event) || own("fan", event)).count();
    let planned = events.iter().filter(|event| matches!(event, Event::Planned { step, .. } if step != "cut")).count();
    let mut jobs: Vec<&String> = events
        .iter()
        .filter_map(|event| match event {
            Event::PendingSeen { resume, .. } => Some(resume),
            _ => None,
        })
        .collect();
    jobs.dedup();
    assert_eq!(set.journal.writes().1, u64::try_from(2 + starts + planned + jobs.len()).unwrap(), "{events:#?}");
}
