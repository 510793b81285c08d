//! Makes a registered VM of a restore point.
//!
//! What a crash can leave, and who heals it:
//! 1. A clone on the array under `{id}`: `array_clone` finds it by key, or its undo removes it.
//! 2. Exports and mounts of it: `export` and `present` find them, or their undos take them away, hosts first.
//! 3. A registered VM with the key in its configuration: `register` finds it by its .vmx, or its undo unregisters it.
//! 4. The new identity is set, wholly or not: `identity` sets it again.
//! 5. All is made and not recorded: `record` writes the same record again.

use super::{patient, step_result};
use crate::{
    catalog::{CloneIntent, CloneRecord, RestorePoint},
    deps::Deps,
    error::GatewayError,
    plan::point,
    steps::{
        DEADLINE_OF_DISKS, DEADLINE_OF_JOBS,
        array_clone::{self, CloneOutput},
        export::{self, Exports},
        identity::{self, Identity},
        power, present, register, verify,
    },
};
use serde_json::Value;
use strata_saga::{Claim, Operation, Outputs, Progress, RunContext, Step, StepError, StepResult, Undo, UndoContext};

/// See the module.
#[derive(Debug)]
pub struct CreateClone;

impl Operation for CreateClone {
    const KIND: &'static str = "create-clone";
    const VERSION: u16 = 1;
    type Params = CloneIntent;
    type Context = Deps;

    fn steps(intent: &CloneIntent) -> Vec<Step<Self>> {
        let mut steps = vec![verify_step(), clone_step()];
        if intent.by_volume {
            steps.extend([export_step(), present_step()]);
        }
        steps.extend([register_step(), identity_step()]);
        if intent.power_on {
            steps.push(power_step());
        }
        steps.push(record_step());
        steps
    }

    fn claims(intent: &CloneIntent) -> Vec<Claim> {
        vec![
            Claim::shared(format!("snapshots/{}", intent.snapshot_id)),
            Claim::exclusive(format!("{}/names/{}", intent.vcenter, intent.display_name)),
        ]
    }

    fn result(_: &CloneIntent, outputs: &Outputs<'_>) -> Value {
        outputs.get("record").cloned().unwrap_or_default()
    }
}

fn point_of(c: &RunContext<CreateClone>) -> Result<RestorePoint, GatewayError> {
    let id = &c.params().snapshot_id;
    let point = c.context().catalog.point(id)?.ok_or_else(|| GatewayError::not_found("snapshot", id))?;
    // The plan saw it before this operation had its claim.
    point::refuse_unusable(&point)?;
    Ok(point)
}

fn verify_step() -> Step<CreateClone> {
    Step::new(
        "verify",
        |c: RunContext<CreateClone>| async move {
            let point = point_of(&c)?;
            verify::point(c.context(), &point).await?;
            Ok(Progress::done())
        },
        Undo::nothing("it only reads"),
    )
}

fn clone_step() -> Step<CreateClone> {
    Step::new(
        "array_clone",
        |c: RunContext<CreateClone>| async move {
            let operation = c.operation().to_string();
            step_result(array_clone::run(c.context(), &operation, c.params(), c.resume()).await)
        },
        Undo::by(|c: UndoContext<CreateClone>| async move {
            let answered = c.own_output::<CloneOutput>()?.is_some();
            let operation = c.operation().to_string();
            step_result(array_clone::undo(c.context(), &operation, c.params(), c.resume(), answered).await)
        }),
    )
    .deadline(DEADLINE_OF_DISKS)
}

fn export_step() -> Step<CreateClone> {
    Step::new(
        "export",
        |c: RunContext<CreateClone>| async move {
            let cloned: CloneOutput = c.output("array_clone")?;
            step_result(export::run(c.context(), c.params(), &cloned, c.resume()).await)
        },
        Undo::by(|c: UndoContext<CreateClone>| async move {
            let cloned: CloneOutput = c.output("array_clone")?;
            step_result(export::undo(c.context(), c.params(), cloned.volumes.values(), c.resume()).await)
        }),
    )
}

fn present_step() -> Step<CreateClone> {
    Step::new(
        "present",
        |c: RunContext<CreateClone>| async move {
            let exports: Exports = c.output("export")?;
            step_result(present::run(c.context(), c.params(), &exports, c.resume()).await)
        },
        Undo::by(|c: UndoContext<CreateClone>| async move {
            let exports: Exports = c.output("export")?;
            step_result(present::undo(c.context(), c.params(), &exports, c.resume()).await)
        }),
    )
}

fn register_step() -> Step<CreateClone> {
    Step::new(
        "register",
        |c: RunContext<CreateClone>| async move { step_result(register::run(c.context(), c.params(), c.resume()).await) },
        Undo::by(
            |c: UndoContext<CreateClone>| async move { step_result(register::undo(c.context(), c.params()).await) },
        ),
    )
    .deadline(DEADLINE_OF_JOBS)
}

fn identity_step() -> Step<CreateClone> {
    Step::new(
        "identity",
        |c: RunContext<CreateClone>| async move { step_result(identity::run(c.context(), c.params()).await) },
        Undo::nothing("it goes with the registration"),
    )
}

fn power_step() -> Step<CreateClone> {
    Step::new(
        "power_on",
        |c: RunContext<CreateClone>| async move {
            let identity: Identity = c.output("identity")?;
            step_result(power::on_clone(c.context(), &identity.vm, c.resume()).await)
        },
        Undo::by(|c: UndoContext<CreateClone>| async move {
            let identity: Identity = c.output("identity")?;
            step_result(power::off(c.context(), &identity.vm, false, c.resume()).await)
        }),
    )
    .deadline(DEADLINE_OF_JOBS)
}

fn record_step() -> Step<CreateClone> {
    Step::new(
        "record",
        |c: RunContext<CreateClone>| async move { record(&c) },
        Undo::by(|c: UndoContext<CreateClone>| async move {
            c.context().catalog.remove_clone(&c.params().clone_id).map_err(GatewayError::from)?;
            Ok(Progress::done())
        }),
    )
    .retry(patient())
    .passive()
}

fn record(c: &RunContext<CreateClone>) -> StepResult {
    let intent = c.params();
    let cloned: CloneOutput = c.output("array_clone")?;
    let identity: Identity = c.output("identity")?;
    let volumes = match intent.by_volume {
        true => intent.targets.iter().filter_map(|target| cloned.volumes.get(&target.volume).cloned()).collect(),
        false => Vec::new(),
    };
    let clone = CloneRecord {
        intent: intent.clone(),
        vm: identity.vm,
        create_time: c.context().clock.now(),
        operation: format!("operations/{}", c.operation()),
        mac_addresses: identity.mac_addresses,
        stripped: c.output("register")?,
        copied_bytes: cloned.copied_bytes,
        volumes,
        exports: if intent.by_volume { c.output("export")? } else { Vec::new() },
        powered_on: intent.power_on,
        deleting: false,
    };
    c.context().catalog.put_clone(&clone).map_err(|error| StepError::from(GatewayError::from(error)))?;
    Progress::output(&clone)
}
