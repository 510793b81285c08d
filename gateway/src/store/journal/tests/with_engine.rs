//! The engine over the durable journal: the process dies in the middle of each step, right after its effect, and what it
//! left on disk is taken up by another.

use super::{copy, open};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, Mutex},
};
use strata_saga::{
    Claim, Engine, Operation, Outputs, Progress, RunContext, State, Step, StepResult, Submission, Undo, engine::Filter,
    testing::TokioClock,
};
use tempfile::{TempDir, tempdir};

type Things = BTreeSet<String>;

/// The world, and where its deaths are kept: the disk and the world at that moment.
#[derive(Clone, Default)]
struct Mortal {
    things: Arc<Mutex<Things>>,
    disk: Option<PathBuf>,
    deaths: Arc<Mutex<Vec<(TempDir, Things)>>>,
}

struct Three;

impl Operation for Three {
    const KIND: &'static str = "three";
    const VERSION: u16 = 1;
    type Params = ();
    type Context = Mortal;

    fn steps(_: &()) -> Vec<Step<Self>> {
        ["a", "b", "c"]
            .into_iter()
            .map(|name| {
                Step::new(name, make, Undo::nothing("this test goes forward only"))
                    .plan(|_| vec![("name".into(), json!(uuid::Uuid::new_v4()))])
            })
            .collect()
    }
    fn claims(_: &()) -> Vec<Claim> {
        vec![Claim::exclusive("world")]
    }
    fn result(_: &(), _: &Outputs<'_>) -> Value {
        Value::Null
    }
}

async fn make(cx: RunContext<Three>) -> StepResult {
    let name: String = cx.planned("name", || "never made here".into()).await?;
    let mortal = cx.context();
    let mut things = mortal.things.lock().unwrap();
    things.insert(name);
    if let Some(disk) = &mortal.disk {
        mortal.deaths.lock().unwrap().push((copy(disk, |_, _| {}), things.clone()));
    }
    Ok(Progress::done())
}

#[tokio::test]
async fn another_process_takes_up_what_a_dead_one_left() {
    let directory = tempdir().unwrap();
    let mortal = Mortal { disk: Some(directory.path().to_owned()), ..Mortal::default() };
    let engine = |directory: &std::path::Path, mortal: &Mortal| {
        let journal = open(directory).unwrap().journal;
        Engine::builder(Arc::new(journal), Arc::new(TokioClock::new())).register::<Three>(mortal.clone()).build()
    };
    let living = engine(directory.path(), &mortal);
    let operation = living.submit::<Three>(&(), Submission::default()).await.unwrap().operation;
    assert_eq!(living.wait(operation).await.unwrap().state(), State::Succeeded);
    let finished = mortal.things.lock().unwrap().clone();

    let deaths = std::mem::take(&mut *mortal.deaths.lock().unwrap());
    assert_eq!(deaths.len(), 3);
    for (place, (disk, things)) in deaths.into_iter().enumerate() {
        assert_eq!(things.len(), place + 1);
        let world = Mortal { things: Arc::new(Mutex::new(things.clone())), ..Mortal::default() };
        let next = engine(disk.path(), &world);
        let recovery = next.recover().await.unwrap();
        assert_eq!(recovery.resumed, [operation], "death {place}");
        assert_eq!(next.wait(operation).await.unwrap().state(), State::Succeeded);
        let now = world.things.lock().unwrap().clone();
        assert_eq!(now.len(), 3, "death {place}: the planned names were kept");
        assert!(now.is_superset(&things) && finished.is_superset(&things));
        assert_eq!(next.list(&Filter::default()).len(), 1);
    }
}
