//! `summary`.

use super::{config, guest, runtime};
use crate::world::compute::{
    state::State,
    value::{MoRef, Val, obj},
    vm::Vm,
};

/// `summary`.
pub fn summary(s: &State, id: &str, vm: &Vm) -> Val {
    let c = &vm.config;
    let (status, running, version) = guest::tools(vm);
    let full = config::guest_full_name(&c.guest_id);
    let config = obj!("VirtualMachineConfigSummary", "name" => crate::world::compute::inventory::escape_name(&c.name), "template" => vm.template,
        "vmPathName" => s.show(&vm.vmx), "memorySizeMB" => c.memory_mb, "cpuReservation" => 0,
        "memoryReservation" => 0, "numCpu" => c.cpus, "numEthernetCards" => vm.nics().count(),
        "numVirtualDisks" => vm.disks().count(), "uuid" => &c.uuid, "instanceUuid" => &c.instance_uuid,
        "guestId" => &c.guest_id, "guestFullName" => full, "annotation" => &c.annotation,
        "installBootRequired" => false, "managedBy" => config::managed_by(c), "tpmPresent" => false,
        "hwVersion" => &c.version);
    let up = vm.tools_running();
    let guest = obj!("VirtualMachineGuestSummary", "guestId" => &c.guest_id, "guestFullName" => full,
        "toolsStatus" => status, "toolsVersionStatus2" => version, "toolsRunningStatus" => running,
        "hostName" => up.then(|| c.name.clone()), "ipAddress" => up.then(|| vm.guest_address.clone()));
    let size: u64 = vm.disks().map(|d| d.capacity_bytes).sum();
    let storage = obj!("VirtualMachineStorageSummary", "committed" => size, "uncommitted" => 0, "unshared" => size,
        "timestamp" => vm.modified);
    let stats = obj!("VirtualMachineQuickStats", "overallCpuUsage" => 0, "overallCpuDemand" => 0,
        "guestMemoryUsage" => 0, "hostMemoryUsage" => 0, "guestHeartbeatStatus" => guest::heartbeat(vm),
        "uptimeSeconds" => 0);
    obj!("VirtualMachineSummary", "vm" => MoRef::new("VirtualMachine", id), "runtime" => runtime(vm),
        "guest" => guest, "config" => config, "storage" => storage, "quickStats" => stats, "overallStatus" => "green")
}
