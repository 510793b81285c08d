//! MoveDisks: vCenter moves disks of a VM that is off. It refuses while a file is locked, which is the proof that nobody
//! uses it (safety.md S21).
//!
//! Crash states of one move: 1. not begun: source there, target absent. 2. done: source absent, target there. Anything
//! else is not ours to decide.

use super::vm_files::{self, Store};
use crate::{
    topology::{
        devices, pb,
        read::{VmRead, read_vm},
    },
    vcenter::{Client, Error, Refusal},
    vcenters::Vcenters,
};
use std::collections::BTreeSet;
use strata_model::DatastorePath;

struct Move {
    from: DatastorePath,
    to: DatastorePath,
    store: Store,
}

/// The act. All moves are looked at before the first is done.
///
/// # Errors
/// A bad request, the VM runs, a disk is not the VM's, both or neither of a source and its target exist, or vCenter
/// cannot move.
pub async fn run(vcenters: Vcenters, request: pb::MoveDisksRequest) -> Result<pb::MoveDisksResponse, Error> {
    let (client, uuid) = vcenters.with_child("vm", &request.vm, "vms")?;
    let vm = read_vm(&client, &uuid).await?;
    must_be_off(&vm)?;
    let own = own_disks(&vm);
    let mut waiting = Vec::new();
    for mapping in &request.moves {
        let one = read_mapping(&client, &vm, &own, mapping)?;
        if is_needed(&client, &one).await? {
            waiting.push(one);
        }
    }
    let mut moved_count = 0;
    for one in &waiting {
        let directory = DatastorePath::new(one.to.datastore.clone(), one.to.directory());
        client.make_directory(&one.store.datacenter, &directory.to_string()).await?;
        client.move_disk(&one.store.datacenter, &one.from.to_string(), &one.to.to_string()).await?;
        moved_count += 1;
    }
    Ok(pb::MoveDisksResponse { moved_count })
}

/// Refuses a VM that runs or whose memory waits in a file.
///
/// # Errors
/// It is not off.
pub fn must_be_off(vm: &VmRead) -> Result<(), Error> {
    if vm.vm.power_state() == pb::PowerState::Off {
        return Ok(());
    }
    let text = format!("VM {} is not off; power it off first", vm.vm.display_name);
    Err(Refusal::conflict("VM_NOT_OFF", text).and("vm", vm.vm.name.clone()).into())
}

fn own_disks(vm: &VmRead) -> BTreeSet<DatastorePath> {
    let disks = devices::disks(vm.properties.items("config.hardware.device"), &|_| String::new());
    disks.iter().flat_map(|disk| &disk.chain).filter_map(|path| path.parse().ok()).collect()
}

fn read_mapping(
    client: &Client,
    vm: &VmRead,
    own: &BTreeSet<DatastorePath>,
    mapping: &pb::PathMapping,
) -> Result<Move, Error> {
    let read = |text: &str| text.parse::<DatastorePath>().map_err(|error| Refusal::invalid("moves", error));
    let (from, to) = (read(&mapping.from_path)?, read(&mapping.to_path)?);
    if from.datastore != to.datastore || from == to {
        let text = format!("{from} cannot be moved to {to}: a move stays in one datastore and changes the path");
        return Err(Refusal::invalid("moves", text).into());
    }
    // Out of its place or back into it: one end is always where the VM's configuration says that its disk is.
    if !own.contains(&from) && !own.contains(&to) {
        let text = format!("neither {from} nor {to} is a disk of VM {}; nothing was moved", vm.vm.display_name);
        return Err(Refusal::conflict("DISK_NOT_OF_VM", text).and("vm", vm.vm.name.clone()).into());
    }
    let datacenter = crate::soap::MoRef::new("Datacenter", vm.vm.datacenter_moref.clone());
    let store = vm_files::store(client, &vm.places, &from.datastore, Some(&datacenter))?;
    Ok(Move { from, to, store })
}

async fn is_needed(client: &Client, one: &Move) -> Result<bool, Error> {
    let from = exists(client, &one.store, &one.from).await?;
    let to = exists(client, &one.store, &one.to).await?;
    let (from_path, to_path) = (&one.from, &one.to);
    match (from, to) {
        (true, false) => Ok(true),
        (false, true) => Ok(false),
        (true, true) => {
            let text =
                format!("{from_path} and {to_path} both exist; look at both and remove the one that is not wanted");
            Err(Refusal::conflict("MOVE_TARGET_EXISTS", text).and("file", to_path.to_string()).into())
        }
        (false, false) => {
            let text = format!("neither {from_path} nor {to_path} exists");
            Err(Refusal::not_found("DISK_NOT_FOUND", text).and("file", from_path.to_string()).into())
        }
    }
}

async fn exists(client: &Client, store: &Store, path: &DatastorePath) -> Result<bool, Error> {
    let names = vm_files::names_in(client, store, &path.datastore, path.directory(), path.file_name()).await?;
    Ok(names.contains(path.file_name()))
}
