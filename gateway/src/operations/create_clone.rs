//! Makes a registered VM of a restore point.
//!
//! What a crash can leave, and who heals it:
//! 1. A clone on the array under `{id}`: `array_clone` finds it by key, or its undo removes it.
//! 2. Exports and mounts of it: `export` and `present` find them, or their undos take them away, hosts first.
//!    On LUNs: mapped, seen by some hosts, with or without a signature of its own, mounted on some: `map_luns` and `attach`
//!    find the copy by its devices and go on, or their undos have every host let go, see it off, unmap and forget. A host
//!    that does not answer makes the undo wait for a person, with nothing taken from under it.
//! 3. A registered VM with the key in its configuration: `register` finds it by its .vmx, or its undo unregisters it.
//! 4. The new identity is set, wholly or not: `identity` sets it again.
//! 5. All is made and not recorded: `record` writes the same record again.

use super::{copies, patient, step_result, vmfs_claim};
use crate::{
    catalog::{CloneIntent, CloneRecord, CloneTarget, RestorePoint},
    deps::Deps,
    error::GatewayError,
    plan::point,
    steps::{
        DEADLINE_OF_JOBS,
        array_clone::CloneOutput,
        identity::{self, Identity},
        power, register, verify,
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
        let mut steps = vec![verify_step()];
        steps.extend(copies::steps::<Self>(intent, |intent| intent));
        steps.push(register_step());
        steps.push(identity_step());
        if intent.power_on {
            steps.push(power_step());
        }
        steps.push(record_step());
        steps
    }

    fn claims(intent: &CloneIntent) -> Vec<Claim> {
        // Two copies of one VMFS that are unresolved at a time cannot be told apart by vCenter.
        let vmfs = intent.vmfs.iter().map(|vmfs| Claim::exclusive(vmfs_claim(&intent.vcenter, &vmfs.source_uuid)));
        let names = [
            Claim::shared(format!("snapshots/{}", intent.snapshot_id)),
            Claim::exclusive(format!("{}/names/{}", intent.vcenter, intent.display_name)),
        ];
        names.into_iter().chain(vmfs).collect()
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
    let own = |target: &CloneTarget| match target.luns_in_place {
        // The volume is the source's.
        true => Some(String::new()),
        false => cloned.volumes.get(&target.volume).cloned(),
    };
    let volumes = if intent.by_volume { intent.targets.iter().filter_map(own).collect() } else { Vec::new() };
    let has_nfs = intent.by_volume && intent.nfs_targets().next().is_some();
    let luns = intent.lun_targets().map(|target| {
        let (volume, luns) = cloned.luns_of(&target.volume)?;
        Ok((target.volume.clone(), volume, luns.into_iter().map(|lun| lun.path).collect()))
    });
    let clone = CloneRecord {
        intent: intent.clone(),
        vm: identity.vm,
        create_time: c.context().clock.now(),
        operation: format!("operations/{}", c.operation()),
        mac_addresses: identity.mac_addresses,
        stripped: c.output("register")?,
        copied_bytes: cloned.copied_bytes,
        volumes,
        exports: if has_nfs { c.output("export")? } else { Vec::new() },
        attached: if intent.vmfs.is_empty() { Vec::new() } else { c.output("attach")? },
        luns: luns.collect::<Result<_, GatewayError>>()?,
        powered_on: intent.power_on,
        deleting: false,
    };
    c.context().catalog.put_clone(&clone).map_err(|error| StepError::from(GatewayError::from(error)))?;
    Progress::output(&clone)
}
