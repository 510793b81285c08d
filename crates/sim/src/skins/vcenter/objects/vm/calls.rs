//! The methods of a VM.

use super::super::{
    super::context::{Answer, Ctx},
    not_here,
};
use crate::world::compute::{
    device::Kind,
    fault::Fault,
    snapshot::NewSnapshot,
    state::State,
    value::{MoRef, Val, obj},
};

/// Starts a power-on.
pub fn power_on(s: &mut State, vm: &MoRef, user: &str) -> MoRef {
    let id = vm.id.clone();
    s.start("PowerOnVM_Task", vm, user, move |s, task| s.power_on(&id, task))
}

/// Starts something that ends with nothing to return.
fn simple(
    ctx: &mut Ctx<'_>,
    method: &str,
    privilege: &str,
    act: impl FnOnce(&mut State, &str) -> Result<(), Fault> + Send + 'static,
) -> Answer {
    let (this, user, id) = (ctx.this.clone(), ctx.user(), ctx.id());
    ctx.need(privilege, &this)?;
    Ok(ctx.s.run(method, &this, &user, move |s| act(s, &id).map(|()| Val::Unset)).into())
}

/// The methods.
pub fn call(ctx: &mut Ctx<'_>, method: &str) -> Answer {
    let (this, user, id) = (ctx.this.clone(), ctx.user(), ctx.id());
    ctx.s.check_host_of(&id)?;
    match method {
        "PowerOnVM_Task" => {
            ctx.need("VirtualMachine.Interact.PowerOn", &this)?;
            Ok(power_on(ctx.s, &this, &user).into())
        }
        "PowerOffVM_Task" => simple(ctx, method, "VirtualMachine.Interact.PowerOff", |s, id| s.power_off(id)),
        "SuspendVM_Task" => simple(ctx, method, "VirtualMachine.Interact.Suspend", |s, id| s.suspend(id)),
        "ResetVM_Task" => simple(ctx, method, "VirtualMachine.Interact.Reset", |s, id| match s.vm(id)?.on {
            true => Ok(()),
            false => Err(Fault::power_state(Some("poweredOn"), "poweredOff")),
        }),
        "CreateSnapshot_Task" | "CreateSnapshotEx_Task" => {
            ctx.need("VirtualMachine.State.CreateSnapshot", &this)?;
            let quiesce = ctx.args.bool("quiesce") == Some(true) || !ctx.args.get("quiesceSpec").is_unset();
            let ask = NewSnapshot {
                name: ctx.text("name").to_owned(),
                description: ctx.text("description").to_owned(),
                memory: ctx.args.bool("memory") == Some(true),
                quiesce,
                applications: applications(ctx.args.get("quiesceSpec")),
            };
            Ok(ctx.s.run(method, &this, &user, move |s| s.create_snapshot(&id, &ask).map(Val::from)).into())
        }
        "RemoveAllSnapshots_Task" => {
            simple(ctx, method, "VirtualMachine.State.RemoveSnapshot", |s, id| s.remove_all_snapshots(id))
        }
        "RevertToCurrentSnapshot_Task" => {
            let off = ctx.args.bool("suppressPowerOn") == Some(true);
            simple(ctx, method, "VirtualMachine.State.RevertToSnapshot", move |s, id| {
                let current = s.vm(id)?.current_snapshot.clone();
                let current = current.ok_or_else(|| Fault::new("NotFound", "The VM has no current snapshot"))?;
                s.revert_to(&current, off)
            })
        }
        "ConsolidateVMDisks_Task" => {
            simple(ctx, method, "VirtualMachine.State.RemoveSnapshot", |s, id| s.consolidate(id))
        }
        "ReconfigVM_Task" => {
            let spec = ctx.args.get("spec").clone();
            for privilege in privileges_of(&spec) {
                ctx.need(privilege, &this)?;
            }
            Ok(ctx.s.run(method, &this, &user, move |s| s.reconfigure(&id, &spec).map(|()| Val::Unset)).into())
        }
        "reloadVirtualMachineFromPath_Task" => {
            let path = ctx.text("configurationPath").to_owned();
            simple(ctx, method, "VirtualMachine.Config.ReloadFromPath", move |s, id| s.reload_from(id, &path))
        }
        "RelocateVM_Task" => {
            let spec = ctx.args.get("spec").clone();
            let on = ctx.s.vm(&id)?.on;
            let privilege = if on { "Resource.HotMigrate" } else { "Resource.ColdMigrate" };
            simple(ctx, method, privilege, move |s, id| s.relocate(id, &spec))
        }
        _ => at_once(ctx, method),
    }
}

/// Whether a specification lets Windows' applications be told.
fn applications(spec: &Val) -> bool {
    spec.type_name() == "VirtualMachineWindowsQuiesceSpec" && spec.str("vssBackupContext") == Some("ctx_backup")
}

/// Methods that are done when they return.
fn at_once(ctx: &mut Ctx<'_>, method: &str) -> Answer {
    let (this, id) = (ctx.this.clone(), ctx.id());
    match method {
        "QueryChangedDiskAreas" => return changed_areas(ctx),
        "ShutdownGuest" => {
            ctx.need("VirtualMachine.Interact.PowerOff", &this)?;
            let vm = ctx.s.vm(&id)?;
            if !vm.on {
                return Err(Fault::power_state(Some("poweredOn"), vm.power_state()));
            }
            if !vm.tools_running() {
                return Err(Fault::new("ToolsUnavailable", "VMware Tools are not running"));
            }
            // The guest goes down on its own; a hung one never does.
            if vm.tools != crate::world::compute::vm::Tools::Hung {
                ctx.s.power_off(&id)?;
            }
        }
        "UnregisterVM" => {
            ctx.need("VirtualMachine.Inventory.Unregister", &this)?;
            ctx.s.unregister(&id)?;
        }
        "AnswerVM" => {
            ctx.need("VirtualMachine.Interact.AnswerQuestion", &this)?;
            let (question, choice) = (ctx.text("questionId").to_owned(), ctx.text("answerChoice").to_owned());
            ctx.s.answer(&id, &question, &choice)?;
        }
        "RefreshStorageInfo" => ctx.s.reload(&id)?,
        "MarkAsTemplate" => {
            ctx.need("VirtualMachine.Provisioning.MarkAsTemplate", &this)?;
            let vm = ctx.s.vm(&id)?;
            if vm.on {
                return Err(Fault::power_state(Some("poweredOff"), "poweredOn"));
            }
            let vm = ctx.s.vm_mut(&id)?;
            vm.template = true;
            vm.pool = None;
        }
        "MarkAsVirtualMachine" => {
            ctx.need("VirtualMachine.Provisioning.MarkAsVM", &this)?;
            let pool = ctx.args.moref("pool").cloned().ok_or_else(|| Fault::invalid_argument("pool"))?;
            let host = ctx.args.moref("host").map(|h| h.id.clone());
            let vm = ctx.s.vm_mut(&id)?;
            vm.template = false;
            vm.pool = Some(pool.id);
            vm.host = host.unwrap_or_else(|| vm.host.clone());
        }
        _ => return not_here(ctx, method),
    }
    Ok(Val::Unset)
}

/// QueryChangedDiskAreas: what changed in a disk, as of a snapshot or now.
fn changed_areas(ctx: &Ctx<'_>) -> Answer {
    let vm = ctx.s.vm(&ctx.this.id)?;
    let key = ctx.args.int("deviceKey").unwrap_or(0);
    let index = vm.config.devices.iter().filter(|d| matches!(d.kind, Kind::Disk(_))).position(|d| d.key == key);
    let index = index.ok_or_else(|| Fault::invalid_argument("deviceKey"))?;
    let disk = vm.disks().nth(index).ok_or_else(|| Fault::invalid_argument("deviceKey"))?;
    let file = match ctx.args.moref("snapshot") {
        Some(snapshot) => {
            let snapshot = ctx.s.snapshots.get(&snapshot.id).ok_or_else(|| Fault::gone(snapshot))?;
            let chain = disk.chain();
            let mut frozen = snapshot.listed.disks.iter().map(|(_, f)| f);
            frozen.find(|f| chain.contains(f)).cloned().ok_or_else(|| Fault::invalid_argument("snapshot"))?
        }
        None => disk.file.clone(),
    };
    let start = ctx.args.int("startOffset").and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    let areas = ctx.s.changed_areas(&file, ctx.text("changeId"))?;
    let areas = areas.into_iter().filter(|(at, _)| *at >= start);
    let areas = areas.map(|(at, len)| obj!("DiskChangeExtent", "start" => at, "length" => len)).collect();
    Ok(obj!("DiskChangeInfo", "startOffset" => start, "length" => disk.capacity_bytes - start.min(disk.capacity_bytes),
        "changedArea" => Val::List(areas)))
}

/// What a change needs.
fn privileges_of(spec: &Val) -> Vec<&'static str> {
    let mut out = Vec::new();
    let mut when = |yes: bool, privilege| {
        if yes && !out.contains(&privilege) {
            out.push(privilege);
        }
    };
    when(spec.str("name").is_some(), "VirtualMachine.Config.Rename");
    when(spec.str("uuid").is_some() || spec.str("instanceUuid").is_some(), "VirtualMachine.Config.Settings");
    when(!spec.list("extraConfig").is_empty(), "VirtualMachine.Config.AdvancedConfig");
    when(!spec.get("managedBy").is_unset(), "VirtualMachine.Config.ManagedBy");
    when(spec.bool("changeTrackingEnabled").is_some(), "VirtualMachine.Config.ChangeTracking");
    for change in spec.list("deviceChange") {
        let disk = change.get("device").type_name() == "VirtualDisk";
        match (change.str("operation"), disk) {
            (Some("add"), true) if change.str("fileOperation").is_none() => {
                when(true, "VirtualMachine.Config.AddExistingDisk");
            }
            (Some("add"), true) => when(true, "VirtualMachine.Config.AddNewDisk"),
            (Some("remove"), true) => when(true, "VirtualMachine.Config.RemoveDisk"),
            (Some("edit"), _) => when(true, "VirtualMachine.Config.EditDevice"),
            _ => when(true, "VirtualMachine.Config.AddRemoveDevice"),
        }
    }
    out
}
