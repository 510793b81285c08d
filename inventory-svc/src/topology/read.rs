//! Reads VMs, datastores and hosts of one vCenter.

use super::{
    adapters::ADAPTERS,
    assemble, datastore, host, pb,
    places::{Places, unescape},
    vm::{self, LIST, NEIGHBOUR, TASKS, TOPOLOGY, running_tasks, to_tasks},
};
use crate::{
    soap::MoRef,
    vcenter::{
        Client, Error, Refusal,
        property_collector::ObjectProperties,
        property_spec::{Properties, Start, Step},
    },
};
use futures::future::try_join_all;
use std::collections::HashSet;

/// Look-ups of VMs that run at the same time.
const LOOKUPS_AT_ONCE: usize = 8;

const NAME: Properties = Properties { kind: "VirtualMachine", paths: &["name"] };

/// One VM with what was read around it.
#[derive(Debug)]
pub struct VmRead {
    /// vCenter's id.
    pub moref: MoRef,
    /// Its properties, those of a topology.
    pub properties: ObjectProperties,
    /// The inventory around it.
    pub places: Places,
    /// As the contract shows it.
    pub vm: pb::Vm,
}

/// All VMs and templates, in no order.
///
/// # Errors
/// The call failed.
pub async fn list_vms(client: &Client) -> Result<Vec<pb::Vm>, Error> {
    let places = Places::read(client).await?;
    let found = client.retrieve_all(&["VirtualMachine"], &[LIST, TASKS], vec![to_tasks()], "VMs").await?;
    let running = running_tasks(&found);
    let standing = client.standing().await;
    let vms = found.iter().filter(|object| object.object.kind == "VirtualMachine");
    Ok(vms.map(|object| vm::vm(&standing, object, &places, &running)).collect())
}

/// VMs and templates of exactly this display name: all names are read, and the rest of those that match only.
///
/// # Errors
/// The call failed.
pub async fn list_vms_named(client: &Client, display_name: &str) -> Result<Vec<pb::Vm>, Error> {
    let all = client.retrieve_all(&["VirtualMachine"], &[NAME], Vec::new(), "VMs").await?;
    let named = all.into_iter().filter(|vm| unescape(vm.text("name")) == display_name);
    let starts: Vec<Start> =
        named.map(|vm| Start { object: vm.object, skip: false, steps: vec![to_tasks()] }).collect();
    if starts.is_empty() {
        return Ok(Vec::new());
    }
    let found = match client.retrieve(&[LIST, TASKS], &starts, "VMs").await {
        // One of them went meanwhile.
        Err(error) if error.is_fault("ManagedObjectNotFound") => {
            let mut vms = list_vms(client).await?;
            vms.retain(|vm| vm.display_name == display_name);
            return Ok(vms);
        }
        other => other?,
    };
    let places = Places::read(client).await?;
    let running = running_tasks(&found);
    let standing = client.standing().await;
    let vms = found.iter().filter(|object| object.object.kind == "VirtualMachine");
    Ok(vms.map(|object| vm::vm(&standing, object, &places, &running)).collect())
}

/// vCenter's ids of the VMs with files on a datastore.
///
/// # Errors
/// The call failed, or there is no such datastore.
pub async fn vms_on(client: &Client, datastore_moref: &str) -> Result<HashSet<String>, Error> {
    let store = MoRef::new("Datastore", datastore_moref);
    let properties = Properties { kind: "Datastore", paths: &["vm"] };
    let found = client.retrieve_one(properties, &store, &format!("datastore {datastore_moref}")).await?;
    Ok(found.items("vm").iter().filter_map(|vm| vm.moref()).map(|vm| vm.value).collect())
}

/// All datastores, in no order.
///
/// # Errors
/// The call failed.
pub async fn list_datastores(client: &Client) -> Result<Vec<pb::Datastore>, Error> {
    let places = Places::read(client).await?;
    Ok(places.of_kind("Datastore").map(|store| datastore::datastore(client.name(), store, &places)).collect())
}

/// All hosts, in no order.
///
/// # Errors
/// The call failed.
pub async fn list_hosts(client: &Client) -> Result<Vec<pb::Host>, Error> {
    let places = Places::read(client).await?;
    let storage = client.retrieve_all(&["HostSystem"], &[ADAPTERS], Vec::new(), "adapters of hosts").await?;
    let of = |host: &MoRef| storage.iter().find(|found| found.object == *host);
    let hosts = places.of_kind("HostSystem");
    Ok(hosts.map(|found| host::host(client.name(), found, of(&found.object), &places)).collect())
}

/// vCenter's id of a VM.
///
/// # Errors
/// The call failed, or there is no such VM.
pub async fn find_vm(client: &Client, instance_uuid: &str) -> Result<MoRef, Error> {
    if let Some(moref) = instance_uuid.strip_prefix("moref:") {
        let text = format!(
            "vCenter {} cannot read the configuration of VM {moref}; make its datastore reachable, or remove it",
            client.name()
        );
        return Err(Refusal::conflict("VM_INACCESSIBLE", text).and("vcenter", client.name()).into());
    }
    client.find_vm_by_instance_uuid(instance_uuid).await?.ok_or_else(|| {
        let text = format!(
            "vCenter {} has no VM with the instanceUuid {instance_uuid}; list VMs to see which there are",
            client.name()
        );
        Refusal::not_found("VM_NOT_FOUND", text).and("vcenter", client.name()).and("vm", instance_uuid).into()
    })
}

/// One VM.
///
/// # Errors
/// The call failed, or there is no such VM.
pub async fn read_vm(client: &Client, instance_uuid: &str) -> Result<VmRead, Error> {
    let moref = find_vm(client, instance_uuid).await?;
    read_vm_by_ref(client, &moref).await
}

/// One VM by vCenter's id.
///
/// # Errors
/// The call failed; ManagedObjectNotFound where it is gone.
pub async fn read_vm_by_ref(client: &Client, moref: &MoRef) -> Result<VmRead, Error> {
    let start = Start { object: moref.clone(), skip: false, steps: vec![to_tasks()] };
    let object = format!("VM {}", moref.value);
    let found = client.retrieve(&[TOPOLOGY, TASKS], &[start], &object).await?;
    let places = Places::read(client).await?;
    let running = running_tasks(&found);
    let properties = found
        .into_iter()
        .find(|object| object.object == *moref)
        .ok_or_else(|| client.incomplete("RetrievePropertiesEx", &object))?;
    let vm = vm::whole_vm(&client.standing().await, &properties, &places, &running);
    Ok(VmRead { moref: moref.clone(), properties, places, vm })
}

/// Topologies of VMs, in the order asked. Neighbours are read along Datastore.vm in the same call, so that a VM that
/// vanishes meanwhile does not fail it.
///
/// # Errors
/// The call failed, or one of the VMs does not exist.
pub async fn topologies(client: &Client, uuids: &[String], skip_browse: bool) -> Result<Vec<pb::VmTopology>, Error> {
    let mut morefs = Vec::with_capacity(uuids.len());
    for some in uuids.chunks(LOOKUPS_AT_ONCE) {
        morefs.extend(try_join_all(some.iter().map(|uuid| find_vm(client, uuid))).await?);
    }
    let to_neighbours = || Step::along("VirtualMachine", "datastore").then(vec![Step::along("Datastore", "vm")]);
    let start = |moref: &MoRef, skip, step| Start { object: moref.clone(), skip, steps: vec![step] };
    let own: Vec<Start> = morefs.iter().map(|moref| start(moref, false, to_tasks())).collect();
    let around: Vec<Start> = morefs.iter().map(|moref| start(moref, true, to_neighbours())).collect();
    let sets: [(&[Properties], &[Start]); 2] = [(&[TOPOLOGY, TASKS], &own), (&[NEIGHBOUR], &around)];
    let found = client.retrieve_by(&sets, "topology").await?;
    let places = Places::read(client).await?;
    assemble::assemble(client, &morefs, &found, &places, skip_browse).await
}
