//! A small world for the engine's own tests: things that exist by name, and a slow workshop with jobs.

#![allow(dead_code, reason = "each test file uses its own part")]

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};
use strata_saga::{
    Claim, Operation, Outputs, Progress, RunContext, Step, StepError, StepResult, Undo, UndoContext,
    testing::{Ending, Scenario},
};

/// What exists, and what happened.
#[derive(Debug, Default)]
pub struct Things {
    pub things: BTreeSet<String>,
    /// A job's name to how often it still answers "not yet".
    pub jobs: BTreeMap<String, u32>,
    pub made: u32,
    pub swapped: bool,
    /// Errors to answer, by the thing's prefix; taken from the front.
    pub refuse: BTreeMap<&'static str, Vec<StepError>>,
    pub calls: Vec<String>,
}

pub type World = Arc<Mutex<Things>>;

pub fn refuse(world: &World, prefix: &'static str, errors: impl IntoIterator<Item = StepError>) {
    world.lock().unwrap().refuse.insert(prefix, errors.into_iter().collect());
}

fn act<'a>(world: &'a World, call: &'static str) -> Result<std::sync::MutexGuard<'a, Things>, StepError> {
    let mut things = world.lock().unwrap();
    things.calls.push(call.to_owned());
    match things.refuse.get_mut(call).filter(|errors| !errors.is_empty()).map(|errors| errors.remove(0)) {
        Some(error) => Err(error),
        None => Ok(things),
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Params {
    pub name: String,
    pub targets: Vec<String>,
}

pub fn params(name: &str) -> Params {
    Params { name: name.into(), targets: vec!["disk-1".into(), "disk-2".into(), "disk-3".into()] }
}

/// Makes a cut (name planned), a copy by a job (Pending), one thing for each target, and a note of it all.
pub struct Make;

impl Operation for Make {
    const KIND: &'static str = "make";
    const VERSION: u16 = 1;
    type Params = Params;
    type Context = World;

    fn steps(_: &Params) -> Vec<Step<Self>> {
        vec![
            Step::new("cut", cut, Undo::by(uncut)).plan(|plan| {
                let made = {
                    let mut world = plan.context().lock().unwrap();
                    world.made += 1;
                    world.made
                };
                vec![("name".into(), json!(format!("cut-{}-{made}", plan.params().name)))]
            }),
            Step::new("look", |_| async { Ok(Progress::done()) }, Undo::nothing("looking changes nothing")).passive(),
            Step::new("copy", copy, Undo::by(uncopy)).deadline(Duration::from_secs(100)),
            Step::new("fan", fan, Undo::by(unfan)),
        ]
    }

    fn claims(params: &Params) -> Vec<Claim> {
        vec![Claim::exclusive(format!("things/{}", params.name))]
    }

    fn result(_: &Params, outputs: &Outputs<'_>) -> Value {
        json!({"cut": outputs.get("cut"), "copy": outputs.get("copy")})
    }
}

async fn cut(cx: RunContext<Make>) -> StepResult {
    let name: String = cx.planned("name", || unreachable!("planned before the start")).await?;
    act(cx.context(), "cut")?.things.insert(name.clone());
    Progress::output(&name)
}

async fn uncut(cx: UndoContext<Make>) -> StepResult {
    if let Some(name) = cx.planned::<String>("name")? {
        act(cx.context(), "uncut")?.things.remove(&name);
    }
    Ok(Progress::done())
}

async fn copy(cx: RunContext<Make>) -> StepResult {
    let world = cx.context().clone();
    let name: String = cx
        .planned("copy", || {
            let mut world = world.lock().unwrap();
            world.made += 1;
            format!("copy-{}", world.made)
        })
        .await?;
    let mut world = act(cx.context(), "copy")?;
    if world.things.contains(&name) {
        return Progress::output(&name);
    }
    let left = world.jobs.entry(name.clone()).or_insert(3);
    if *left == 0 {
        world.jobs.remove(&name);
        world.things.insert(name.clone());
        return Progress::output(&name);
    }
    *left -= 1;
    let percent = u8::try_from(90 - 30 * (*left).min(3)).ok();
    if let Some(resume) = cx.resume() {
        assert_eq!(resume, format!("job of {name}"));
    }
    Ok(Progress::Pending { ask_again_after: Duration::from_secs(7), resume: format!("job of {name}"), percent })
}

async fn uncopy(cx: UndoContext<Make>) -> StepResult {
    if let Some(name) = cx.planned::<String>("copy")? {
        let mut world = act(cx.context(), "uncopy")?;
        world.jobs.remove(&name);
        world.things.remove(&name);
    }
    Ok(Progress::done())
}

async fn fan(cx: RunContext<Make>) -> StepResult {
    let done = cx.targets_done();
    for target in cx.params().targets.iter().filter(|target| !done.contains_key(*target)) {
        let thing = format!("{target} of {}", cx.params().name);
        act(cx.context(), "fan")?.things.insert(thing);
        cx.target_done(target, &json!({"bytes": 1})).await?;
        cx.progress(None, format!("{target} is done"));
    }
    Ok(Progress::done())
}

async fn unfan(cx: UndoContext<Make>) -> StepResult {
    for target in &cx.params().targets {
        let thing = format!("{target} of {}", cx.params().name);
        act(cx.context(), "unfan")?.things.remove(&thing);
    }
    Ok(Progress::done())
}

/// A safety point, then the swap, from which on there is only forward, then tidying up.
pub struct Swap;

impl Operation for Swap {
    const KIND: &'static str = "swap";
    const VERSION: u16 = 1;
    type Params = Params;
    type Context = World;

    fn steps(_: &Params) -> Vec<Step<Self>> {
        vec![
            Step::new("safety", safety, Undo::by(unsafety)),
            Step::new("swap", swap, Undo::pivot()),
            Step::new("tidy", tidy, Undo::nothing("past the pivot nothing is undone")),
        ]
    }

    fn claims(params: &Params) -> Vec<Claim> {
        vec![Claim::exclusive(format!("things/{}", params.name))]
    }

    fn result(_: &Params, _: &Outputs<'_>) -> Value {
        json!("swapped")
    }
}

async fn safety(cx: RunContext<Swap>) -> StepResult {
    act(cx.context(), "safety")?.things.insert(format!("safety of {}", cx.params().name));
    Ok(Progress::done())
}

async fn unsafety(cx: UndoContext<Swap>) -> StepResult {
    act(cx.context(), "unsafety")?.things.remove(&format!("safety of {}", cx.params().name));
    Ok(Progress::done())
}

async fn swap(cx: RunContext<Swap>) -> StepResult {
    act(cx.context(), "swap")?.swapped = true;
    Ok(Progress::done())
}

async fn tidy(cx: RunContext<Swap>) -> StepResult {
    let mut world = act(cx.context(), "tidy")?;
    world.things.insert("tidy".into());
    Ok(Progress::done())
}

pub fn make_scenario() -> Scenario<Make, World> {
    Scenario::new(params("web"), World::default, Clone::clone, |world, ending| {
        let world = world.lock().unwrap();
        let expected = if matches!(ending, Ending::Succeeded(_)) { 5 } else { 0 };
        if let Ending::Succeeded(answer) = ending
            && !(world.things.contains(answer["cut"].as_str().unwrap_or(""))
                && world.things.contains(answer["copy"].as_str().unwrap_or("")))
        {
            return Err(format!("the answer {answer} is not in {:?}", world.things));
        }
        if world.things.len() == expected && world.jobs.is_empty() { Ok(()) } else { Err(format!("{world:?}")) }
    })
}

pub fn swap_scenario() -> Scenario<Swap, World> {
    Scenario::new(params("web"), World::default, Clone::clone, |world, ending| {
        let world = world.lock().unwrap();
        let succeeded = matches!(ending, Ending::Succeeded(_));
        let expected = if succeeded { 2 } else { 0 };
        if world.things.len() == expected && world.swapped == succeeded { Ok(()) } else { Err(format!("{world:?}")) }
    })
}
