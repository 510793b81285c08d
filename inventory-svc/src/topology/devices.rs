//! A VM's devices: disks with their whole chain, and network adapters.

use super::{pb, places::Places};
use crate::soap::Element;
use strata_model::DatastorePath;

/// All disks, in the order of their keys. `datastore_name` turns a datastore's name into its resource name.
pub fn disks(devices: &[Element], datastore_name: &dyn Fn(&str) -> String) -> Vec<pb::Disk> {
    let mut disks: Vec<pb::Disk> = devices
        .iter()
        .filter(|device| device.xsi_type == "VirtualDisk")
        .map(|device| disk(device, devices, datastore_name))
        .collect();
    disks.sort_by_key(|disk| disk.key);
    disks
}

/// All network adapters, in the order of their keys.
pub fn network_adapters(devices: &[Element], places: &Places) -> Vec<pb::NetworkAdapter> {
    let mut adapters: Vec<pb::NetworkAdapter> = devices
        .iter()
        .filter(|device| is_network_adapter(device))
        .map(|device| pb::NetworkAdapter {
            key: device.number_at("key").unwrap_or(0),
            label: device.text_at("deviceInfo.label").unwrap_or_default().to_owned(),
            mac_address: device.text_at("macAddress").unwrap_or_default().to_ascii_lowercase(),
            network: network(device, places),
            start_connected: device.true_at("connectable.startConnected"),
        })
        .collect();
    adapters.sort_by_key(|adapter| adapter.key);
    adapters
}

/// A standard network by its name; a distributed portgroup's key becomes its name where we may see it.
fn network(device: &Element, places: &Places) -> String {
    let portgroup = device.text_at("backing.port.portgroupKey");
    portgroup
        .and_then(|key| places.network_name(key))
        .or_else(|| device.text_at("backing.deviceName").map(str::to_owned))
        .or_else(|| portgroup.or_else(|| device.text_at("backing.opaqueNetworkId")).map(str::to_owned))
        .unwrap_or_default()
}

/// Every kind of virtual Ethernet card has a MAC address, and nothing else has one.
pub fn is_network_adapter(device: &Element) -> bool {
    device.child("macAddress").is_some() || device.child("addressType").is_some()
}

fn disk(device: &Element, devices: &[Element], datastore_name: &dyn Fn(&str) -> String) -> pb::Disk {
    let empty = Element::default();
    let backing = device.child("backing").unwrap_or(&empty);
    let chain = chain(backing);
    let (address, bus_shared) = address(device, devices);
    let of_leaf = chain.first().and_then(|leaf| leaf.parse::<DatastorePath>().ok());
    let mode = backing.text_at("diskMode").unwrap_or_default();
    let sharing = backing.text_at("sharing").unwrap_or_default();
    pb::Disk {
        key: device.number_at("key").unwrap_or(0),
        label: device.text_at("deviceInfo.label").unwrap_or_default().to_owned(),
        kind: kind(backing).into(),
        capacity_bytes: capacity_bytes(device),
        datastore: of_leaf.map(|leaf| datastore_name(&leaf.datastore)).unwrap_or_default(),
        uuid: backing.text_at("uuid").unwrap_or_default().to_owned(),
        independent: mode.starts_with("independent"),
        shared: bus_shared || sharing == "sharingMultiWriter",
        address,
        device_name: ["lunUuid", "deviceName"]
            .iter()
            .find_map(|field| backing.text_at(field))
            .unwrap_or_default()
            .to_owned(),
        chain,
    }
}

/// The file that is written now, then its parents.
fn chain(backing: &Element) -> Vec<String> {
    std::iter::successors(Some(backing), |backing| backing.child("parent"))
        .filter_map(|backing| backing.text_at("fileName"))
        .map(|path| path.parse::<DatastorePath>().map_or_else(|_| path.to_owned(), |path| path.to_string()))
        .collect()
}

fn kind(backing: &Element) -> pb::DiskKind {
    let type_name = backing.xsi_type.as_str();
    if backing.text_at("backingObjectId").is_some() {
        return pb::DiskKind::Object;
    }
    match (type_name.starts_with("VirtualDiskRawDisk"), backing.text_at("compatibilityMode")) {
        (true, Some("virtualMode")) => pb::DiskKind::RdmVirtual,
        // A raw device whose mode is not told is taken for the one that no VMware snapshot can hold.
        (true, _) => pb::DiskKind::RdmPhysical,
        (false, _) if backing.text_at("fileName").is_some() => pb::DiskKind::File,
        _ => pb::DiskKind::Unspecified,
    }
}

fn capacity_bytes(device: &Element) -> u64 {
    let kilobytes = || device.number_at::<u64>("capacityInKB").map(|kilobytes| kilobytes.saturating_mul(1024));
    device.number_at("capacityInBytes").or_else(kilobytes).unwrap_or(0)
}

/// `scsi0:1` and whether the controller's bus is shared with other VMs.
fn address(device: &Element, devices: &[Element]) -> (String, bool) {
    let controller = device.text_at("controllerKey");
    let found = devices.iter().find(|other| controller.is_some() && other.text_at("key") == controller);
    let Some(controller) = found else { return (String::new(), false) };
    let type_name = controller.xsi_type.as_str();
    let prefix = match type_name {
        "VirtualIDEController" => "ide",
        "VirtualNVMEController" => "nvme",
        _ if type_name.contains("SCSI") || type_name.contains("LsiLogic") || type_name.contains("BusLogic") => "scsi",
        _ if type_name.contains("AHCI") || type_name.contains("SATA") => "sata",
        _ => "unknown",
    };
    let bus: u32 = controller.number_at("busNumber").unwrap_or(0);
    let unit: u32 = device.number_at("unitNumber").unwrap_or(0);
    let shared = controller.text_at("sharedBus").is_some_and(|sharing| sharing != "noSharing");
    (format!("{prefix}{bus}:{unit}"), shared)
}
