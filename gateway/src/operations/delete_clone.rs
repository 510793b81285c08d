//! Removes a clone: out of the inventory, off the hosts, off the array, in that order (safety.md S19).
//!
//! What a crash can leave, and who heals it: anything between a running clone and none. Every step converges on "gone" and
//! there is no way back, so the operation goes on where it was. A host that does not let go makes it Stuck, before anything
//! is taken from under it.

use super::{patient, step_result};
use crate::{
    deps::Deps,
    error::GatewayError,
    plan::DeleteCloneIntent,
    steps::{
        DEADLINE_OF_DISKS, DEADLINE_OF_JOBS, array_clone, attach, export, in_use, map_luns, power, present, register,
    },
};
use serde_json::Value;
use strata_model::ErrorKind;
use strata_saga::{Claim, Operation, Outputs, Progress, RunContext, Step, StepResult, Undo};

/// See the module.
#[derive(Debug)]
pub struct DeleteClone;

impl Operation for DeleteClone {
    const KIND: &'static str = "delete-clone";
    const VERSION: u16 = 1;
    type Params = DeleteCloneIntent;
    type Context = Deps;

    fn steps(intent: &DeleteCloneIntent) -> Vec<Step<Self>> {
        let mut steps = vec![Step::new(
            "mark_deleting",
            |c: RunContext<DeleteClone>| async move { mark(c.context(), c.params()) },
            Undo::pivot(),
        )];
        if intent.power_off {
            steps.push(power_off_step());
        }
        steps.push(
            Step::new(
                "unregister",
                |c: RunContext<DeleteClone>| async move {
                    let intent = &c.params().clone.intent;
                    in_use::refuse(c.context(), intent).await?;
                    step_result(register::undo(c.context(), intent).await)
                },
                Undo::nothing("the clone is being deleted"),
            )
            .retry(patient()),
        );
        let made = &intent.clone.intent;
        if made.by_volume && made.nfs_targets().next().is_some() {
            steps.extend([detach_step(), remove_export_step()]);
        }
        if made.lun_targets().next().is_some() {
            steps.extend([let_go_step(), unmap_step(), forget_devices_step()]);
        }
        steps.extend([remove_clone_step(), forget_step()]);
        steps
    }

    fn claims(intent: &DeleteCloneIntent) -> Vec<Claim> {
        vec![
            Claim::exclusive(format!("clones/{}", intent.clone.intent.clone_id)),
            Claim::shared(format!("snapshots/{}", intent.clone.intent.snapshot_id)),
            Claim::exclusive(&intent.clone.vm),
        ]
    }

    fn result(_: &DeleteCloneIntent, _: &Outputs<'_>) -> Value {
        Value::Null
    }
}

fn mark(deps: &Deps, intent: &DeleteCloneIntent) -> StepResult {
    let mut clone = intent.clone.clone();
    clone.deleting = true;
    deps.catalog.put_clone(&clone).map_err(GatewayError::from)?;
    Ok(Progress::done())
}

fn power_off_step() -> Step<DeleteClone> {
    Step::new(
        "power_off",
        |c: RunContext<DeleteClone>| async move {
            match power::off(c.context(), &c.params().clone.vm, false, c.resume()).await {
                // Somebody took it out of the inventory: it cannot run.
                Err(error) if error.kind == ErrorKind::NotFound => Ok(Progress::done()),
                other => step_result(other),
            }
        },
        Undo::nothing("the clone is being deleted"),
    )
    .retry(patient())
}

fn detach_step() -> Step<DeleteClone> {
    Step::new(
        "detach",
        |c: RunContext<DeleteClone>| async move {
            let clone = &c.params().clone;
            step_result(present::undo(c.context(), &clone.intent, &clone.exports, c.resume()).await)
        },
        Undo::nothing("the clone is being deleted"),
    )
    .retry(patient())
}

fn remove_export_step() -> Step<DeleteClone> {
    Step::new(
        "remove_export",
        |c: RunContext<DeleteClone>| async move {
            let clone = &c.params().clone;
            let volumes = clone.intent.targets.iter().zip(&clone.volumes);
            let nfs = volumes.filter(|(target, _)| target.lun_paths.is_empty()).map(|(_, volume)| volume);
            step_result(export::undo(c.context(), &clone.intent, nfs, c.resume()).await)
        },
        Undo::nothing("the clone is being deleted"),
    )
    .retry(patient())
}

fn let_go_step() -> Step<DeleteClone> {
    Step::new(
        "let_go",
        |c: RunContext<DeleteClone>| async move {
            let clone = &c.params().clone;
            step_result(attach::let_go(c.context(), &clone.intent, &clone.attached, c.resume()).await)
        },
        Undo::nothing("the clone is being deleted"),
    )
    .retry(patient())
    .deadline(DEADLINE_OF_JOBS)
}

fn unmap_step() -> Step<DeleteClone> {
    Step::new(
        "unmap",
        |c: RunContext<DeleteClone>| async move {
            let clone = &c.params().clone;
            let luns: Vec<_> = clone.luns.iter().map(|(_, volume, paths)| (volume.clone(), paths.clone())).collect();
            step_result(map_luns::unmap(c.context(), &clone.intent, &luns, c.resume()).await)
        },
        Undo::nothing("the clone is being deleted"),
    )
    .retry(patient())
    .deadline(DEADLINE_OF_JOBS)
}

fn forget_devices_step() -> Step<DeleteClone> {
    Step::new(
        "forget_devices",
        |c: RunContext<DeleteClone>| async move {
            let clone = &c.params().clone;
            step_result(attach::forget(c.context(), &clone.intent, &clone.attached, c.resume()).await)
        },
        Undo::nothing("the clone is being deleted"),
    )
    .retry(patient())
    .deadline(DEADLINE_OF_JOBS)
}

fn remove_clone_step() -> Step<DeleteClone> {
    Step::new(
        "remove_clone",
        |c: RunContext<DeleteClone>| async move {
            let operation = c.operation().to_string();
            // Asked again at the last moment: a disk can be attached elsewhere once the clone is unregistered.
            in_use::refuse(c.context(), &c.params().clone.intent).await?;
            step_result(array_clone::remove(c.context(), &operation, &c.params().clone.intent, c.resume()).await)
        },
        Undo::nothing("a removed clone cannot come back"),
    )
    .deadline(DEADLINE_OF_DISKS)
    .retry(patient())
}

fn forget_step() -> Step<DeleteClone> {
    Step::new(
        "forget",
        |c: RunContext<DeleteClone>| async move {
            c.context().catalog.remove_clone(&c.params().clone.intent.clone_id).map_err(GatewayError::from)?;
            Ok(Progress::done())
        },
        Undo::nothing("the clone is gone"),
    )
    .passive()
}
