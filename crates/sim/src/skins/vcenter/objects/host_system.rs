//! HostSystem and what it shows of its storage.

use super::{datastore, storage_device::storage_device};
use crate::world::compute::{
    inventory::Host,
    state::State,
    value::{MoRef, Val, obj},
};

fn product() -> Val {
    obj!("AboutInfo", "name" => "VMware ESXi", "fullName" => "VMware ESXi 8.0.3 build-24022510 (simulated)",
        "vendor" => "VMware, Inc.", "version" => "8.0.3", "build" => "24022510", "osType" => "vmnix-x86",
        "productLineId" => "embeddedEsx", "apiType" => "HostAgent", "apiVersion" => "8.0.3.0")
}

fn runtime(h: &Host) -> Val {
    let up = if h.connection == "connected" { "poweredOn" } else { "unknown" };
    obj!("HostRuntimeInfo", "connectionState" => &h.connection, "powerState" => up,
        "inMaintenanceMode" => h.maintenance, "inQuarantineMode" => false)
}

fn summary(s: &State, id: &str, h: &Host) -> Val {
    let hardware = obj!("HostHardwareSummary", "vendor" => "Strata", "model" => "Simulated", "uuid" => &h.uuid,
        "memorySize" => 1i64 << 36, "cpuModel" => "Simulated CPU", "cpuMhz" => 2500, "numCpuPkgs" => 1,
        "numCpuCores" => 8, "numCpuThreads" => 16, "numNics" => 2, "numHBAs" => 2);
    let config = obj!("HostConfigSummary", "name" => &h.name, "port" => 443, "product" => product(),
        "vmotionEnabled" => true, "faultToleranceEnabled" => false);
    let stats = obj!("HostListSummaryQuickStats", "overallCpuUsage" => 100, "overallMemoryUsage" => 4096,
        "uptime" => 86_400);
    obj!("HostListSummary", "host" => MoRef::new("HostSystem", id), "hardware" => hardware, "runtime" => runtime(h),
        "config" => config, "quickStats" => stats, "overallStatus" => "green", "rebootRequired" => false,
        "managementServerIp" => &s.name)
}

fn network(h: &Host) -> Val {
    let ip = obj!("HostIpConfig", "dhcp" => false, "ipAddress" => &h.address, "subnetMask" => "255.255.255.0");
    let spec = obj!("HostVirtualNicSpec", "ip" => ip, "mtu" => 1500);
    let nic = obj!("HostVirtualNic", "device" => "vmk0", "key" => "key-vim.host.VirtualNic-vmk0",
        "portgroup" => "Management Network", "spec" => spec);
    obj!("HostNetworkInfo", "vnic" => Val::List(vec![nic]), "ipV6Enabled" => false)
}

/// A property of a host.
pub fn property(s: &State, id: &str, name: &str) -> Val {
    let Some(h) = s.hosts.get(id) else { return Val::Unset };
    match name {
        "runtime" => runtime(h),
        "summary" => summary(s, id, h),
        "configManager" => obj!("HostConfigManager",
            "datastoreSystem" => MoRef::new("HostDatastoreSystem", format!("datastoreSystem-{id}")),
            "storageSystem" => MoRef::new("HostStorageSystem", format!("storageSystem-{id}"))),
        "config" => obj!("HostConfigInfo", "host" => MoRef::new("HostSystem", id), "product" => product(),
            "storageDevice" => storage_device(s, id), "fileSystemVolume" => datastore::volumes_of_host(s, id),
            "network" => network(h)),
        "datastore" => {
            let all = s.datastores.iter().filter(|(_, d)| d.mounts.iter().any(|m| m.host == id));
            all.map(|(d, _)| MoRef::new("Datastore", d)).collect::<Vec<_>>().into()
        }
        "network" => s.networks.keys().map(|n| MoRef::new("Network", n)).collect::<Vec<_>>().into(),
        "vm" => {
            let all = s.vms.iter().filter(|(_, v)| v.host == id);
            all.map(|(v, _)| MoRef::new("VirtualMachine", v)).collect::<Vec<_>>().into()
        }
        "datastoreBrowser" => MoRef::new("HostDatastoreBrowser", format!("hostBrowser-{id}")).into(),
        _ => Val::Unset,
    }
}

/// A property of a host's storage system.
pub fn storage_property(s: &State, host: &str, name: &str) -> Val {
    match name {
        "storageDeviceInfo" => storage_device(s, host),
        "fileSystemVolumeInfo" => datastore::volumes_of_host(s, host),
        _ => Val::Unset,
    }
}
