//! RelocateVmDisks: vCenter moves disks with all their data to other datastores, under a running VM or one that is off.
//! vCenter chooses the new paths; the device's key stays, and is what a disk is known by.
//!
//! Crash states of one disk: 1. at its old file: move. 2. on its datastore: done. 3. the task runs and its id is lost: it is
//! seen among the VM's running tasks, and waited for.

use super::{pending, swap_vm_disks::disks, vm_files};
use crate::{
    soap::MoRef,
    topology::{
        datastore, pb,
        read::{VmRead, read_vm},
    },
    vcenter::{Client, Error, Refusal},
    vcenters::Vcenters,
};
use std::{collections::BTreeSet, sync::Arc};
use strata_model::{DatastorePath, ErrorKind};

/// vCenter's name of the task.
const RELOCATE_TASK: &str = "VirtualMachine.relocate";

struct Relocation {
    key: i32,
    from: DatastorePath,
    datastore: String,
    moref: MoRef,
}

/// The act. All disks are looked at before the first moves.
///
/// # Errors
/// A bad request, no such VM, datastore or disk, or vCenter cannot move it.
pub async fn run(
    vcenters: Vcenters,
    request: pb::RelocateVmDisksRequest,
) -> Result<pb::RelocateVmDisksResponse, Error> {
    let (client, uuid) = vcenters.with_child("vm", &request.vm, "vms")?;
    let wanted = read_relocations(&vcenters, &client, &request.disks)?;
    let vm = read_vm(&client, &uuid).await?;
    for one in &wanted {
        if vm.places.get(&one.moref).is_none() {
            return Err(vm_files::not_found(&client, &one.datastore));
        }
    }
    let waiting = waiting(&client, &vm, &wanted)?;
    if waiting.is_empty() {
        return Ok(pb::RelocateVmDisksResponse { pending: None, disks: disks(&client, &vm) });
    }
    let later = |pending| pb::RelocateVmDisksResponse { pending: Some(pending), disks: Vec::new() };
    if request.resume.is_empty() && vm.vm.running_tasks.iter().any(|task| task.starts_with(RELOCATE_TASK)) {
        return Ok(later(pending::pending("", None)));
    }
    let object = format!("VM {}", vm.vm.display_name);
    let locators: Vec<(i32, MoRef)> = waiting.iter().map(|one| (one.key, one.moref.clone())).collect();
    let start = client.relocate_disks(&vm.moref, &locators, &object);
    if let pending::Progress::Pending(pending) =
        pending::follow(&client, &request.resume, "move of disks", &object, start).await?
    {
        return Ok(later(pending));
    }
    let vm = read_vm(&client, &uuid).await?;
    if self::waiting(&client, &vm, &wanted)?.is_empty() {
        return Ok(pb::RelocateVmDisksResponse { pending: None, disks: disks(&client, &vm) });
    }
    let text = format!("vCenter {} moved {object}, and disks are where they were; repeat the call", client.name());
    Err(Refusal::new(ErrorKind::Unavailable, "MOVE_NOT_SEEN", text).and("vm", request.vm).into())
}

fn read_relocations(
    vcenters: &Vcenters,
    client: &Arc<Client>,
    disks: &[pb::DiskRelocation],
) -> Result<Vec<Relocation>, Error> {
    let mut keys = BTreeSet::new();
    let mut all = Vec::with_capacity(disks.len());
    for disk in disks {
        let from = disk.from_path.parse().map_err(|error: String| Refusal::invalid("disks", error))?;
        let (of, moref) = vcenters.with_child("disks", &disk.datastore, "datastores")?;
        if of.name() != client.name() {
            let text = format!("{} is of another vCenter than the VM", disk.datastore);
            return Err(Refusal::invalid("disks", text).into());
        }
        if !keys.insert(disk.disk_key) {
            let text = format!("the disk with key {} is named twice", disk.disk_key);
            return Err(Refusal::invalid("disks", text).into());
        }
        all.push(Relocation {
            key: disk.disk_key,
            from,
            datastore: datastore::name(client.name(), &moref),
            moref: MoRef::new("Datastore", moref),
        });
    }
    Ok(all)
}

/// The disks that are not on their datastore yet.
fn waiting<'r>(client: &Client, vm: &VmRead, wanted: &'r [Relocation]) -> Result<Vec<&'r Relocation>, Refusal> {
    let present = disks(client, vm);
    let mut waiting = Vec::new();
    for one in wanted {
        let disk = present.iter().find(|disk| disk.key == one.key);
        let leaf = disk.and_then(|disk| disk.chain.first()).and_then(|leaf| leaf.parse::<DatastorePath>().ok());
        match (disk, leaf) {
            (Some(disk), _) if disk.datastore == one.datastore => {}
            (Some(_), Some(leaf)) if leaf == one.from => waiting.push(one),
            (_, leaf) => {
                let at = leaf.map_or_else(|| "not there".to_owned(), |leaf| format!("at {leaf}"));
                let text = format!(
                    "disk {} of VM {} is {at}, and not at {}; it was changed since this was planned; plan anew",
                    one.key, vm.vm.display_name, one.from
                );
                return Err(Refusal::conflict("DISK_NOT_OF_VM", text).and("vm", vm.vm.name.clone()));
            }
        }
    }
    Ok(waiting)
}
