//! `guest`: what VMware Tools report.

use crate::world::compute::{
    value::{Val, obj},
    vm::{Tools, Vm},
};

/// State of the heartbeat.
pub fn heartbeat(vm: &Vm) -> &'static str {
    match (vm.tools_running(), vm.tools) {
        (true, Tools::Hung) => "red",
        (true, _) => "green",
        _ => "gray",
    }
}

/// toolsStatus, toolsRunningStatus, toolsVersionStatus2.
pub fn tools(vm: &Vm) -> (&'static str, &'static str, &'static str) {
    match (vm.tools, vm.tools_running()) {
        (Tools::Absent, _) => ("toolsNotInstalled", "guestToolsNotRunning", "guestToolsNotInstalled"),
        (_, true) => ("toolsOk", "guestToolsRunning", "guestToolsCurrent"),
        (_, false) => ("toolsNotRunning", "guestToolsNotRunning", "guestToolsCurrent"),
    }
}

/// The guest's adapters, with its address on the first.
fn net(vm: &Vm, up: bool) -> Val {
    let nics = vm.nics().enumerate().filter(|_| up).map(|(n, nic)| {
        let addresses = (n == 0).then(|| Val::from(vm.guest_address.clone())).into_iter().collect();
        obj!("GuestNicInfo", "network" => "VM Network", "ipAddress" => Val::List(addresses), "macAddress" => &nic.mac,
            "connected" => nic.connected, "deviceConfigId" => 4000 + i64::try_from(n).unwrap_or(0))
    });
    Val::List(nics.collect())
}

/// `guest`.
pub fn guest(vm: &Vm) -> Val {
    let (status, running, version) = tools(vm);
    let up = vm.tools_running();
    let name = up.then(|| vm.config.name.clone());
    let family = if vm.is_windows() { "windowsGuest" } else { "linuxGuest" };
    obj!("GuestInfo", "toolsStatus" => status, "toolsVersionStatus2" => version, "toolsRunningStatus" => running,
        "toolsVersion" => if vm.tools == Tools::Absent { "0" } else { "12389" },
        "guestId" => up.then(|| vm.config.guest_id.clone()), "guestFamily" => up.then_some(family),
        "guestFullName" => up.then(|| super::config::guest_full_name(&vm.config.guest_id)), "hostName" => name,
        "net" => net(vm, up),
        "ipAddress" => up.then(|| vm.guest_address.clone()), "guestState" => if up { "running" } else { "notRunning" },
        "guestOperationsReady" => up, "interactiveGuestOperationsReady" => false, "guestStateChangeSupported" => up)
}
