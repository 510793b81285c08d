//! `config.hardware.device`.

use crate::world::compute::{
    block::scsi_uuid,
    device::{Controller, Device, Disk, Kind, Nic},
    state::State,
    value::{MoRef, Val, obj},
    vm::{Vm, VmConfig},
};

fn describe(label: String, summary: String) -> Val {
    obj!("Description", "label" => label, "summary" => summary)
}

/// One device.
pub fn device(s: &State, vm: &Vm, config: &VmConfig, d: &Device) -> Val {
    let mut out = match &d.kind {
        Kind::Controller(c) => controller(config, d, c),
        Kind::Disk(disk) => disk_device(s, config, d, disk),
        Kind::Nic(nic) => card(s, d, nic),
        Kind::Cdrom(iso) => {
            let number = config.devices.iter().filter(|o| matches!(o.kind, Kind::Cdrom(_)) && o.key < d.key).count();
            let backing = match iso {
                Some(file) => obj!("VirtualCdromIsoBackingInfo", "fileName" => s.show(file),
                    "datastore" => MoRef::new("Datastore", &file.ds)),
                None => obj!("VirtualCdromRemotePassthroughBackingInfo", "deviceName" => "", "exclusive" => false),
            };
            let connect = obj!("VirtualDeviceConnectInfo", "startConnected" => iso.is_some(),
                "allowGuestControl" => true, "connected" => vm.on && iso.is_some(), "status" => "untried");
            obj!("VirtualCdrom", "deviceInfo" => describe(format!("CD/DVD drive {}", number + 1), "ISO".to_owned()),
                "backing" => backing, "connectable" => connect)
        }
        Kind::Other(ty, label) => other(config, ty, label, d),
    };
    out.set("key", d.key);
    out.set("controllerKey", d.controller);
    out.set("unitNumber", d.unit);
    out
}

fn children(config: &VmConfig, key: i64) -> Val {
    let below = config.devices.iter().filter(|c| c.controller == Some(key));
    below.map(|c| c.key).collect::<Vec<i64>>().into()
}

fn other(config: &VmConfig, ty: &str, label: &str, d: &Device) -> Val {
    let mut out = obj!(ty, "deviceInfo" => describe(label.to_owned(), label.to_owned()));
    if ty.ends_with("Controller") {
        out.set("busNumber", 0);
        out.set("device", children(config, d.key));
    }
    out
}

fn controller(config: &VmConfig, d: &Device, c: &Controller) -> Val {
    let label = format!("{} controller {}", c.prefix.to_uppercase(), c.bus);
    let mut out = obj!(c.ty, "deviceInfo" => describe(label.clone(), label), "busNumber" => c.bus,
        "device" => children(config, d.key));
    if c.prefix == "scsi" {
        out.set("hotAddRemove", true);
        out.set("sharedBus", c.sharing);
        out.set("scsiCtlrUnitNumber", 7);
    }
    out
}

fn backing(s: &State, config: &VmConfig, disk: &Disk) -> Val {
    if let Some(rdm) = &disk.rdm {
        let mode = if rdm.physical { "physicalMode" } else { "virtualMode" };
        return obj!("VirtualDiskRawDiskMappingVer1BackingInfo", "fileName" => s.show(&disk.file),
            "datastore" => MoRef::new("Datastore", &disk.file.ds),
            "lunUuid" => scsi_uuid(&rdm.device), "deviceName" => format!("vml.{}", scsi_uuid(&rdm.device)),
            "compatibilityMode" => mode, "diskMode" => &disk.mode, "uuid" => &disk.uuid.clone().unwrap_or_default(),
            "sharing" => "sharingNone");
    }
    let link = |file: &crate::world::compute::files::DsPath, uuid: Option<&String>| {
        let mut b = obj!("VirtualDiskFlatVer2BackingInfo", "fileName" => s.show(file),
            "diskMode" => &disk.mode, "split" => false, "writeThrough" => false, "thinProvisioned" => disk.thin,
            "uuid" => uuid, "digestEnabled" => false,
            "sharing" => if disk.multi_writer { "sharingMultiWriter" } else { "sharingNone" });
        if !file.ds.is_empty() {
            b.set("datastore", MoRef::new("Datastore", &file.ds));
        }
        b
    };
    let mut above = Val::Unset;
    for parent in disk.parents.iter().rev() {
        let mut b = link(&parent.file, parent.uuid.as_ref());
        b.set("parent", above);
        above = b;
    }
    let mut b = link(&disk.file, disk.uuid.as_ref());
    b.set("contentId", disk.content_id.as_str());
    if !disk.parents.is_empty() {
        b.set("deltaDiskFormat", "redoLogFormat");
    }
    if config.cbt && disk.ctk.is_some() {
        b.set("changeId", s.change_id(&disk.file));
    }
    b.set("parent", above);
    b
}

fn disk_device(s: &State, config: &VmConfig, d: &Device, disk: &Disk) -> Val {
    let number = config.devices.iter().filter(|o| matches!(o.kind, Kind::Disk(_)) && o.key < d.key).count() + 1;
    let size = format!("{} KB", disk.capacity_bytes / 1024);
    obj!("VirtualDisk", "deviceInfo" => describe(format!("Hard disk {number}"), size),
        "backing" => backing(s, config, disk), "capacityInKB" => disk.capacity_bytes / 1024,
        "capacityInBytes" => disk.capacity_bytes, "nativeUnmanagedLinkedClone" => false)
}

fn card(s: &State, d: &Device, nic: &Nic) -> Val {
    let name = s.networks.get(&nic.network).map_or("", |n| n.name.as_str());
    let mut backing = obj!("VirtualEthernetCardNetworkBackingInfo", "deviceName" => name, "useAutoDetect" => false);
    if !nic.network.is_empty() {
        backing.set("network", MoRef::new("Network", &nic.network));
    }
    let connect = obj!("VirtualDeviceConnectInfo", "migrateConnect" => "unset", "startConnected" => nic.start_connected,
        "allowGuestControl" => true, "connected" => nic.connected, "status" => if nic.connected { "ok" } else { "untried" });
    let label = format!("Network adapter {}", d.key - 3999);
    obj!(nic.ty, "deviceInfo" => describe(label, name.to_owned()), "backing" => backing, "connectable" => connect,
        "addressType" => &nic.address_type, "macAddress" => &nic.mac, "wakeOnLanEnabled" => true,
        "uptCompatibilityEnabled" => true)
}
