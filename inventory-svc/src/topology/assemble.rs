//! Puts topologies together from what was read.

use super::{
    browse::{Owned, strangers},
    datastore, devices, files, host_storage, pb,
    places::Places,
    shared::{Owner, shared_files},
    tenants::neighbour,
    vm::{self, running_tasks},
};
use crate::{
    footing::Standing,
    soap::MoRef,
    vcenter::{Client, Error, browser::FoundFile, property_collector::ObjectProperties, snapshot},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use strata_model::DatastorePath;

/// Prefix of the VMware snapshots that Strata makes.
pub const SNAPSHOT_PREFIX: &str = "strata-";

/// A VM as far as its disks and files go.
struct Member<'a> {
    object: &'a ObjectProperties,
    name: String,
    datacenter: Option<MoRef>,
    disks: Vec<pb::Disk>,
    files: Vec<pb::VmFile>,
}

/// Files of a datastore, or why they could not be read.
type Browsed = BTreeMap<MoRef, Result<Vec<FoundFile>, String>>;

/// Topologies of `wanted`, in that order; `found` holds them, their neighbours and their tasks.
///
/// # Errors
/// One of `wanted` is not in `found`: it vanished meanwhile.
pub async fn assemble(
    client: &Client,
    wanted: &[MoRef],
    found: &[ObjectProperties],
    places: &Places,
    skip_browse: bool,
) -> Result<Vec<pb::VmTopology>, Error> {
    let vms = found.iter().filter(|object| object.object.kind == "VirtualMachine");
    let members: Vec<Member<'_>> = vms.map(|object| member(client.name(), object, places)).collect();
    let running = running_tasks(found);
    let mut topologies = Vec::with_capacity(wanted.len());
    let mut browsed = Browsed::new();
    let standing = client.standing().await;
    for moref in wanted {
        let own = members
            .iter()
            .find(|member| member.object.object == *moref)
            .ok_or_else(|| client.incomplete("RetrievePropertiesEx", &format!("VM {}", moref.value)))?;
        let stores = stores_of(own, places);
        if !skip_browse {
            for store in &stores {
                if !browsed.contains_key(&store.object) {
                    browsed.insert(store.object.clone(), browse_all(client, store).await);
                }
            }
        }
        let mut one = topology(&standing, own, &members, places, &stores, &browsed, &running);
        name_raw_devices(client, own.object.moref("runtime.host"), &mut one).await;
        topologies.push(one);
    }
    Ok(topologies)
}

fn member<'a>(vcenter: &str, object: &'a ObjectProperties, places: &Places) -> Member<'a> {
    let folder = object.moref("parent").or_else(|| object.moref("runtime.host"));
    let datacenter = folder.and_then(|folder| places.datacenter(&folder)).map(|found| found.moref);
    let resource_name = |name: &str| {
        let store = places.datastore_named(name, datacenter.as_ref());
        store.map(|store| datastore::name(vcenter, &store.object.value)).unwrap_or_default()
    };
    Member {
        object,
        name: vm::name(vcenter, object),
        disks: devices::disks(object.items("config.hardware.device"), &resource_name),
        files: files::files(object.items("layoutEx.file")),
        datacenter,
    }
}

/// Names of all datastores that a file of the VM lies on.
fn store_names(own: &Member<'_>) -> BTreeSet<String> {
    let of_disks = own.disks.iter().flat_map(|disk| disk.chain.iter().map(String::as_str));
    let of_files = own.files.iter().map(|file| file.path.as_str());
    let mut names: BTreeSet<String> =
        of_disks.chain(of_files).filter_map(|path| Some(path.parse::<DatastorePath>().ok()?.datastore)).collect();
    names.extend(vm::vmx_path(own.object).map(|path| path.datastore));
    names
}

fn stores_of<'p>(own: &Member<'_>, places: &'p Places) -> Vec<&'p ObjectProperties> {
    let names = store_names(own);
    names.iter().filter_map(|name| places.datastore_named(name, own.datacenter.as_ref())).collect()
}

async fn browse_all(client: &Client, store: &ObjectProperties) -> Result<Vec<FoundFile>, String> {
    let browser = store.moref("browser").ok_or("vCenter shows no browser for it")?;
    let root = DatastorePath::new(store.text("name"), "");
    client.search(&browser, &root, &[]).await.map_err(|error| error.to_string())
}

fn topology(
    standing: &Standing,
    own: &Member<'_>,
    members: &[Member<'_>],
    places: &Places,
    stores: &[&ObjectProperties],
    browsed: &Browsed,
    running: &HashMap<MoRef, BTreeSet<String>>,
) -> pb::VmTopology {
    let vcenter = standing.vcenter.as_str();
    let mut gaps = gaps_of(own);
    let unknown =
        store_names(own).into_iter().filter(|name| places.datastore_named(name, own.datacenter.as_ref()).is_none());
    gaps.extend(unknown.map(|name| format!("datastore {name}: our account cannot see it")));
    let mut tenants = Vec::new();
    for store in stores {
        let name = datastore::name(vcenter, &store.object.value);
        let here: Vec<&Member<'_>> = members.iter().filter(|member| lies_on(member, store)).collect();
        let others = here.iter().filter(|member| member.name != own.name);
        tenants.extend(others.map(|other| neighbour(vcenter, other.object, &name)));
        match browsed.get(&store.object) {
            None => {}
            Some(Ok(files)) => tenants.extend(strangers(files, &owned(&here), &name)),
            Some(Err(reason)) => gaps.push(format!("datastore {}: cannot be browsed: {reason}", store.text("name"))),
        }
    }
    for other in members.iter().filter(|member| member.object.get("config.hardware.device").is_none()) {
        if other.name != own.name {
            let name = other.object.text("name");
            gaps.push(format!("VM {name}: its disks cannot be read, so files that it shares are not known"));
        }
    }
    tenants.sort_by(|left, right| (&left.datastore, &left.display_name).cmp(&(&right.datastore, &right.display_name)));
    let owners: Vec<Owner<'_>> =
        members.iter().map(|member| Owner { vm: &member.name, disks: &member.disks }).collect();
    let mut shown = vm::whole_vm(standing, own.object, places, running);
    let datastores: Vec<pb::Datastore> =
        stores.iter().map(|store| datastore::datastore(vcenter, store, places)).collect();
    shown.datastores = datastores.iter().map(|store| store.display_name.clone()).collect();
    pb::VmTopology {
        vm: Some(shown),
        disks: own.disks.clone(),
        files: own.files.clone(),
        datastores,
        tenants,
        shared_files: shared_files(&own.name, &owners),
        network_adapters: devices::network_adapters(own.object.items("config.hardware.device"), places),
        vm_snapshots: snapshots(own.object),
        gaps,
    }
}

/// A raw device mapping names its device by the host's own uuid; the array knows the canonical name.
async fn name_raw_devices(client: &Client, host: Option<MoRef>, topology: &mut pb::VmTopology) {
    let is_raw = |disk: &&mut pb::Disk| matches!(disk.kind(), pb::DiskKind::RdmVirtual | pb::DiskKind::RdmPhysical);
    let mut raw: Vec<&mut pb::Disk> = topology.disks.iter_mut().filter(is_raw).collect();
    if raw.is_empty() {
        return;
    }
    let names = match &host {
        Some(host) => host_storage::names_by_uuid(client, host).await.map_err(|error| error.to_string()),
        None => Err("vCenter does not tell the VM's host".to_owned()),
    };
    for disk in &mut raw {
        match names.as_ref().map(|names| names.get(&disk.device_name)) {
            Ok(Some(name)) => disk.device_name.clone_from(name),
            // The host does not see it: its own uuid of the device is all that is known, and names it still.
            Ok(None) => {}
            Err(reason) => topology.gaps.push(format!("{}: raw device {}: {reason}", disk.label, disk.device_name)),
        }
    }
}

fn gaps_of(own: &Member<'_>) -> Vec<String> {
    let missing = own.object.missing.iter();
    let mut gaps: Vec<String> = missing.map(|(path, fault)| format!("{path}: {}", fault.describe())).collect();
    for path in ["config.hardware.device", "layoutEx.file"] {
        if own.object.get(path).is_none() && !own.object.missing.iter().any(|(missing, _)| missing == path) {
            gaps.push(format!("{path}: vCenter does not tell it"));
        }
    }
    gaps
}

fn lies_on(member: &Member<'_>, store: &ObjectProperties) -> bool {
    member.object.items("datastore").iter().any(|item| item.moref().as_ref() == Some(&store.object))
}

fn owned(here: &[&Member<'_>]) -> Owned {
    let mut owned = Owned::default();
    for member in here {
        if let Some(vmx) = vm::vmx_path(member.object) {
            owned.directories.insert(DatastorePath::new(vmx.datastore.clone(), vmx.directory()));
            owned.vmx_files.insert(vmx);
        }
        let of_disks = member.disks.iter().flat_map(|disk| &disk.chain);
        let paths = member.files.iter().map(|file| &file.path).chain(of_disks);
        owned.files.extend(paths.filter_map(|path| path.parse().ok()));
    }
    owned
}

/// VMware snapshots, oldest first.
pub fn snapshots(object: &ObjectProperties) -> Vec<pb::VmSnapshot> {
    snapshot::tree(object.get("snapshot"))
        .into_iter()
        .map(|node| pb::VmSnapshot {
            moref: node.moref.value,
            ours: node.name.starts_with(SNAPSHOT_PREFIX),
            display_name: node.name,
            quiesced: node.quiesced,
        })
        .collect()
}
