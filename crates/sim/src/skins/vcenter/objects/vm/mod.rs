//! VirtualMachine.

pub mod calls;
pub mod config;
mod devices;
mod guest;
mod layout;
mod summary;

use crate::world::compute::{
    state::State,
    value::{MoRef, Val, obj},
    vm::Vm,
};

/// A property.
pub fn property(s: &State, id: &str, name: &str) -> Val {
    let Some(vm) = s.vms.get(id) else { return Val::Unset };
    match name {
        // An invalid VM has no configuration.
        "config" if vm.connection == "invalid" || vm.connection == "inaccessible" => Val::Unset,
        "config" => config::config(s, vm),
        "runtime" => runtime(vm),
        "guest" => guest::guest(vm),
        "summary" => summary::summary(s, id, vm),
        "layoutEx" => layout::layout(s, id, vm),
        "datastore" => vm.datastores().into_iter().map(|d| MoRef::new("Datastore", d)).collect::<Vec<_>>().into(),
        "network" => {
            let all = vm.nics().filter(|n| !n.network.is_empty());
            let mut refs: Vec<MoRef> = all.map(|n| MoRef::new("Network", &n.network)).collect();
            refs.sort();
            refs.dedup();
            refs.into()
        }
        "resourcePool" => vm.pool.as_ref().map(|p| MoRef::new("ResourcePool", p)).into(),
        "snapshot" => super::snapshot::info(s, id, vm),
        "rootSnapshot" => {
            let roots = s.snapshots_of(id).into_iter().filter(|(_, x)| x.listed.parent.is_none());
            roots.map(|(id, _)| MoRef::new("VirtualMachineSnapshot", id)).collect::<Vec<_>>().into()
        }
        "environmentBrowser" => MoRef::new("EnvironmentBrowser", format!("envbrowser-{id}")).into(),
        "guestHeartbeatStatus" => guest::heartbeat(vm).into(),
        _ => Val::Unset,
    }
}

/// `runtime`.
pub fn runtime(vm: &Vm) -> Val {
    let question = vm.question.as_ref().map(|q| {
        let choices = q
            .choices
            .iter()
            .map(|(key, label)| obj!("ElementDescription", "label" => label, "summary" => label, "key" => key));
        let choice = obj!("ChoiceOption", "choiceInfo" => Val::List(choices.collect()), "defaultIndex" => q.default);
        let message = obj!("VirtualMachineMessage", "id" => &q.message_id, "text" => &q.text);
        obj!("VirtualMachineQuestionInfo", "id" => &q.id, "text" => format!("{}:{}", q.message_id, q.text),
            "choice" => choice, "message" => Val::List(vec![message]))
    });
    obj!("VirtualMachineRuntimeInfo", "host" => MoRef::new("HostSystem", &vm.host),
        "connectionState" => &vm.connection, "powerState" => vm.power_state(),
        "faultToleranceState" => "notConfigured", "toolsInstallerMounted" => false, "bootTime" => vm.boot_time,
        "question" => question, "maxCpuUsage" => vm.config.cpus * 2500, "maxMemoryUsage" => vm.config.memory_mb,
        "numMksConnections" => 0, "recordReplayState" => "inactive", "onlineStandby" => false,
        "consolidationNeeded" => vm.consolidation_needed, "paused" => false, "snapshotInBackground" => false)
}
