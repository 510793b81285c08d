//! Puts a VM's disks back to a restore point, by files.
//!
//! What a crash can leave, and who heals it:
//! 1. The VM is stopped: `power_off` finds it so, or its undo turns it on again where it ran.
//! 2. The safety snapshot exists, not recorded: `safety_snapshot` finds it by key, or its undo removes it.
//! 3. Some disks are set aside: `set_aside` moves the rest, or its undo moves them back.
//! 4. Some restored files are in place: `restore_files` adds the rest, or its undo takes them away before 3 is undone.
//! 5. All files are back, tracking or vCenter's view is old: `change_tracking` and `reload` run again.
//! 6. After `commit` only forward: the VM is turned on, what was set aside is deleted.

use super::{create_snapshot::restore_point, forget_point, patient, step_result};
use crate::{
    catalog::RestorePoint,
    deps::Deps,
    error::{GatewayError, Result},
    layout::{Depth, VmLayout},
    plan::RevertIntent,
    steps::{
        DEADLINE_OF_DISKS, DEADLINE_OF_JOBS,
        array_snapshot::{self, CutOutput},
        change_tracking, discard_vm_snapshots, late_shutdown, power, reload, restore_files, set_aside, verify,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strata_saga::{Claim, Operation, Outputs, Progress, RunContext, Step, StepError, StepResult, Undo, UndoContext};

/// See the module.
#[derive(Debug)]
pub struct RevertVm;

/// What a revert answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevertResult {
    /// The VM.
    pub vm: String,
    /// The restore point's id.
    pub snapshot_id: String,
    /// The safety point's id.
    pub safety_id: String,
    /// Files that were put back.
    pub files: Vec<String>,
    /// It runs again.
    pub powered_on: bool,
    /// What the administrator must know.
    pub remarks: Vec<String>,
    /// Directories with the old disks, which stay until they are committed.
    #[serde(default)]
    pub kept: Vec<String>,
}

impl Operation for RevertVm {
    const KIND: &'static str = "revert-vm";
    const VERSION: u16 = 1;
    type Params = RevertIntent;
    type Context = Deps;

    fn steps(intent: &RevertIntent) -> Vec<Step<Self>> {
        let mut steps = vec![verify_step()];
        if intent.was_on {
            steps.push(power_off_step());
        }
        steps.extend([safety_step(), record_safety_step()]);
        if intent.discard_vm_snapshots {
            steps.push(discard_step());
        }
        steps.extend([set_aside_step(), restore_step(), change_tracking_step(), reload_step(), commit_step()]);
        if intent.was_on && intent.power_on_again {
            steps.push(power_on_step());
        }
        steps.push(remove_aside_step());
        steps
    }

    fn claims(intent: &RevertIntent) -> Vec<Claim> {
        let point = format!("snapshots/{}", intent.point.id);
        // Nobody deletes the safety point while it is all that holds the present state.
        let safety = format!("snapshots/{}", intent.safety.snapshot_id);
        let volumes = intent.disks.iter().map(|disk| Claim::shared(&disk.volume));
        volumes.chain([Claim::exclusive(&intent.vm), Claim::shared(point), Claim::exclusive(safety)]).collect()
    }

    fn result(intent: &RevertIntent, _: &Outputs<'_>) -> Value {
        let mut remarks = Vec::new();
        if intent.change_tracking {
            remarks.push("changed block tracking was reset: the next backup must be a full one".to_owned());
        }
        let result = RevertResult {
            vm: intent.vm.clone(),
            snapshot_id: intent.point.id.clone(),
            safety_id: intent.safety.snapshot_id.clone(),
            files: intent.disks.iter().map(|disk| disk.path.clone()).collect(),
            powered_on: intent.was_on && intent.power_on_again,
            remarks,
            kept: Vec::new(),
        };
        serde_json::to_value(result).unwrap_or_default()
    }
}

fn verify_step() -> Step<RevertVm> {
    Step::new(
        "verify",
        |c: RunContext<RevertVm>| async move {
            verify::point(c.context(), &c.params().point).await?;
            unchanged(c.context(), c.params()).await?;
            Ok(Progress::done())
        },
        Undo::nothing("it only reads"),
    )
}

/// The VM is still the one that was planned for, with the same disks in the same places.
async fn unchanged(deps: &Deps, intent: &RevertIntent) -> Result<()> {
    let layout = VmLayout::read(&deps.ports, &intent.vm, Depth::Quick).await?;
    let changed = |what: String| {
        let message = format!("{} is not as it was planned for: {what}; plan again", intent.vm_display_name);
        GatewayError::conflict("VM_CHANGED", message).with("vm", &intent.vm)
    };
    if layout.vm.bios_uuid != intent.safety.bios_uuid || layout.vm.vmx_path != intent.safety.vmx_path {
        return Err(changed("its uuid or its files' place changed".to_owned()));
    }
    for disk in &intent.disks {
        let (placed, _) = layout.locate(&disk.path)?;
        let same_volume = placed.volume.as_ref().is_some_and(|volume| volume.uuid == disk.volume_uuid);
        let attached = layout.disks.iter().any(|live| match intent.discard_vm_snapshots {
            true => live.disk.chain.last() == Some(&disk.path),
            false => live.disk.chain == std::slice::from_ref(&disk.path),
        });
        if !same_volume || !attached {
            return Err(changed(format!("{} ({}) moved", disk.label, disk.path)));
        }
    }
    Ok(())
}

fn power_off_step() -> Step<RevertVm> {
    Step::new(
        "power_off",
        |c: RunContext<RevertVm>| async move {
            step_result(power::off(c.context(), &c.params().vm, c.params().shut_down, c.resume()).await)
        },
        Undo::by(|c: UndoContext<RevertVm>| async move {
            let (deps, intent) = (c.context(), c.params());
            let went_down = c.own_output::<Value>()?.is_some();
            if !intent.shut_down || went_down || !c.run_may_have_acted() {
                return step_result(power::on(deps, &intent.vm, c.resume()).await);
            }
            // A guest that was asked cannot be asked not to: it may go down after this looks.
            let name = &intent.vm_display_name;
            c.progress(None, format!("the guest of {name} was asked to shut down and may still do so; watching it"));
            step_result(late_shutdown::on_again(deps, &intent.vm, name, c.resume()).await)
        }),
    )
    .deadline(DEADLINE_OF_JOBS)
}

fn safety_step() -> Step<RevertVm> {
    Step::new(
        "safety_snapshot",
        |c: RunContext<RevertVm>| async move { array_snapshot::run(&c, &c.params().safety, None).await },
        Undo::by(|c: UndoContext<RevertVm>| async move {
            if let Some(kept) = kept_safety(&c) {
                return Ok(kept);
            }
            let answered = c.own_output::<CutOutput>()?.is_some();
            let operation = c.operation().to_string();
            step_result(array_snapshot::undo(c.context(), &operation, &c.params().safety, c.resume(), answered).await)
        }),
    )
    .deadline(DEADLINE_OF_JOBS)
}

/// Where a person skipped the undo of a later step, the live disks may still be aside or gone: the safety point may be the
/// only copy of them, and stays.
fn kept_safety(c: &UndoContext<RevertVm>) -> Option<Progress> {
    let skipped = c.undos_skipped();
    (!skipped.is_empty()).then(|| Progress::kept(words_on_kept(c.params(), &skipped)))
}

/// What is said of a safety point that stays because undos were skipped.
pub fn words_on_kept(intent: &RevertIntent, skipped: &[String]) -> String {
    format!(
        "the undo of {} was skipped, so {} is kept: it holds {} as it was before the revert",
        skipped.join(", "),
        intent.safety.display_name,
        intent.vm_display_name
    )
}

fn record_safety_step() -> Step<RevertVm> {
    Step::new(
        "record_safety",
        |c: RunContext<RevertVm>| async move { record_safety(&c) },
        Undo::by(|c: UndoContext<RevertVm>| async move {
            if let Some(kept) = kept_safety(&c) {
                return Ok(kept);
            }
            step_result(forget_point(c.context(), &c.params().safety.snapshot_id))
        }),
    )
    .passive()
}

fn record_safety(c: &RunContext<RevertVm>) -> StepResult {
    let cut: CutOutput = c.output("safety_snapshot")?;
    let point: RestorePoint =
        restore_point(&c.params().safety, cut, None, None, &format!("operations/{}", c.operation()));
    c.context().catalog.put_point(&point).map_err(|error| StepError::from(GatewayError::from(error)))?;
    Progress::output(&point)
}

fn discard_step() -> Step<RevertVm> {
    Step::new(
        "discard_vm_snapshots",
        |c: RunContext<RevertVm>| async move {
            step_result(discard_vm_snapshots::run(c.context(), &c.params().vm, c.resume()).await)
        },
        Undo::nothing("the disks hold the same bytes without them, and the safety point holds them"),
    )
    .deadline(DEADLINE_OF_DISKS)
}

fn set_aside_step() -> Step<RevertVm> {
    Step::new(
        "set_aside",
        |c: RunContext<RevertVm>| async move { step_result(set_aside::run(c.context(), c.params()).await) },
        Undo::by(|c: UndoContext<RevertVm>| async move { step_result(set_aside::undo(c.context(), c.params()).await) }),
    )
    .deadline(DEADLINE_OF_DISKS)
}

fn restore_step() -> Step<RevertVm> {
    Step::new(
        "restore_files",
        |c: RunContext<RevertVm>| async move { step_result(restore_files::run(c.context(), c.params(), c.resume()).await) },
        Undo::by(
            |c: UndoContext<RevertVm>| async move { step_result(restore_files::undo(c.context(), c.params(), c.resume()).await) },
        ),
    )
    .deadline(DEADLINE_OF_DISKS)
}

fn change_tracking_step() -> Step<RevertVm> {
    Step::new(
        "change_tracking",
        |c: RunContext<RevertVm>| async move {
            step_result(change_tracking::run(c.context(), &c.params().vm, c.params().change_tracking).await)
        },
        // It may have stopped between off and on again; tracking that starts anew is right for the old bytes too.
        Undo::by(|c: UndoContext<RevertVm>| async move {
            step_result(change_tracking::run(c.context(), &c.params().vm, c.params().change_tracking).await)
        }),
    )
    .deadline(DEADLINE_OF_JOBS)
}

fn reload_step() -> Step<RevertVm> {
    Step::new(
        "reload",
        |c: RunContext<RevertVm>| async move { step_result(reload::run(c.context(), &c.params().vm).await) },
        Undo::by(|c: UndoContext<RevertVm>| async move { step_result(reload::run(c.context(), &c.params().vm).await) }),
    )
}

fn commit_step() -> Step<RevertVm> {
    Step::new("commit", |_: RunContext<RevertVm>| async move { Ok(Progress::done()) }, Undo::pivot()).passive()
}

fn power_on_step() -> Step<RevertVm> {
    Step::new(
        "power_on",
        |c: RunContext<RevertVm>| async move { step_result(power::on(c.context(), &c.params().vm, c.resume()).await) },
        Undo::nothing("only forward from here"),
    )
    .retry(patient())
    .deadline(DEADLINE_OF_JOBS)
}

fn remove_aside_step() -> Step<RevertVm> {
    Step::new(
        "remove_aside",
        |c: RunContext<RevertVm>| async move { step_result(set_aside::remove(c.context(), c.params()).await) },
        Undo::nothing("only forward from here"),
    )
    .retry(patient())
}
