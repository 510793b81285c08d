//! The engine's own operations through every run that operations must survive, and proof that these runs can fail.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod world;

use serde_json::{Value, json};
use strata_saga::{
    Claim, Operation, Outputs, Progress, RunContext, Step, StepResult, Undo,
    testing::{Ending, Scenario},
};
use world::{World, make_scenario, swap_scenario};

#[tokio::test(start_paused = true)]
async fn make_survives_everything() {
    let tally = make_scenario().survive_everything().await.unwrap_or_else(|why| panic!("{why}"));
    println!("make: {tally:?}");
    assert!(tally.runs > 200 && tally.restarts > 100 && tally.turned_back > 50, "{tally:?}");
}

#[tokio::test(start_paused = true)]
async fn swap_survives_everything() {
    let tally = swap_scenario().survive_everything().await.unwrap_or_else(|why| panic!("{why}"));
    println!("swap: {tally:?}");
    assert!(tally.runs > 100 && tally.restarts > 50 && tally.turned_back > 5, "{tally:?}");
}

/// Wrong in the two classic ways: a new name at each run, and an undo that goes by nothing.
struct Sloppy;

impl Operation for Sloppy {
    const KIND: &'static str = "sloppy";
    const VERSION: u16 = 1;
    type Params = ();
    type Context = World;

    fn steps(_: &()) -> Vec<Step<Self>> {
        vec![
            Step::new("make", sloppy_make, Undo::nothing("(wrong)")),
            Step::new("rest", |_| async { Ok(Progress::done()) }, Undo::nothing("it does nothing")),
        ]
    }
    fn claims(_: &()) -> Vec<Claim> {
        Vec::new()
    }
    fn result(_: &(), _: &Outputs<'_>) -> Value {
        json!(null)
    }
}

async fn sloppy_make(cx: RunContext<Sloppy>) -> StepResult {
    let mut world = cx.context().lock().unwrap();
    world.made += 1;
    let name = format!("thing-{}", world.made);
    world.things.insert(name);
    Ok(Progress::done())
}

#[tokio::test(start_paused = true)]
async fn sloppy_operations_are_caught() {
    let scenario = || {
        Scenario::<Sloppy, World>::new((), World::default, Clone::clone, |world, ending| {
            let expected = usize::from(matches!(ending, Ending::Succeeded(_)));
            let found = world.lock().unwrap().things.len();
            if found == expected { Ok(()) } else { Err(format!("{found} things")) }
        })
    };
    assert!(scenario().fail_each_step().await.is_err());
    assert!(scenario().repeat_each_run().await.is_err());
    assert!(scenario().repeat_each_undo().await.is_err());
    assert!(scenario().die_at_each_point().await.is_err());
    assert!(scenario().crash_at_each_write().await.is_err());
}
