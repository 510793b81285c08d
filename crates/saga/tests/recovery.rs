//! Old journals must always load, unknown ones are parked, and any list of events either replays or is refused.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod world;

use proptest::prelude::*;
use serde_json::json;
use std::sync::Arc;
use strata_saga::{
    Accepted, Engine, Event, Held, History, OperationId, Outcome, Record, State, StepError, StuckAction,
    engine::Filter,
    recovery,
    testing::{MemoryJournal, TokioClock},
};
use world::{Make, Swap, World};

const OLD: &str = include_str!("../fixtures/events_v1.jsonl");

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.is_empty())
}

fn engine(journal: &MemoryJournal, world: &World) -> Engine {
    Engine::builder(Arc::new(journal.clone()), Arc::new(TokioClock::new()))
        .register::<Make>(world.clone())
        .register::<Swap>(world.clone())
        .build()
}

#[tokio::test(start_paused = true)]
async fn old_journals_load() {
    let journal = MemoryJournal::from_lines(lines(OLD));
    let world = World::default();
    let engine = engine(&journal, &world);
    let recovery = engine.recover().await.unwrap();
    assert_eq!((recovery.ended, recovery.resumed.len(), recovery.unreadable.len()), (2, 1, 0), "{recovery:?}");
    let why: Vec<_> = recovery.parked.iter().map(|(_, why)| why.as_str()).collect();
    assert_eq!(why.len(), 4, "{why:?}");
    for (because, words) in why.iter().zip(["version 9", "lists", "newer code", "impossible"]) {
        assert!(because.contains(words), "'{because}' does not say '{words}'");
    }
    let states: Vec<_> = engine.list(&Filter::default()).iter().map(strata_saga::Status::state).collect();
    assert_eq!(states[..2], [State::Succeeded, State::Cancelled]);
    assert_eq!(states[3..], [State::Stuck; 4]);
    let resumed = engine.wait(recovery.resumed[0]).await.unwrap();
    assert_eq!(resumed.state(), State::Succeeded, "{resumed:?}");
    assert_eq!(resumed.history.result["cut"], "cut-old-7", "the planned name of the old journal");
}

#[tokio::test(start_paused = true)]
async fn parked_operations_take_abandon_only_and_damaged_ones_nothing() {
    let journal = MemoryJournal::from_lines(lines(OLD));
    let engine = engine(&journal, &World::default());
    let parked = engine.recover().await.unwrap().parked;
    let act = |id, action| engine.stuck_action(id, action, "anna", "gone");
    let [unknown_version, _, newer, damaged] = &parked[..] else { panic!("{parked:?}") };
    let (unknown_version, newer, damaged) = (unknown_version.0, newer.0, damaged.0);
    assert!(matches!(engine.get(unknown_version).unwrap().held, Some(Held::Parked(_))));
    assert!(act(unknown_version, StuckAction::Retry).await.is_err());
    assert!(engine.cancel(unknown_version, "anna").await.is_err());
    assert!(act(newer, StuckAction::Abandon).await.is_err());
    assert!(act(damaged, StuckAction::Abandon).await.is_err());
    let abandoned = act(unknown_version, StuckAction::Abandon).await.unwrap();
    assert_eq!(abandoned.history.outcome, Some(Outcome::Abandoned));
}

/// Any event about one of three steps (the last may be the pivot), sensible or not.
fn event() -> impl Strategy<Value = Event> {
    let step = prop::sample::select(vec!["a", "b", "c", "d"]).prop_map(str::to_owned);
    let error = (any::<bool>(), any::<bool>()).prop_map(|(transient, ambiguous)| StepError {
        transient,
        ambiguous,
        ..StepError::permanent("R", "m")
    });
    let action = prop::sample::select(vec![StuckAction::Retry, StuckAction::Skip, StuckAction::Abandon]);
    let outcomes = vec![Outcome::Succeeded, Outcome::Failed, Outcome::Cancelled, Outcome::Abandoned];
    (0_u8..15, step, error, action, prop::sample::select(outcomes), any::<bool>()).prop_map(
        |(which, step, error, action, outcome, flag)| match which {
            0 => Event::Planned { step, key: "k".into(), value: json!(1) },
            1 | 2 => Event::Started { step, attempt: 1 },
            3 => Event::PendingSeen { step, resume: "r".into(), ask_again_after_ms: 1, percent: None },
            4 => Event::TargetDone { step, target: "t".into(), data: json!(null) },
            5 => Event::AttemptFailed { step, attempt: 1, error },
            6 | 7 => Event::Succeeded { step, output: json!(2) },
            8 => Event::Failed { step, error },
            9 => Event::UndoStarted { step, attempt: 1 },
            10 => Event::Undone { step, because: flag.then(|| "b".into()) },
            11 => Event::UndoFailed { step, error },
            12 => Event::CancelRequested { who: "w".into() },
            13 => Event::StuckAction { action, step, who: "w".into(), why: "y".into() },
            _ => Event::Finished { outcome, result: json!(null) },
        },
    )
}

fn accepted(pivot: Option<&str>) -> Event {
    Event::Accepted(Accepted {
        kind: "k".into(),
        version: 1,
        params: json!({}),
        steps: vec!["a".into(), "b".into(), "c".into()],
        pivot: pivot.map(str::to_owned),
        claims: Vec::new(),
        request: None,
        caller: String::new(),
    })
}

fn record(seq: u32, event: Event) -> Record {
    let operation = OperationId(uuid::Uuid::from_u128(7));
    Record { operation, seq, at: jiff::Timestamp::from_second(i64::from(seq)).unwrap(), event }
}

proptest! {
    // A failing case is printed whole, and is small: no file of seeds is kept.
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    /// Those events that are permitted make an operation; the others change nothing; replay gives the same operation,
    /// over JSON too; and it is always either ended or something comes next that is permitted.
    #[test]
    fn any_events_replay_or_are_refused(events in prop::collection::vec(event(), 0..60), pivot in any::<bool>()) {
        let mut records = vec![record(0, accepted(pivot.then_some("b")))];
        let mut history = History::accept(&records[0]).unwrap();
        for event in events {
            let next = record(history.next_seq, event);
            let before = history.clone();
            match history.apply(&next) {
                Ok(()) => records.push(next),
                Err(_) => prop_assert_eq!(&before, &history, "a refused event left a trace"),
            }
            // Past the pivot nothing is undone, ever.
            if pivot && history.step("c").is_some_and(|step| step.status != strata_saga::StepStatus::NotStarted) {
                prop_assert!(history.pivot_passed());
                prop_assert_ne!(history.state(), State::Undoing);
                prop_assert!(history.cancelled_by.is_none());
            }
        }
        let text: Vec<_> = records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
        let read: Vec<Record> = text.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(&read, &records);
        prop_assert_eq!(&History::replay(&read).unwrap(), &history);
        let plan = recovery::plan(read, |then| Ok(then.clone()));
        prop_assert_eq!(plan.ended.len() + plan.resume.len(), 1);
        prop_assert_eq!(plan.ended.len(), usize::from(history.outcome.is_some()));
    }

    /// Whatever is done to a good list of records, it replays as a prefix of itself or is refused, and never panics.
    #[test]
    fn damaged_lists_are_refused(place in 0_usize..7, how in 0_u8..3) {
        let a = || "a".to_owned();
        let good: Vec<_> = [
            accepted(None),
            Event::Planned { step: a(), key: "k".into(), value: json!(1) },
            Event::Started { step: a(), attempt: 1 },
            Event::Failed { step: a(), error: StepError::permanent("R", "m") },
            Event::UndoStarted { step: a(), attempt: 1 },
            Event::Undone { step: a(), because: None },
            Event::Finished { outcome: Outcome::Failed, result: json!(null) },
        ].into_iter().zip(0..).map(|(event, seq)| record(seq, event)).collect();
        prop_assert!(History::replay(&good).is_ok());
        let mut bad = good.clone();
        match how {
            0 => { bad.remove(place); }
            1 => bad.insert(place, good[place].clone()),
            _ => bad.swap(place, (place + 1) % good.len()),
        }
        let cut_at_the_end = how == 0 && place == good.len() - 1;
        prop_assert_eq!(History::replay(&bad).is_ok(), cut_at_the_end);
    }
}
