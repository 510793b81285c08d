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
    let files = Files::find(&client, &vm).await?;
    // Descriptors that were put back can name a file although tracking is off now: only vCenter takes that out of them, and
    // only where it turns tracking off itself.
    if !vm.vm.change_tracking && !files.found.is_empty() {
        switch(&client, &vm, true).await?;
    }
    if vm.vm.change_tracking || !files.found.is_empty() {
        switch(&client, &vm, false).await?;
    }
    let removed_files = files.remove(&client, &vm).await?;
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

/// The tracking files beside the VM's disks, and no others.
struct Files {
    found: Vec<DatastorePath>,
}

impl Files {
    async fn find(client: &Client, vm: &VmRead) -> Result<Self, Error> {
        let disks = devices::disks(vm.properties.items("config.hardware.device"), &|_| String::new());
        let chains = disks.iter().flat_map(|disk| &disk.chain);
        let wanted: BTreeSet<DatastorePath> = chains.filter_map(|path| tracking_file(&path.parse().ok()?)).collect();
        let directories: BTreeSet<(String, String)> =
            wanted.iter().map(|path| (path.datastore.clone(), path.directory().to_owned())).collect();
        let mut found = Vec::new();
        for (datastore, directory) in directories {
            let store = vm_files::store(client, &vm.places, &datastore, Some(&datacenter(vm)))?;
            for name in vm_files::names_in(client, &store, &datastore, &directory, "*-ctk.vmdk").await? {
                let path = DatastorePath::new(datastore.clone(), format!("{directory}/{name}").trim_start_matches('/'));
                if wanted.contains(&path) {
                    found.push(path);
                }
            }
        }
        Ok(Self { found })
    }

    /// Turning tracking off removes them; what it left is removed here. Returns all that were there.
    async fn remove(self, client: &Client, vm: &VmRead) -> Result<Vec<String>, Error> {
        let left = Self::find(client, vm).await?.found;
        for path in left {
            let store = vm_files::store(client, &vm.places, &path.datastore, Some(&datacenter(vm)))?;
            client.delete_file(&store.datacenter, &path.to_string()).await?;
        }
        Ok(self.found.iter().map(ToString::to_string).collect())
    }
}

fn datacenter(vm: &VmRead) -> MoRef {
    MoRef::new("Datacenter", vm.vm.datacenter_moref.clone())
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
