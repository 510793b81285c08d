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
        "ipAddress" => up.then_some("192.0.2.10"), "guestState" => if up { "running" } else { "notRunning" },
        "guestOperationsReady" => up, "interactiveGuestOperationsReady" => false, "guestStateChangeSupported" => up)
}
