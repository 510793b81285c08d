//! `config`.

use super::devices;
use crate::world::compute::{
    inventory::escape_name,
    state::State,
    value::{Val, obj},
    vm::{Vm, VmConfig},
};

/// The long name of a guest id.
pub fn guest_full_name(id: &str) -> &'static str {
    match id {
        "ubuntu64Guest" => "Ubuntu Linux (64-bit)",
        "windows2019srv_64Guest" => "Microsoft Windows Server 2019 (64-bit)",
        _ => "Other (64-bit)",
    }
}

/// Who manages the VM.
pub fn managed_by(config: &VmConfig) -> Val {
    let by = config.managed_by.as_ref();
    by.map(|(key, ty)| obj!("ManagedByInfo", "extensionKey" => key, "type" => ty)).into()
}

/// `config` of a VM.
pub fn config(s: &State, vm: &Vm) -> Val {
    let path = s.show(&vm.vmx);
    let dir = s.show(&vm.vmx.sibling(""));
    config_of(s, vm, &vm.config, &path, &dir)
}

/// `config` of a VM or of one of its snapshots.
pub fn config_of(s: &State, vm: &Vm, c: &VmConfig, path: &str, dir: &str) -> Val {
    let dir = if dir.ends_with('/') { dir.to_owned() } else { format!("{dir}/") };
    let extra = c.extra.iter().map(|(k, v)| obj!("OptionValue", "key" => k, "value" => v));
    let mut extra: Vec<Val> = extra.collect();
    if let Some(nvram) = &c.nvram {
        extra.push(obj!("OptionValue", "key" => "nvram", "value" => nvram));
    }
    let devices = c.devices.iter().map(|d| devices::device(s, vm, c, d));
    let hardware = obj!("VirtualHardware", "numCPU" => c.cpus, "numCoresPerSocket" => 1, "memoryMB" => c.memory_mb,
        "device" => Val::List(devices.collect()));
    let files = obj!("VirtualMachineFileInfo", "vmPathName" => path, "snapshotDirectory" => dir.as_str(),
        "suspendDirectory" => dir.as_str(), "logDirectory" => dir.as_str());
    let urls = vm
        .datastores()
        .into_iter()
        .filter_map(|d| s.datastores.get(d))
        .map(|d| obj!("VirtualMachineConfigInfoDatastoreUrlPair", "name" => &d.name, "url" => d.url()));
    let flags = obj!("VirtualMachineFlagInfo", "enableLogging" => true, "snapshotDisabled" => false,
        "snapshotLocked" => false, "diskUuidEnabled" => c.extra.is_true("disk.EnableUUID"), "snapshotPowerOffBehavior" => "powerOff");
    let power = obj!("VirtualMachineDefaultPowerOpInfo", "powerOffType" => "soft", "suspendType" => "hard",
        "resetType" => "soft", "defaultPowerOffType" => "soft", "defaultSuspendType" => "hard",
        "defaultResetType" => "soft", "standbyAction" => "checkpoint");
    obj!("VirtualMachineConfigInfo", "changeVersion" => vm.change_version(), "modified" => vm.modified,
        "name" => escape_name(&c.name), "guestFullName" => guest_full_name(&c.guest_id), "version" => &c.version,
        "uuid" => &c.uuid, "instanceUuid" => &c.instance_uuid, "template" => vm.template, "guestId" => &c.guest_id,
        "alternateGuestName" => "", "annotation" => &c.annotation, "files" => files, "flags" => flags,
        "defaultPowerOps" => power, "hardware" => hardware, "extraConfig" => Val::List(extra),
        "datastoreUrl" => Val::List(urls.collect()), "swapPlacement" => "inherit",
        "changeTrackingEnabled" => c.cbt, "firmware" => "bios", "managedBy" => managed_by(c))
}
