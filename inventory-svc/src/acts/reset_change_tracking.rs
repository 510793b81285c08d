//! ResetChangeTracking: makes changed block tracking forget (safety.md S23): off, its files removed, on again if asked.

use super::{move_disks::must_be_off, vm_files};
use crate::{
    soap::MoRef,
    topology::{
        devices, pb,
        read::{VmRead, read_vm},
    },
    vcenter::{Client, Error},
    vcenters::Vcenters,
};
use std::collections::BTreeSet;
use strata_model::DatastorePath;

/// The act.
///
/// # Errors
/// A bad request, no such VM, the VM runs, or vCenter refuses.
pub async fn run(
    vcenters: Vcenters,
    request: pb::ResetChangeTrackingRequest,
) -> Result<pb::ResetChangeTrackingResponse, Error> {
    let (client, uuid) = vcenters.with_child("vm", &request.vm, "vms")?;
    let vm = read_vm(&client, &uuid).await?;
    must_be_off(&vm)?;
    if vm.vm.change_tracking {
        switch(&client, &vm, false).await?;
    }
    let removed_files = remove_files(&client, &vm).await?;
    if request.enable_again {
        switch(&client, &vm, true).await?;
    }
    Ok(pb::ResetChangeTrackingResponse { removed_files })
}

async fn switch(client: &Client, vm: &VmRead, on: bool) -> Result<(), Error> {
    let object = format!("VM {}", vm.vm.display_name);
    let task = client
        .reconfigure(&vm.moref, &object, |spec| {
            spec.flag("changeTrackingEnabled", on);
        })
        .await?;
    client.finish_task(&task, "change of change tracking", &object).await.map(drop)
}

/// Removes the tracking files beside the VM's disks, and no others.
async fn remove_files(client: &Client, vm: &VmRead) -> Result<Vec<String>, Error> {
    let disks = devices::disks(vm.properties.items("config.hardware.device"), &|_| String::new());
    let chains = disks.iter().flat_map(|disk| &disk.chain);
    let wanted: BTreeSet<DatastorePath> = chains.filter_map(|path| tracking_file(&path.parse().ok()?)).collect();
    let directories: BTreeSet<(String, String)> =
        wanted.iter().map(|path| (path.datastore.clone(), path.directory().to_owned())).collect();
    let datacenter = MoRef::new("Datacenter", vm.vm.datacenter_moref.clone());
    let mut removed = Vec::new();
    for (datastore, directory) in directories {
        let store = vm_files::store(client, &vm.places, &datastore, Some(&datacenter))?;
        for name in vm_files::names_in(client, &store, &datastore, &directory, "*-ctk.vmdk").await? {
            let path = DatastorePath::new(datastore.clone(), format!("{directory}/{name}").trim_start_matches('/'));
            if wanted.contains(&path) {
                client.delete_file(&store.datacenter, &path.to_string()).await?;
                removed.push(path.to_string());
            }
        }
    }
    Ok(removed)
}

/// `[ds] dir/web-ctk.vmdk` of `[ds] dir/web.vmdk`.
fn tracking_file(disk: &DatastorePath) -> Option<DatastorePath> {
    let stem = disk.path.strip_suffix(".vmdk")?;
    Some(DatastorePath::new(disk.datastore.clone(), format!("{stem}-ctk.vmdk")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracking_files_lie_beside_their_disks() {
        for (disk, file) in [
            ("[d] a/web.vmdk", Some("[d] a/web-ctk.vmdk")),
            ("[d] a/web-000001.vmdk", Some("[d] a/web-000001-ctk.vmdk")),
            ("[d] a/web.iso", None),
        ] {
            let found = tracking_file(&disk.parse().unwrap()).map(|path| path.to_string());
            assert_eq!(found.as_deref(), file, "{disk}");
        }
    }
}
