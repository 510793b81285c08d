//! Puts a VM's disks back to a restore point by exchanging them for those of a clone, and moves the data home behind it.
//!
//! What a crash can leave, and who heals it:
//! 1. Copies on the array, mapped, mounted, or not yet; the VM runs on as it is: the steps of `copies` find them, or their
//!    undos take them away, hosts first.
//! 2. The VM is stopped: `power_off` finds it so, or its undo turns it on again where it ran.
//! 3. The safety snapshot exists, not recorded: `safety_snapshot` finds it by key, or its undo removes it.
//! 4. Some live disks are aside: `set_aside` moves the rest, or its undo moves them back.
//! 5. The VM names the copies, or some: `swap` finds each disk at one of its three places; its undo names the places aside,
//!    and the undo of 4 then moves the files and names their own places again.
//! 6. After `commit` only forward. The VM lives on the copies until `verify_home` has seen every file of it at home; until then
//!    no step takes anything from the copies, and nobody else knows them (safety.md S22). A move that cannot end makes the
//!    operation Stuck, with the VM running on the copies.
//! 7. Home, and the copies half gone: the steps after it converge on "gone", in S19's order. The old disks stay aside until
//!    they are committed.

use super::{
    copies, create_snapshot::restore_point, forget_point, patient, revert_vm::RevertResult, step_result, vmfs_claim,
};
use crate::{
    catalog::{AttachedVmfs, RestorePoint},
    deps::Deps,
    error::{GatewayError, Result},
    layout::{Depth, VmLayout},
    plan::{SwapIntent, disk_space_needed},
    steps::{
        DEADLINE_OF_DISKS, DEADLINE_OF_JOBS,
        array_clone::{self, CloneOutput},
        array_snapshot::{self, CutOutput},
        attach, change_tracking, discard_vm_snapshots,
        export::{self, Exports},
        home_space, late_shutdown, map_luns, power, present, swap_disks, verify,
    },
};
use serde_json::Value;
use strata_saga::{Claim, Operation, Outputs, Progress, RunContext, Step, StepError, StepResult, Undo, UndoContext};

/// See the module.
#[derive(Debug)]
pub struct SwapVm;

impl Operation for SwapVm {
    const KIND: &'static str = "revert-vm-by-swap";
    const VERSION: u16 = 1;
    type Params = SwapIntent;
    type Context = Deps;

    fn steps(intent: &SwapIntent) -> Vec<Step<Self>> {
        let mut steps = vec![verify_step()];
        steps.extend(copies::steps::<Self>(&intent.copy, |intent| &intent.copy));
        steps.push(check_space_step());
        if intent.was_on {
            steps.push(power_off_step());
        }
        steps.extend([safety_step(), record_safety_step()]);
        if intent.discard_vm_snapshots {
            steps.push(discard_step());
        }
        steps.extend([set_aside_step(), swap_step(), change_tracking_step()]);
        steps.push(Step::new("commit", |_: RunContext<Self>| async move { Ok(Progress::done()) }, Undo::pivot()));
        if intent.was_on && intent.power_on_again {
            steps.push(power_on_step());
        }
        steps.extend([move_home_step(), verify_home_step()]);
        if intent.copy.nfs_targets().next().is_some() {
            steps.extend([detach_step(), remove_export_step()]);
        }
        if intent.copy.lun_targets().next().is_some() {
            steps.extend([let_go_step(), unmap_step()]);
        }
        steps.push(remove_clone_step());
        if intent.discard_old_disks {
            steps.push(remove_aside_step());
        }
        steps
    }

    fn claims(intent: &SwapIntent) -> Vec<Claim> {
        let point = format!("snapshots/{}", intent.point.id);
        // Nobody deletes the safety point while it is all that holds the present state.
        let safety = format!("snapshots/{}", intent.safety.snapshot_id);
        let vmfs = intent.copy.vmfs.iter();
        let copies = vmfs.map(|vmfs| Claim::exclusive(vmfs_claim(&intent.vcenter, &vmfs.source_uuid)));
        let volumes = intent.safety.members.iter().map(|member| Claim::shared(&member.volume));
        let own = [Claim::exclusive(&intent.vm), Claim::shared(point), Claim::exclusive(safety)];
        own.into_iter().chain(copies).chain(volumes).collect()
    }

    fn result(intent: &SwapIntent, outputs: &Outputs<'_>) -> Value {
        let mut remarks = Vec::new();
        if intent.change_tracking {
            remarks.push("changed block tracking was reset: the next backup must be a full one".to_owned());
        }
        let kept = if intent.discard_old_disks { Vec::new() } else { swap_disks::aside_directories(intent) };
        if !kept.is_empty() {
            remarks.push(format!(
                "the old disks stay in {} until: strata commit {}",
                kept.join(", "),
                intent.vm_display_name
            ));
        }
        let files = outputs.get("move_home").cloned().and_then(|files| serde_json::from_value(files).ok());
        let result = RevertResult {
            vm: intent.vm.clone(),
            snapshot_id: intent.point.id.clone(),
            safety_id: intent.safety.snapshot_id.clone(),
            files: files.unwrap_or_default(),
            powered_on: intent.was_on && intent.power_on_again,
            remarks,
            kept,
        };
        serde_json::to_value(result).unwrap_or_default()
    }
}

fn verify_step() -> Step<SwapVm> {
    Step::new(
        "verify",
        |c: RunContext<SwapVm>| async move {
            verify::point(c.context(), &c.params().point).await?;
            unchanged(c.context(), c.params()).await?;
            Ok(Progress::done())
        },
        Undo::nothing("it only reads"),
    )
}

/// The VM is still the one that was planned for, with the same disks in the same places.
async fn unchanged(deps: &Deps, intent: &SwapIntent) -> Result<()> {
    let layout = VmLayout::read(&deps.ports, &intent.vm, Depth::Quick).await?;
    let changed = |what: String| {
        let message = format!("{} is not as it was planned for: {what}; plan again", intent.vm_display_name);
        GatewayError::conflict("VM_CHANGED", message).with("vm", &intent.vm)
    };
    if layout.vm.bios_uuid != intent.safety.bios_uuid || layout.vm.vmx_path != intent.safety.vmx_path {
        return Err(changed("its uuid or its files' place changed".to_owned()));
    }
    for disk in &intent.disks {
        let live = layout.disks.iter().find(|live| live.disk.key == disk.key);
        let attached = live.is_some_and(|live| match intent.discard_vm_snapshots {
            true => live.disk.chain.last() == Some(&disk.path),
            false => live.disk.chain == std::slice::from_ref(&disk.path),
        });
        if !attached {
            return Err(changed(format!("{} ({}) moved", disk.label, disk.path)));
        }
    }
    Ok(())
}

fn check_space_step() -> Step<SwapVm> {
    Step::new(
        "check_space",
        |c: RunContext<SwapVm>| async move {
            let intent = c.params();
            home_space::check(c.context(), &intent.vm_display_name, &disk_space_needed(&intent.disks)).await?;
            Ok(Progress::done())
        },
        Undo::nothing("it only reads"),
    )
}

fn power_off_step() -> Step<SwapVm> {
    Step::new(
        "power_off",
        |c: RunContext<SwapVm>| async move {
            step_result(power::off(c.context(), &c.params().vm, c.params().shut_down, c.resume()).await)
        },
        Undo::by(|c: UndoContext<SwapVm>| async move {
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

/// Where a person skipped the undo of a later step, the live disks may still be aside: the safety point stays.
fn kept_safety(c: &UndoContext<SwapVm>) -> Option<Progress> {
    let skipped = c.undos_skipped();
    let intent = c.params();
    (!skipped.is_empty()).then(|| {
        Progress::kept(format!(
            "the undo of {} was skipped, so {} is kept: it holds {} as it was before the revert",
            skipped.join(", "),
            intent.safety.display_name,
            intent.vm_display_name
        ))
    })
}

fn safety_step() -> Step<SwapVm> {
    Step::new(
        "safety_snapshot",
        |c: RunContext<SwapVm>| async move { array_snapshot::run(&c, &c.params().safety, None).await },
        Undo::by(|c: UndoContext<SwapVm>| async move {
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

fn record_safety_step() -> Step<SwapVm> {
    Step::new(
        "record_safety",
        |c: RunContext<SwapVm>| async move { record_safety(&c) },
        Undo::by(|c: UndoContext<SwapVm>| async move {
            if let Some(kept) = kept_safety(&c) {
                return Ok(kept);
            }
            step_result(forget_point(c.context(), &c.params().safety.snapshot_id))
        }),
    )
}

fn record_safety(c: &RunContext<SwapVm>) -> StepResult {
    let cut: CutOutput = c.output("safety_snapshot")?;
    let point: RestorePoint =
        restore_point(&c.params().safety, cut, None, None, &format!("operations/{}", c.operation()));
    c.context().catalog.put_point(&point).map_err(|error| StepError::from(GatewayError::from(error)))?;
    Progress::output(&point)
}

fn discard_step() -> Step<SwapVm> {
    Step::new(
        "discard_vm_snapshots",
        |c: RunContext<SwapVm>| async move {
            step_result(discard_vm_snapshots::run(c.context(), &c.params().vm, c.resume()).await)
        },
        Undo::nothing("the disks hold the same bytes without them, and the safety point holds them"),
    )
    .deadline(DEADLINE_OF_DISKS)
}

fn set_aside_step() -> Step<SwapVm> {
    Step::new(
        "set_aside",
        |c: RunContext<SwapVm>| async move { step_result(swap_disks::set_aside(c.context(), c.params()).await) },
        Undo::by(|c: UndoContext<SwapVm>| async move {
            step_result(swap_disks::back(c.context(), c.params(), c.resume()).await)
        }),
    )
    .deadline(DEADLINE_OF_JOBS)
}

fn swap_step() -> Step<SwapVm> {
    Step::new(
        "swap",
        |c: RunContext<SwapVm>| async move { step_result(swap_disks::run(c.context(), c.params(), c.resume()).await) },
        Undo::by(|c: UndoContext<SwapVm>| async move {
            step_result(swap_disks::undo(c.context(), c.params(), c.resume()).await)
        }),
    )
    .deadline(DEADLINE_OF_JOBS)
}

fn change_tracking_step() -> Step<SwapVm> {
    Step::new(
        "change_tracking",
        |c: RunContext<SwapVm>| async move {
            step_result(change_tracking::run(c.context(), &c.params().vm, c.params().change_tracking).await)
        },
        // It may have stopped between off and on again; tracking that starts anew is right for the old bytes too.
        Undo::by(|c: UndoContext<SwapVm>| async move {
            step_result(change_tracking::run(c.context(), &c.params().vm, c.params().change_tracking).await)
        }),
    )
    .deadline(DEADLINE_OF_JOBS)
}

const FORWARD: &str = "only forward from here";

fn power_on_step() -> Step<SwapVm> {
    Step::new(
        "power_on",
        |c: RunContext<SwapVm>| async move { step_result(power::on(c.context(), &c.params().vm, c.resume()).await) },
        Undo::nothing(FORWARD),
    )
    .retry(patient())
    .deadline(DEADLINE_OF_JOBS)
}

fn move_home_step() -> Step<SwapVm> {
    Step::new(
        "move_home",
        |c: RunContext<SwapVm>| async move {
            step_result(swap_disks::move_home(c.context(), c.params(), c.resume()).await)
        },
        Undo::nothing(FORWARD),
    )
    .retry(patient())
    .deadline(DEADLINE_OF_DISKS)
}

fn verify_home_step() -> Step<SwapVm> {
    Step::new(
        "verify_home",
        |c: RunContext<SwapVm>| async move { step_result(swap_disks::verify_home(c.context(), c.params()).await) },
        Undo::nothing("it only reads"),
    )
    .retry(patient())
}

fn detach_step() -> Step<SwapVm> {
    Step::new(
        "detach",
        |c: RunContext<SwapVm>| async move {
            let exports: Exports = c.output("export")?;
            step_result(present::undo(c.context(), &c.params().copy, &exports, c.resume()).await)
        },
        Undo::nothing(FORWARD),
    )
    .retry(patient())
}

fn remove_export_step() -> Step<SwapVm> {
    Step::new(
        "remove_export",
        |c: RunContext<SwapVm>| async move {
            let cloned: CloneOutput = c.output("array_clone")?;
            let copy = &c.params().copy;
            let volumes = copy.nfs_targets().filter_map(|target| cloned.volumes.get(&target.volume));
            step_result(export::undo(c.context(), copy, volumes, c.resume()).await)
        },
        Undo::nothing(FORWARD),
    )
    .retry(patient())
}

fn let_go_step() -> Step<SwapVm> {
    Step::new(
        "let_go",
        |c: RunContext<SwapVm>| async move {
            let attached: Vec<AttachedVmfs> = c.output("attach")?;
            step_result(attach::let_go(c.context(), &c.params().copy, &attached, c.resume()).await)
        },
        Undo::nothing(FORWARD),
    )
    .retry(patient())
    .deadline(DEADLINE_OF_JOBS)
}

fn unmap_step() -> Step<SwapVm> {
    Step::new(
        "unmap",
        |c: RunContext<SwapVm>| async move {
            let mut cloned: CloneOutput = c.output("array_clone")?;
            cloned.luns = c.output("map_luns")?;
            let attached: Vec<AttachedVmfs> = c.output("attach")?;
            step_result(map_luns::take_away(c.context(), &c.params().copy, &cloned, &attached, c.resume()).await)
        },
        Undo::nothing(FORWARD),
    )
    .retry(patient())
    .deadline(DEADLINE_OF_JOBS)
}

fn remove_clone_step() -> Step<SwapVm> {
    Step::new(
        "remove_clone",
        |c: RunContext<SwapVm>| async move {
            let operation = c.operation().to_string();
            step_result(array_clone::remove(c.context(), &operation, &c.params().copy, c.resume()).await)
        },
        Undo::nothing(FORWARD),
    )
    .retry(patient())
    .deadline(DEADLINE_OF_DISKS)
}

fn remove_aside_step() -> Step<SwapVm> {
    Step::new(
        "remove_aside",
        |c: RunContext<SwapVm>| async move { step_result(swap_disks::remove_aside(c.context(), c.params()).await) },
        Undo::nothing(FORWARD),
    )
    .retry(patient())
}
