//! The runs that every operation must survive, enumerated and not sampled: fail each step in turn, repeat each run, repeat
//! each undo, die at each point of each step, crash at each write of the journal.
//!
//! A run is an operation against a fresh world; after every ending, and every restart on the way, `check` says whether
//! the world fits the ending. Call these inside `#[tokio::test(start_paused = true)]`.

use super::{CrashKind, MemoryJournal, Rule, Script, TokioClock};
use crate::{
    Engine, Fault, Held, Operation, OperationId, Outcome, Point, State, StepError, StuckAction, Submission, Update,
    engine::Filter,
};
use serde_json::Value;
use std::sync::Arc;

/// How a run ended, for the check of the world.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// The effects must be there; the operation's answer.
    Succeeded(Value),
    /// Nothing may be there.
    TurnedBack,
    /// It was never accepted: nothing may be there.
    NeverAccepted,
}

/// How many runs there were; a test asserts that it was not none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// All runs.
    pub runs: usize,
    /// Those that went over a restart.
    pub restarts: usize,
    /// Those that were turned back.
    pub turned_back: usize,
}

type Ports<O, W> = Box<dyn Fn(&W) -> <O as Operation>::Context>;
type Check<W> = Box<dyn Fn(&W, &Ending) -> Result<(), String>>;

/// An operation, the worlds to try it in, and what must hold afterwards.
pub struct Scenario<O: Operation, W> {
    params: O::Params,
    world: Box<dyn Fn() -> W>,
    context: Ports<O, W>,
    check: Check<W>,
}

impl<O: Operation, W> Scenario<O, W> {
    /// `world` makes a fresh one, `context` the operation's ports to it, `check` complains where it does not fit.
    pub fn new(
        params: O::Params,
        world: impl Fn() -> W + 'static,
        context: impl Fn(&W) -> O::Context + 'static,
        check: impl Fn(&W, &Ending) -> Result<(), String> + 'static,
    ) -> Self {
        Self { params, world: Box::new(world), context: Box::new(context), check: Box::new(check) }
    }

    /// The operation's steps by name.
    fn steps(&self) -> Vec<&'static str> {
        O::steps(&self.params).iter().map(|step| step.name).collect()
    }

    /// Each step fails once, before its effect and after it (with the answer lost). Past the pivot a person retries.
    pub async fn fail_each_step(&self) -> Result<Tally, String> {
        let mut tally = Tally::default();
        for step in self.steps() {
            for rule in failures(step) {
                self.run(&[rule], MemoryJournal::new(), &mut tally).await?;
            }
        }
        Ok(tally)
    }

    /// Every step's run is called twice: many times must mean once.
    pub async fn repeat_each_run(&self) -> Result<Tally, String> {
        let mut tally = Tally::default();
        let rules: Vec<_> = self.steps().into_iter().map(|step| rule(Point::EffectDone, step, Fault::Repeat)).collect();
        self.run(&rules, MemoryJournal::new(), &mut tally).await?;
        if tally.turned_back > 0 { Err("a repeated run turned the operation back".into()) } else { Ok(tally) }
    }

    /// Each step fails in turn, and every undo is called twice.
    pub async fn repeat_each_undo(&self) -> Result<Tally, String> {
        let mut tally = Tally::default();
        for failing in self.steps() {
            for failure in failures(failing) {
                let mut rules = vec![failure];
                rules.extend(self.steps().into_iter().map(|step| rule(Point::UndoEffectDone, step, Fault::Repeat)));
                self.run_with_rest(&rules, MemoryJournal::new(), &mut tally).await?;
            }
        }
        Ok(tally)
    }

    /// The process dies once at each point of each step, forward and while turning back from each failure.
    pub async fn die_at_each_point(&self) -> Result<Tally, String> {
        let mut tally = Tally::default();
        let steps = self.steps();
        for step in &steps {
            for point in [Point::BeforeStarted, Point::AfterStarted, Point::EffectDone, Point::OutcomeUnflushed] {
                self.run(&[rule(point, step, Fault::Kill)], MemoryJournal::new(), &mut tally).await?;
            }
            for failure in steps.iter().flat_map(|failing| failures(failing)) {
                for point in [Point::DuringUndo, Point::UndoEffectDone] {
                    let rules = [failure.clone(), rule(point, step, Fault::Kill)];
                    self.run_with_rest(&rules, MemoryJournal::new(), &mut tally).await?;
                }
            }
        }
        Ok(tally)
    }

    /// The journal crashes at each of its writes in turn, with the write lost and with only its answer lost, forward and
    /// while turning back from each failure.
    pub async fn crash_at_each_write(&self) -> Result<Tally, String> {
        let mut tally = Tally::default();
        let mut stories = vec![Vec::new()];
        stories.extend(self.steps().into_iter().flat_map(failures).map(|failure| vec![failure]));
        for story in stories {
            for kind in [CrashKind::Lost, CrashKind::Kept] {
                for write in 1.. {
                    let journal = MemoryJournal::crashing_at(write, kind);
                    self.run_with_rest(&story, journal.clone(), &mut tally).await?;
                    if !journal.crashed() {
                        break;
                    }
                }
            }
        }
        Ok(tally)
    }

    /// Somebody cancels when each record in turn is seen, until the operation ends before that. Refusals are fine; the
    /// world must fit whatever comes of it.
    pub async fn cancel_at_each_record(&self) -> Result<Tally, String> {
        let mut tally = Tally::default();
        for seq in 0.. {
            let world = (self.world)();
            let journal = MemoryJournal::new();
            let engine = Engine::builder(Arc::new(journal.clone()), Arc::new(TokioClock::new()))
                .register::<O>((self.context)(&world))
                .build();
            let told =
                |what: String| format!("cancelled at record {seq}: {what}\n    {}", journal.lines().join("\n    "));
            let text = |error: crate::SagaError| told(error.to_string());
            tally.runs += 1;
            let operation = engine.submit::<O>(&self.params, Submission::default()).await.map_err(text)?.operation;
            let seen = is_seen(&engine, operation, seq).await;
            let taken = engine.cancel(operation, "tester").await.is_ok();
            let ending = match settle(&engine, operation).await {
                Ok(ending) => ending,
                Err(NotEnded::Bug(why) | NotEnded::Cut(why)) => return Err(told(why)),
            };
            if taken != (ending == Ending::TurnedBack) {
                return Err(told(format!("cancel was {}taken, and then {ending:?}", if taken { "" } else { "not " })));
            }
            tally.turned_back += usize::from(taken);
            (self.check)(&world, &ending).map_err(|why| told(format!("after {ending:?}: {why}")))?;
            if !seen {
                break;
            }
        }
        Ok(tally)
    }

    /// Somebody cancels when each record in turn is seen, and the journal crashes at each write in turn.
    pub async fn crash_while_cancelled(&self) -> Result<Tally, String> {
        let mut tally = Tally::default();
        // Records up to the end of a run that nobody disturbs.
        let calm = MemoryJournal::new();
        self.run(&[], calm.clone(), &mut tally).await?;
        let records = u32::try_from(calm.lines().len()).unwrap_or(u32::MAX);
        for seq in 0..records {
            for kind in [CrashKind::Lost, CrashKind::Kept] {
                for write in u64::from(seq) + 1.. {
                    let journal = MemoryJournal::crashing_at(write, kind);
                    self.run_cancelled(&[], Some(seq), journal.clone(), &mut tally).await?;
                    if !journal.crashed() {
                        break;
                    }
                }
            }
        }
        Ok(tally)
    }

    /// All of them, one after the other.
    pub async fn survive_everything(&self) -> Result<Tally, String> {
        let mut sum = Tally::default();
        for tally in [
            self.fail_each_step().await?,
            self.repeat_each_run().await?,
            self.repeat_each_undo().await?,
            self.die_at_each_point().await?,
            self.crash_at_each_write().await?,
            self.cancel_at_each_record().await?,
            self.crash_while_cancelled().await?,
        ] {
            sum.runs += tally.runs;
            sum.restarts += tally.restarts;
            sum.turned_back += tally.turned_back;
        }
        Ok(sum)
    }

    async fn run(&self, rules: &[Rule], journal: MemoryJournal, tally: &mut Tally) -> Result<(), String> {
        match self.run_with_rest(rules, journal, tally).await? {
            0 => Ok(()),
            left => Err(format!("{left} of the faults {rules:?} never struck")),
        }
    }

    /// One run; answers how many rules did not strike.
    async fn run_with_rest(&self, rules: &[Rule], journal: MemoryJournal, tally: &mut Tally) -> Result<usize, String> {
        self.run_cancelled(rules, None, journal, tally).await
    }

    /// One run, perhaps cancelled when a record is seen; answers how many rules did not strike.
    async fn run_cancelled(
        &self,
        rules: &[Rule],
        cancel_at: Option<u32>,
        journal: MemoryJournal,
        tally: &mut Tally,
    ) -> Result<usize, String> {
        let world = (self.world)();
        let script = Arc::new(Script::new(rules.iter().cloned()));
        let clock = Arc::new(TokioClock::new());
        let told = |what: &str, journal: &MemoryJournal| {
            format!(
                "{what}\n  faults: {rules:?}, cancelled at {cancel_at:?}\n  journal:\n    {}",
                journal.lines().join("\n    ")
            )
        };
        let start = |journal: &MemoryJournal| {
            Engine::builder(Arc::new(journal.clone()), clock.clone())
                .register::<O>((self.context)(&world))
                .faults(script.clone())
                .build()
        };
        tally.runs += 1;
        let engine = start(&journal);
        let submitted = engine.submit::<O>(&self.params, Submission::default()).await;
        if let (Some(seq), Ok(submitted)) = (cancel_at, &submitted) {
            cancel_when_seen(&engine, submitted.operation, seq).await;
        }
        let first = match &submitted {
            Ok(submitted) => settle(&engine, submitted.operation).await,
            Err(error) if journal.crashed() => Err(NotEnded::Cut(error.to_string())),
            Err(error) => return Err(told(&format!("not accepted: {error}"), &journal)),
        };
        let (ending, journal) = match first {
            Ok(ending) => (ending, journal),
            Err(NotEnded::Bug(why)) => return Err(told(&why, &journal)),
            Err(NotEnded::Cut(_)) => {
                tally.restarts += 1;
                let journal = journal.reopen();
                let engine = start(&journal);
                engine.recover().await.map_err(|error| told(&format!("not recovered: {error}"), &journal))?;
                match engine.list(&Filter::default()).first() {
                    None => (Ending::NeverAccepted, journal),
                    Some(found) => match settle(&engine, found.history.id).await {
                        Ok(ending) => (ending, journal),
                        Err(NotEnded::Bug(why) | NotEnded::Cut(why)) => {
                            return Err(told(&format!("not ended after the restart: {why}"), &journal));
                        }
                    },
                }
            }
        };
        tally.turned_back += usize::from(ending == Ending::TurnedBack);
        (self.check)(&world, &ending).map_err(|why| told(&format!("after {ending:?}: {why}"), &journal))?;
        Ok(script.left())
    }
}

fn rule(point: Point, step: &str, fault: Fault) -> Rule {
    Rule { point, step: step.to_owned(), fault }
}

/// A refusal before the effect, and a lost answer after it.
fn failures(step: &str) -> [Rule; 2] {
    let before = StepError::permanent("TEST_REFUSED", "the test refused");
    let after = StepError::permanent("TEST_ANSWER_LOST", "the test lost the answer").ambiguous();
    [rule(Point::AfterStarted, step, Fault::Fail(before)), rule(Point::EffectDone, step, Fault::Fail(after))]
}

/// Waits for a record; answers false where the operation ends, sticks or is held before.
async fn is_seen(engine: &Engine, operation: OperationId, seq: u32) -> bool {
    let Ok(mut watch) = engine.watch(operation, seq).await else { return false };
    loop {
        tokio::select! {
            biased;
            update = watch.next() => match update {
                Some(Ok(Update::Progress(_))) => {}
                Some(_) => return true,
                None => return false,
            },
            _ = engine.wait(operation) => return false,
        }
    }
}

async fn cancel_when_seen(engine: &Engine, operation: OperationId, seq: u32) {
    if is_seen(engine, operation, seq).await {
        // A refusal and a crash are among the things that are tried here.
        let _ = engine.cancel(operation, "tester").await;
    }
}

/// Why there is no ending yet.
enum NotEnded {
    /// The process died, or its journal did: a restart must heal it.
    Cut(String),
    /// Nothing that a restart excuses.
    Bug(String),
}

/// Waits for the end; where the operation is stuck a person says `Retry`, once.
async fn settle(engine: &Engine, operation: OperationId) -> Result<Ending, NotEnded> {
    let cut = |error: crate::SagaError| NotEnded::Cut(error.to_string());
    let mut status = engine.wait(operation).await.map_err(cut)?;
    if status.held.is_none() && status.state() == State::Stuck {
        engine.stuck_action(operation, StuckAction::Retry, "tester", "the fault is over").await.map_err(cut)?;
        while status.state() == State::Stuck {
            // The decision is written; the operation moves in its own time.
            tokio::task::yield_now().await;
            status = engine.get(operation).map_err(cut)?;
        }
        status = engine.wait(operation).await.map_err(cut)?;
    }
    match (status.history.outcome, &status.held) {
        (Some(Outcome::Succeeded), _) => Ok(Ending::Succeeded(status.history.result.clone())),
        (Some(Outcome::Failed | Outcome::Cancelled), _) => Ok(Ending::TurnedBack),
        (None, Some(Held::Killed | Held::JournalFailed(_))) => Err(NotEnded::Cut(format!("{:?}", status.held))),
        (outcome, held) => Err(NotEnded::Bug(format!("{:?}, outcome {outcome:?}, held {held:?}", status.state()))),
    }
}
