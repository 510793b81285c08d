//! What hosts see of devices and through which adapters (HostSystem.config.storageDevice). Read for few hosts at a time:
//! with many devices one host's answer is megabytes.

use super::{adapters, pb, places::Places};
use crate::{
    soap::{Element, MoRef},
    vcenter::{
        Client, Error,
        property_collector::ObjectProperties,
        property_spec::{Properties, Start},
    },
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Hosts whose storage is read in one call.
const HOSTS_AT_ONCE: usize = 4;

const DEVICES: Properties = Properties { kind: "HostSystem", paths: &["config.storageDevice.scsiLun"] };
const PATHS: Properties = Properties {
    kind: "HostSystem",
    paths: &[
        "config.storageDevice.scsiLun",
        "config.storageDevice.hostBusAdapter",
        "config.storageDevice.multipathInfo",
        "config.storageDevice.scsiTopology",
    ],
};

/// A device as one host sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// `naa.600a0980...`.
    pub canonical_name: String,
    /// ScsiLun.uuid.
    pub uuid: String,
    /// ScsiLun.operationalState.
    pub states: Vec<String>,
}

impl Device {
    /// Whether no I/O goes to it any more: the administrator's `off`.
    pub fn is_detached(&self) -> bool {
        self.states.iter().any(|state| state == "off")
    }

    /// Whether I/O can go to it, or whether we cannot tell: neither `off` nor lost.
    pub fn is_in_use(&self) -> bool {
        let dead = ["off", "lostCommunication", "error", "timeout"];
        !self.states.iter().any(|state| dead.contains(&state.as_str()))
    }
}

/// The devices that were asked for, by host; a host that sees none has no entry.
pub type Seen = BTreeMap<MoRef, Vec<Device>>;

/// Which of `devices` the hosts see.
///
/// # Errors
/// The call failed.
pub async fn seen(client: &Client, hosts: &[MoRef], devices: &[String]) -> Result<Seen, Error> {
    let wanted: BTreeSet<&str> = devices.iter().map(String::as_str).collect();
    let mut seen = Seen::new();
    for some in hosts.chunks(HOSTS_AT_ONCE) {
        for host in read(client, some, DEVICES).await? {
            let here: Vec<Device> =
                devices_of(&host).filter(|device| wanted.contains(device.canonical_name.as_str())).collect();
            if !here.is_empty() {
                seen.insert(host.object, here);
            }
        }
    }
    Ok(seen)
}

/// Canonical names of one host's devices by ScsiLun.uuid, as raw device mappings name them.
///
/// # Errors
/// The call failed.
pub async fn names_by_uuid(client: &Client, host: &MoRef) -> Result<HashMap<String, String>, Error> {
    let hosts = read(client, std::slice::from_ref(host), DEVICES).await?;
    Ok(hosts.iter().flat_map(devices_of).map(|device| (device.uuid, device.canonical_name)).collect())
}

/// Adapters of one host to rescan for neighbours of `beside`: those that lead to a device of these, or where the host sees
/// none all that lead to a storage network. Empty where vCenter tells of no such adapter.
///
/// # Errors
/// The call failed.
pub async fn adapters_to_rescan(client: &Client, host: &MoRef, beside: &[String]) -> Result<BTreeSet<String>, Error> {
    let hosts = read(client, std::slice::from_ref(host), PATHS).await?;
    Ok(hosts.first().map(|host| leading_to(host, beside)).unwrap_or_default())
}

/// Lines of the contract, by host's name and device.
pub fn lines(places: &Places, seen: &Seen) -> Vec<pb::HostDevice> {
    let mut lines: Vec<pb::HostDevice> = Vec::new();
    for (host, devices) in seen {
        for device in devices {
            lines.push(pb::HostDevice {
                host_moref: host.value.clone(),
                host: places.name(host),
                canonical_name: device.canonical_name.clone(),
                device_uuid: device.uuid.clone(),
                detached: device.is_detached(),
                mounted: is_mounted(places, host, &device.canonical_name),
                operational_states: device.states.clone(),
            });
        }
    }
    lines.sort_by(|left, right| (&left.host, &left.canonical_name).cmp(&(&right.host, &right.canonical_name)));
    lines
}

/// Whether a VMFS with an extent on the device is mounted on the host.
fn is_mounted(places: &Places, host: &MoRef, device: &str) -> bool {
    places.of_kind("Datastore").any(|store| {
        let on_device = store
            .get("info")
            .and_then(|info| info.child("vmfs"))
            .is_some_and(|vmfs| vmfs.all("extent").any(|extent| extent.text_at("diskName") == Some(device)));
        let mounted_here = |mount: &Element| {
            mount.moref_at("key").as_ref() == Some(host) && mount.at("mountInfo.mounted").is_none_or(Element::is_true)
        };
        on_device && store.items("host").iter().any(mounted_here)
    })
}

async fn read(client: &Client, hosts: &[MoRef], properties: Properties) -> Result<Vec<ObjectProperties>, Error> {
    let starts: Vec<Start> = hosts.iter().map(Start::only).collect();
    client.retrieve(&[properties], &starts, "devices of hosts").await
}

fn devices_of(host: &ObjectProperties) -> impl Iterator<Item = Device> + '_ {
    host.items("config.storageDevice.scsiLun").iter().filter_map(|lun| {
        Some(Device {
            canonical_name: lun.text_at("canonicalName")?.to_owned(),
            uuid: lun.text_at("uuid").unwrap_or_default().to_owned(),
            states: lun.all("operationalState").map(|state| state.value().to_owned()).collect(),
        })
    })
}

fn leading_to(host: &ObjectProperties, beside: &[String]) -> BTreeSet<String> {
    let adapters = host.items("config.storageDevice.hostBusAdapter");
    let luns = host.items("config.storageDevice.scsiLun").iter();
    let keys: BTreeSet<&str> = luns
        .filter(|lun| lun.text_at("canonicalName").is_some_and(|name| beside.iter().any(|one| one == name)))
        .filter_map(|lun| lun.text_at("key"))
        .collect();
    let mut leading: BTreeSet<&str> = BTreeSet::new();
    if let Some(multipath) = host.get("config.storageDevice.multipathInfo") {
        let units = multipath.all("lun").filter(|unit| unit.text_at("lun").is_some_and(|key| keys.contains(key)));
        leading.extend(units.flat_map(|unit| unit.all("path")).filter_map(|path| path.text_at("adapter")));
    }
    if let Some(topology) = host.get("config.storageDevice.scsiTopology") {
        for interface in topology.all("adapter") {
            let luns = interface.all("target").flat_map(|target| target.all("lun"));
            if luns.filter_map(|lun| lun.text_at("scsiLun")).any(|key| keys.contains(key)) {
                leading.extend(interface.text_at("adapter"));
            }
        }
    }
    let device_of = |adapter: &Element| adapter.text_at("device").map(str::to_owned);
    let found: BTreeSet<String> = adapters
        .iter()
        .filter(|adapter| adapter.text_at("key").is_some_and(|key| leading.contains(key)))
        .filter_map(device_of)
        .collect();
    if !found.is_empty() {
        return found;
    }
    adapters.iter().filter(|adapter| adapters::kind(adapter).is_some()).filter_map(device_of).collect()
}
