//! VirtualMachineSnapshot, and the tree of a VM.

use super::{
    super::context::{Answer, Ctx},
    not_here,
    vm::config,
};
use crate::world::compute::{
    state::State,
    value::{MoRef, Val, obj},
    vm::Vm,
};

fn tree(s: &State, vm: &str, parent: Option<i64>) -> Val {
    let here = s.snapshots_of(vm).into_iter().filter(|(_, x)| x.listed.parent == parent);
    let nodes = here.map(|(id, x)| {
        let l = &x.listed;
        obj!("VirtualMachineSnapshotTree", "snapshot" => MoRef::new("VirtualMachineSnapshot", id),
            "vm" => MoRef::new("VirtualMachine", vm), "name" => &l.name, "description" => &l.description,
            "id" => l.uid, "createTime" => l.created, "state" => if l.memory { "poweredOn" } else { "poweredOff" },
            "quiesced" => l.quiesced, "childSnapshotList" => tree(s, vm, Some(l.uid)), "replaySupported" => false)
    });
    match nodes.collect::<Vec<_>>() {
        empty if empty.is_empty() => Val::Unset,
        nodes => Val::List(nodes),
    }
}

/// `snapshot` of a VM; unset where it has none.
pub fn info(s: &State, id: &str, vm: &Vm) -> Val {
    let roots = tree(s, id, None);
    if roots.is_unset() {
        return Val::Unset;
    }
    let current = vm.current_snapshot.as_ref().map(|c| MoRef::new("VirtualMachineSnapshot", c));
    obj!("VirtualMachineSnapshotInfo", "currentSnapshot" => current, "rootSnapshotList" => roots)
}

/// A property.
pub fn property(s: &State, id: &str, name: &str) -> Val {
    let Some(x) = s.snapshots.get(id) else { return Val::Unset };
    match name {
        "vm" => MoRef::new("VirtualMachine", &x.vm).into(),
        "childSnapshot" => {
            let below = s.snapshots_of(&x.vm).into_iter().filter(|(_, c)| c.listed.parent == Some(x.listed.uid));
            below.map(|(id, _)| MoRef::new("VirtualMachineSnapshot", id)).collect::<Vec<_>>().into()
        }
        "config" => {
            let (Some(vm), Ok(text)) = (s.vms.get(&x.vm), s.read_text(&x.listed.config_file)) else {
                return Val::Unset;
            };
            let c = s.config_of(&text, &vm.vmx);
            config::config_of(s, vm, &c, &s.show(&x.listed.config_file), &s.show(&vm.vmx.sibling("")))
        }
        _ => Val::Unset,
    }
}

/// The methods.
pub fn call(ctx: &mut Ctx<'_>, method: &str) -> Answer {
    let (id, user) = (ctx.id(), ctx.user());
    let vm = ctx.s.snapshots.get(&id).map(|x| MoRef::new("VirtualMachine", &x.vm)).unwrap_or_else(|| ctx.this.clone());
    match method {
        "RemoveSnapshot_Task" => {
            ctx.need("VirtualMachine.State.RemoveSnapshot", &vm)?;
            let children = ctx.args.bool("removeChildren") == Some(true);
            Ok(ctx.s.run(method, &vm, &user, move |s| s.remove_snapshot(&id, children).map(|()| Val::Unset)).into())
        }
        "RevertToSnapshot_Task" => {
            ctx.need("VirtualMachine.State.RevertToSnapshot", &vm)?;
            let off = ctx.args.bool("suppressPowerOn") == Some(true);
            Ok(ctx.s.run(method, &vm, &user, move |s| s.revert_to(&id, off).map(|()| Val::Unset)).into())
        }
        "RenameSnapshot" => {
            let (name, text) =
                (ctx.args.str("name").map(str::to_owned), ctx.args.str("description").map(str::to_owned));
            if let Some(x) = ctx.s.snapshots.get_mut(&id) {
                x.listed.name = name.unwrap_or_else(|| x.listed.name.clone());
                x.listed.description = text.unwrap_or_else(|| x.listed.description.clone());
            }
            ctx.s.touch();
            Ok(Val::Unset)
        }
        _ => not_here(ctx, method),
    }
}
