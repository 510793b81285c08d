//! Takes a snapshot of a VM.
//!
//! What a crash can leave, and who heals it:
//! 1. Nothing but the intent: undone by doing nothing, or gone on with.
//! 2. A VMware snapshot `strata-{id}` is open or being made: `quiesce` finds it by name and goes on, or its undo waits for
//!    it and removes it. A guest that does not freeze in its budget is not waited for, and vCenter's task is followed all
//!    the same (safety.md S11): the budget counts from the journalled `asked_at`, also over a restart.
//! 3. An array snapshot under `{id}` or `{id}-2`, not recorded: `array_snapshot` finds it by key, or its undo removes both.
//! 4. The cut is made and the VMware snapshot still open: `release` removes it by name.
//! 5. All is made and not recorded: `record` writes the same record again.

use super::{forget_point, patient, step_result};
use crate::{
    catalog::{Cut, RestorePoint, SnapshotIntent},
    deps::Deps,
    error::GatewayError,
    steps::{
        DEADLINE_OF_DISKS, DEADLINE_OF_JOBS,
        array_snapshot::{self, CutOutput},
        quiesce::{self, Frozen},
        wait,
    },
};
use jiff::Timestamp;
use serde_json::Value;
use strata_model::ErrorKind;
use strata_saga::{Claim, Operation, Outputs, Progress, RunContext, Step, StepError, StepResult, Undo, UndoContext};

/// See the module.
#[derive(Debug)]
pub struct CreateSnapshot;

impl Operation for CreateSnapshot {
    const KIND: &'static str = "create-snapshot";
    const VERSION: u16 = 1;
    type Params = SnapshotIntent;
    type Context = Deps;

    fn steps(intent: &SnapshotIntent) -> Vec<Step<Self>> {
        let mut steps = Vec::new();
        if intent.needs_freeze() {
            steps.push(quiesce_step());
        }
        steps.push(cut_step());
        if intent.needs_freeze() {
            steps.push(release_step());
        }
        steps.push(record_step());
        steps
    }

    fn claims(intent: &SnapshotIntent) -> Vec<Claim> {
        let volumes = intent.members.iter().map(|member| Claim::shared(&member.volume));
        // One VMware snapshot of a VM at a time; cuts without one may run side by side.
        let vm = if intent.needs_freeze() { Claim::exclusive(&intent.vm) } else { Claim::shared(&intent.vm) };
        volumes.chain([vm]).collect()
    }

    fn result(_: &SnapshotIntent, outputs: &Outputs<'_>) -> Value {
        outputs.get("record").cloned().unwrap_or_default()
    }
}

fn quiesce_step() -> Step<CreateSnapshot> {
    Step::new(
        "quiesce",
        |c: RunContext<CreateSnapshot>| async move { quiesce::run(&c, c.params()).await },
        Undo::by(|c: UndoContext<CreateSnapshot>| async move {
            if c.own_output::<Frozen>()?.is_none() {
                c.progress(None, quiesce::possibly_frozen(c.params()));
            }
            match quiesce::release(c.context(), c.params(), c.resume()).await {
                // The VM was deleted meanwhile, and its VMware snapshots with it.
                Err(error) if error.kind == ErrorKind::NotFound => Ok(Progress::done()),
                released => step_result(released.map(wait::done)),
            }
        }),
    )
    .plan(|c| {
        let now = serde_json::to_value(c.context().clock.now()).unwrap_or_default();
        vec![(quiesce::ASKED_AT.to_owned(), now)]
    })
    .deadline(DEADLINE_OF_DISKS)
}

fn cut_step() -> Step<CreateSnapshot> {
    Step::new(
        "array_snapshot",
        |c: RunContext<CreateSnapshot>| async move {
            let frozen: Option<Frozen> = if c.params().needs_freeze() { Some(c.output("quiesce")?) } else { None };
            let mut intent = c.params().clone();
            if let Some(skew_max_ms) =
                intent.weaker_skew_max_ms.filter(|_| frozen.as_ref().is_some_and(|it| it.given_up))
            {
                intent.skew_max_ms = skew_max_ms;
            }
            let baseline = frozen.map(|frozen| frozen.observation).or_else(|| intent.baseline.clone());
            array_snapshot::run(&c, &intent, baseline).await
        },
        Undo::by(|c: UndoContext<CreateSnapshot>| async move {
            let answered = c.own_output::<CutOutput>()?.is_some();
            let operation = c.operation().to_string();
            step_result(array_snapshot::undo(c.context(), &operation, c.params(), c.resume(), answered).await)
        }),
    )
    .deadline(DEADLINE_OF_JOBS)
}

fn release_step() -> Step<CreateSnapshot> {
    Step::new(
        "release",
        |c: RunContext<CreateSnapshot>| async move {
            step_result(quiesce::run_release(c.context(), c.params(), c.resume()).await)
        },
        Undo::nothing("removing the VMware snapshot needs no undo"),
    )
    .retry(patient())
    .deadline(DEADLINE_OF_DISKS)
}

fn record_step() -> Step<CreateSnapshot> {
    Step::new(
        "record",
        |c: RunContext<CreateSnapshot>| async move { record(&c) },
        Undo::by(|c: UndoContext<CreateSnapshot>| async move {
            step_result(forget_point(c.context(), &c.params().snapshot_id))
        }),
    )
    .passive()
}

fn record(c: &RunContext<CreateSnapshot>) -> StepResult {
    let intent = c.params();
    let cut: CutOutput = c.output("array_snapshot")?;
    let frozen: Option<Frozen> = if intent.needs_freeze() { Some(c.output("quiesce")?) } else { None };
    let released: Option<Timestamp> = if intent.needs_freeze() { Some(c.output("release")?) } else { None };
    let open_ms =
        frozen.as_ref().filter(|frozen| !frozen.given_up).zip(released).map(|(frozen, released)| {
            u64::try_from(released.duration_since(frozen.opened_at).as_millis()).unwrap_or(0)
        });
    let point = restore_point(intent, cut, frozen.as_ref(), open_ms, &format!("operations/{}", c.operation()));
    c.context().catalog.put_point(&point).map_err(|error| StepError::from(GatewayError::from(error)))?;
    Progress::output(&point)
}

/// The restore point of a finished cut.
pub(super) fn restore_point(
    intent: &SnapshotIntent,
    cut: CutOutput,
    frozen: Option<&Frozen>,
    vm_snapshot_open_ms: Option<u64>,
    operation: &str,
) -> RestorePoint {
    let grade = frozen.map_or(intent.grade_planned, |frozen| frozen.achieved(intent.grade_planned));
    let weaker = frozen.filter(|_| grade < intent.grade_planned);
    let grade_reason = weaker.map(|frozen| frozen.reason.clone()).unwrap_or_default();
    RestorePoint {
        id: intent.snapshot_id.clone(),
        display_name: intent.display_name.clone(),
        intent: intent.clone(),
        cut: Cut {
            time: cut.time,
            grade,
            grade_reason,
            key: cut.key,
            members: cut.members,
            skew_us: cut.skew_us,
            vm_snapshot_open_ms,
            config_paths: cut.config_paths,
            chains: cut.chains,
        },
        operation: operation.to_owned(),
        deleting: false,
        lost: false,
    }
}
