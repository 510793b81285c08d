//! `config.storageDevice` of a host: adapters, devices and paths.

use crate::world::compute::{
    block::{Adapter, AdapterKind, ScsiDevice, ScsiPath, scsi_uuid, wwn_number},
    datastore::Backing,
    inventory::Host,
    state::State,
    value::{Val, obj},
};
use std::collections::BTreeMap;

fn adapter(adapter: &Adapter) -> Val {
    let device = adapter.device.as_str();
    match adapter.kind {
        AdapterKind::Iscsi => {
            let can = obj!("HostInternetScsiHbaDiscoveryCapabilities", "iSnsDiscoverySettable" => false,
                "slpDiscoverySettable" => false, "staticTargetDiscoverySettable" => false, "sendTargetsDiscoverySettable" => false);
            let found = obj!("HostInternetScsiHbaDiscoveryProperties", "iSnsDiscoveryEnabled" => false,
                "slpDiscoveryEnabled" => false, "staticTargetDiscoveryEnabled" => true, "sendTargetsDiscoveryEnabled" => true);
            let may = obj!("HostInternetScsiHbaAuthenticationCapabilities", "chapAuthSettable" => true,
                "krb5AuthSettable" => false, "srpAuthSettable" => false, "spkmAuthSettable" => false);
            let chap = obj!("HostInternetScsiHbaAuthenticationProperties", "chapAuthEnabled" => false);
            let fixed = obj!("HostInternetScsiHbaIPCapabilities", "addressSettable" => false,
                "ipConfigurationMethodSettable" => false, "subnetMaskSettable" => false, "defaultGatewaySettable" => false,
                "primaryDnsServerAddressSettable" => false, "alternateDnsServerAddressSettable" => false);
            let ip = obj!("HostInternetScsiHbaIPProperties", "dhcpConfigurationEnabled" => false);
            obj!("HostInternetScsiHba", "key" => adapter.key(), "device" => device, "bus" => 0, "status" => "online",
                "model" => "iSCSI Software Adapter", "driver" => "iscsi_vmk", "isSoftwareBased" => true,
                "discoveryCapabilities" => can, "discoveryProperties" => found, "authenticationCapabilities" => may,
                "authenticationProperties" => chap, "ipCapabilities" => fixed, "ipProperties" => ip,
                "iScsiName" => &adapter.initiator, "iScsiAlias" => "")
        }
        AdapterKind::FibreChannel => {
            // The node's name differs from the port's in its first byte, as adapters' do.
            let node = format!("20{}", &adapter.initiator[2..]);
            obj!("HostFibreChannelHba", "key" => adapter.key(), "device" => device, "bus" => 59, "status" => "online",
                "model" => "Simulated Fibre Channel Adapter", "driver" => "simfc",
                "portWorldWideName" => wwn_number(&adapter.initiator), "nodeWorldWideName" => wwn_number(&node),
                "portType" => "fabric", "speed" => 32)
        }
    }
}

fn key(name: &str) -> String {
    format!("key-vim.host.ScsiDisk-{}", scsi_uuid(name))
}

fn device(s: &State, host: &str, d: &ScsiDevice) -> Val {
    let live = s.live_paths(host, d);
    let state = match (d.detached, live) {
        (true, _) => "off",
        (false, 0) => "lostCommunication",
        (false, n) if n < d.paths.len() => "degraded",
        _ => "ok",
    };
    let capacity = obj!("HostDiskDimensionsLba", "blockSize" => 512, "block" => d.size_bytes / 512);
    obj!("HostScsiDisk", "deviceName" => d.device_path(), "deviceType" => "disk", "key" => key(&d.name), "uuid" => d.uuid(),
        "canonicalName" => &d.name, "displayName" => format!("{} iSCSI Disk ({})", d.vendor, d.name), "lunType" => "disk",
        "vendor" => format!("{:<8}", d.vendor), "model" => format!("{:<16}", d.product), "scsiLevel" => 5,
        "serialNumber" => &d.serial, "operationalState" => vec![state], "capacity" => capacity,
        "devicePath" => d.device_path(), "ssd" => true, "localDisk" => false)
}

/// A device of a VMFS that no array of the world has.
fn foreign_device(name: &String) -> Val {
    obj!("ScsiLun", "deviceName" => format!("/vmfs/devices/disks/{name}"), "deviceType" => "disk",
        "key" => format!("key-vim.host.ScsiDisk-{name}"), "uuid" => scsi_uuid(name), "canonicalName" => name,
        "displayName" => name, "lunType" => "disk", "operationalState" => vec!["ok"])
}

fn transport(kind: AdapterKind, target: &str) -> Val {
    match kind {
        AdapterKind::Iscsi => obj!("HostInternetScsiTargetTransport", "iScsiName" => target, "iScsiAlias" => "",
            "address" => Val::List(Vec::new())),
        AdapterKind::FibreChannel => obj!("HostFibreChannelTargetTransport", "portWorldWideName" => wwn_number(target),
            "nodeWorldWideName" => wwn_number(target)),
    }
}

fn topology(h: &Host) -> Val {
    let of_adapter = |a: &Adapter| {
        let mut targets: BTreeMap<&str, Vec<Val>> = BTreeMap::new();
        for device in h.san.devices.values() {
            for path in device.paths.iter().filter(|p| p.adapter == a.device) {
                let lun = obj!("HostScsiTopologyLun", "key" => format!("{}-{}", a.key(), device.name),
                    "lun" => path.number, "scsiLun" => key(&device.name));
                targets.entry(&path.target).or_default().push(lun);
            }
        }
        let targets = targets.into_iter().enumerate().map(|(n, (name, luns))| {
            obj!("HostScsiTopologyTarget", "key" => format!("{}-{n}", a.key()), "target" => n, "lun" => Val::List(luns),
                "transport" => transport(a.kind, name))
        });
        obj!("HostScsiTopologyInterface", "key" => format!("key-vim.host.ScsiTopology.Interface-{}", a.device),
            "adapter" => a.key(), "target" => Val::List(targets.collect()))
    };
    obj!("HostScsiTopology", "adapter" => Val::List(h.san.adapters.iter().map(of_adapter).collect()))
}

fn multipath(s: &State, h: &Host) -> Val {
    let of_device = |d: &ScsiDevice| {
        let lun = format!("key-vim.host.MultipathInfo.LogicalUnit-{}", d.uuid());
        let of_path = |p: &ScsiPath| {
            let a = h.san.adapters.iter().find(|a| a.device == p.adapter)?;
            let alive = !d.detached && s.world.reach_lun(&a.initiator, &d.name).is_some();
            let state = match (d.detached, alive) {
                (true, _) => "off",
                (false, true) => "active",
                (false, false) => "dead",
            };
            let name = format!("{}-{}-{}", a.initiator, p.target, d.name);
            Some(
                obj!("HostMultipathInfoPath", "key" => format!("key-vim.host.MultipathInfo.Path-{name}"), "name" => name,
                "pathState" => state, "state" => state, "isWorkingPath" => alive, "adapter" => a.key(), "lun" => &lun,
                "transport" => transport(a.kind, &p.target)),
            )
        };
        let policy = obj!("HostMultipathInfoLogicalUnitPolicy", "policy" => "VMW_PSP_RR");
        obj!("HostMultipathInfoLogicalUnit", "key" => &lun, "id" => d.uuid(), "lun" => key(&d.name),
            "path" => Val::List(d.paths.iter().filter_map(of_path).collect()), "policy" => policy)
    };
    obj!("HostMultipathInfo", "lun" => Val::List(h.san.devices.values().map(of_device).collect()))
}

/// `storageDevice` of a host.
pub fn storage_device(s: &State, host: &str) -> Val {
    let Some(h) = s.hosts.get(host) else { return Val::Unset };
    let mounted = s.datastores.values().filter(|d| d.mounts.iter().any(|m| m.host == host));
    let foreign = mounted.flat_map(|d| match &d.backing {
        Backing::Vmfs { extents, tree: Some(_) } => extents.iter().map(foreign_device).collect(),
        _ => Vec::new(),
    });
    let devices = h.san.devices.values().map(|d| device(s, host, d)).chain(foreign);
    obj!("HostStorageDeviceInfo", "hostBusAdapter" => Val::List(h.san.adapters.iter().map(adapter).collect()),
        "scsiLun" => Val::List(devices.collect()), "scsiTopology" => topology(h), "multipathInfo" => multipath(s, h),
        "softwareInternetScsiEnabled" => true)
}
