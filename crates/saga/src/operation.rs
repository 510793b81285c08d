//! What a host writes for each kind of operation, and the form in which the engine holds it.

use crate::{
    Accepted, Claim, Event, History, RunContext, UndoContext,
    context::{Permit, Scope},
    plan_context::PlanContext,
    step::{Retry, Step, StepResult, Undo},
};
use futures::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{collections::BTreeSet, marker::PhantomData, sync::Arc, time::Duration};

/// One kind of operation: one file of the host, which opens with its crash states and the step that heals each.
pub trait Operation: Sized + Send + Sync + 'static {
    /// Its word in the journal; never reused for another meaning.
    const KIND: &'static str;
    /// Raised whenever the list of steps or the meaning of a step changes. Keep the old code registered until no
    /// operation of the old version is unfinished.
    const VERSION: u16;
    /// What is asked. Its serialised form is journalled.
    type Params: Serialize + DeserializeOwned + Clone + Send + Sync + 'static;
    /// What the steps act through: ports, clock.
    type Context: Clone + Send + Sync + 'static;

    /// The steps, a pure function of the parameters.
    fn steps(params: &Self::Params) -> Vec<Step<Self>>;
    /// What is held from acceptance to end, a pure function of the parameters.
    fn claims(params: &Self::Params) -> Vec<Claim>;
    /// What the operation answers, from its steps' outputs.
    fn result(params: &Self::Params, outputs: &Outputs<'_>) -> Value;
}

/// The outputs of the steps that succeeded.
pub struct Outputs<'a>(pub(crate) &'a History);

impl Outputs<'_> {
    /// A step's output as it was journalled.
    pub fn get(&self, step: &str) -> Option<&Value> {
        self.0.step(step)?.output.as_ref()
    }
}

pub(crate) enum RawUndo {
    By(RawRun),
    Nothing(&'static str),
}

pub(crate) type RawRun = Arc<dyn Fn(Permit, Scope) -> BoxFuture<'static, StepResult> + Send + Sync>;
pub(crate) type RawPlan = Arc<dyn Fn(&History) -> Vec<(String, Value)> + Send + Sync>;

/// A step without its types.
pub(crate) struct RawStep {
    pub(crate) name: &'static str,
    pub(crate) run: RawRun,
    pub(crate) undo: RawUndo,
    pub(crate) plan: Option<RawPlan>,
    pub(crate) retry: Retry,
    pub(crate) deadline: Duration,
    pub(crate) passive: bool,
}

impl RawStep {
    /// What is written when it starts for the first time.
    pub(crate) fn first_start(&self, history: &History) -> Vec<Event> {
        let step = || self.name.to_owned();
        let planned = self.plan.as_ref().map(|plan| plan(history)).unwrap_or_default();
        let planned = planned.into_iter().map(|(key, value)| Event::Planned { step: step(), key, value });
        planned.chain([Event::Started { step: step(), attempt: 1 }]).collect()
    }
}

/// An operation without its types, ready to run.
pub(crate) struct Prepared {
    pub(crate) accepted: Accepted,
    pub(crate) steps: Vec<RawStep>,
    pub(crate) result: Box<dyn Fn(&History) -> Value + Send + Sync>,
}

/// A kind that the engine knows.
pub(crate) trait Kind: Send + Sync {
    fn prepare(&self, params: &Value) -> Result<Prepared, String>;
}

pub(crate) struct KindOf<O: Operation> {
    context: O::Context,
    marker: PhantomData<fn() -> O>,
}

impl<O: Operation> KindOf<O> {
    pub(crate) fn new(context: O::Context) -> Self {
        Self { context, marker: PhantomData }
    }
}

impl<O: Operation> Kind for KindOf<O> {
    fn prepare(&self, params: &Value) -> Result<Prepared, String> {
        let typed: O::Params = serde_json::from_value(params.clone()).map_err(|error| error.to_string())?;
        let typed = Arc::new(typed);
        let steps = O::steps(&typed);
        let names: BTreeSet<_> = steps.iter().map(|step| step.name).collect();
        let mut pivots = steps.iter().filter(|step| matches!(step.undo, Undo::Pivot)).map(|step| step.name.to_owned());
        let pivot = pivots.next();
        if names.len() != steps.len() || pivots.next().is_some() {
            return Err("its steps must have different names and at most one pivot".into());
        }
        let accepted = Accepted {
            kind: O::KIND.to_owned(),
            version: O::VERSION,
            params: params.clone(),
            steps: steps.iter().map(|step| step.name.to_owned()).collect(),
            pivot,
            claims: O::claims(&typed),
            request: None,
            caller: String::new(),
        };
        let steps = steps.into_iter().map(|step| self.erase(step, &typed)).collect();
        Ok(Prepared { accepted, steps, result: Box::new(move |history| O::result(&typed, &Outputs(history))) })
    }
}

impl<O: Operation> KindOf<O> {
    fn erase(&self, step: Step<O>, params: &Arc<O::Params>) -> RawStep {
        let (run_params, run_context, run) = (params.clone(), self.context.clone(), step.run);
        let (undo_params, undo_context) = (params.clone(), self.context.clone());
        let (plan_params, plan_context) = (params.clone(), self.context.clone());
        RawStep {
            name: step.name,
            run: Arc::new(move |permit, scope| {
                run(RunContext::new(permit, scope, run_params.clone(), run_context.clone()))
            }),
            undo: match step.undo {
                Undo::By(undo) => RawUndo::By(Arc::new(move |permit, scope| {
                    undo(UndoContext::new(permit, scope, undo_params.clone(), undo_context.clone()))
                })),
                Undo::Nothing { because } => RawUndo::Nothing(because),
                Undo::Pivot => RawUndo::Nothing("it was refused at every try, so nothing happened"),
            },
            plan: step.plan.map(|plan| {
                Arc::new(move |history: &History| {
                    plan(&PlanContext { params: &plan_params, context: &plan_context, history })
                }) as RawPlan
            }),
            retry: step.retry,
            deadline: step.deadline,
            passive: step.passive,
        }
    }
}
