//! Datacenter.

use super::{
    super::context::{Answer, Ctx},
    not_here, vm,
};
use crate::world::compute::{
    state::State,
    value::{MoRef, Val, obj},
};

/// A property.
pub fn property(s: &State, id: &str, name: &str) -> Val {
    let Some(dc) = s.datacenters.get(id) else { return Val::Unset };
    let here = MoRef::new("Datacenter", id);
    match name {
        "vmFolder" => MoRef::new("Folder", &dc.vm_folder).into(),
        "hostFolder" => MoRef::new("Folder", &dc.host_folder).into(),
        "datastoreFolder" => MoRef::new("Folder", &dc.datastore_folder).into(),
        "networkFolder" => MoRef::new("Folder", &dc.network_folder).into(),
        "datastore" => {
            let all = s.datastores.keys().map(|d| MoRef::new("Datastore", d));
            all.filter(|d| s.is_below(d, &here)).collect::<Vec<_>>().into()
        }
        "network" => {
            let all = s.networks.keys().map(|n| MoRef::new("Network", n));
            all.filter(|n| s.is_below(n, &here)).collect::<Vec<_>>().into()
        }
        "configuration" => obj!("DatacenterConfigInfo", "defaultHardwareVersionKey" => "vmx-19"),
        _ => Val::Unset,
    }
}

/// The methods.
pub fn call(ctx: &mut Ctx<'_>, method: &str) -> Answer {
    if method != "PowerOnMultiVM_Task" {
        return not_here(ctx, method);
    }
    let (this, user) = (ctx.this.clone(), ctx.user());
    let vms: Vec<MoRef> = ctx.args.list("vm").iter().filter_map(Val::as_ref).cloned().collect();
    for vm in &vms {
        ctx.need("VirtualMachine.Interact.PowerOn", vm)?;
    }
    let mut attempted = Vec::new();
    for vm in vms {
        let task = vm::calls::power_on(ctx.s, &vm, &user);
        attempted.push(obj!("ClusterAttemptedVmInfo", "vm" => &vm, "task" => task));
    }
    let result = obj!("ClusterPowerOnVmResult", "attempted" => Val::List(attempted));
    Ok(ctx.s.run("PowerOnMultiVM_Task", &this, &user, move |_| Ok(result)).into())
}
