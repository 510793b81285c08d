//! Whether another VM uses files of a clone: somebody may have attached its disk elsewhere, or linked a VM to it. What is
//! removed on the array is gone without vCenter being asked, so it is asked first.

use crate::{
    catalog::CloneIntent,
    deps::Deps,
    error::{GatewayError, Result},
    layout::devices_of,
};
use std::collections::BTreeSet;
use strata_model::DatastorePath;
use strata_proto::strata::inventory::v1::{BatchGetVmTopologiesRequest, Datastore, VmTopology};

/// Topologies that inventory-svc gives at once.
const BATCH: usize = 100;

/// A clone's directory as one vCenter writes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    vcenter: String,
    datastore: String,
    /// `[datastore] directory/`.
    prefix: String,
}

/// Refuses where any VM but the clone itself has a file in the clone's directories. Clones of volumes have datastores of
/// their own, whose unmounting asks the same.
///
/// # Errors
/// `CLONE_IN_USE` with the VM's name and file; the vCenter does not answer, or does not tell a VM's disks.
pub async fn refuse(deps: &Deps, intent: &CloneIntent) -> Result<()> {
    if intent.by_volume {
        return Ok(());
    }
    let inventory = &deps.ports.inventory;
    let (datastores, lost) = inventory.all_datastores().await?;
    refuse_silence(intent, &lost)?;
    let places = places(intent, &datastores)?;
    let (vms, lost) = inventory.all_vms("vcenters/-", "").await?;
    refuse_silence(intent, &lost)?;
    let own = format!("{}/vms/{}", intent.vcenter, intent.instance_uuid);
    let vcenters: BTreeSet<&String> = places.iter().map(|place| &place.vcenter).collect();
    for vcenter in vcenters {
        let here: Vec<&Place> = places.iter().filter(|place| place.vcenter == *vcenter).collect();
        let candidates = vms.iter().filter(|vm| {
            vm.name != own
                && vm.name.starts_with(&format!("{vcenter}/"))
                && vm.datastores.iter().any(|name| here.iter().any(|place| place.datastore == *name))
        });
        let names: Vec<String> = candidates.map(|vm| vm.name.clone()).collect();
        for some in names.chunks(BATCH) {
            let request = BatchGetVmTopologiesRequest { names: some.to_vec(), skip_browse: true };
            for topology in inventory.batch_get_vm_topologies(request).await?.topologies {
                refuse_user(intent, &topology, &here)?;
            }
        }
    }
    Ok(())
}

/// What the clone's own vCenter does not tell is no proof that nobody uses it; others are looked at where they answer.
fn refuse_silence(intent: &CloneIntent, lost: &[String]) -> Result<()> {
    if !lost.contains(&intent.vcenter) {
        if !lost.is_empty() {
            tracing::warn!(?lost, clone = intent.clone_id, "not asked whether a VM there uses the clone's files");
        }
        return Ok(());
    }
    let message = format!("{} does not answer, so it is not known who uses the clone's files", intent.vcenter);
    Err(GatewayError::new(strata_model::ErrorKind::Unavailable, "VCENTER_UNREACHABLE", message)
        .with("vcenter", &intent.vcenter))
}

/// The clone's directories in every vCenter that has their datastores mounted.
fn places(intent: &CloneIntent, datastores: &[Datastore]) -> Result<BTreeSet<Place>> {
    let vcenter_of = |datastore: &Datastore| -> String {
        datastore.name.split_once("/datastores/").map(|(vcenter, _)| vcenter.to_owned()).unwrap_or_default()
    };
    let mut places = BTreeSet::new();
    for directory in &intent.allowed_directories {
        let path: DatastorePath = directory.parse().map_err(GatewayError::unexpected)?;
        let mut add = |vcenter: String, datastore: &str| {
            let prefix = format!("[{datastore}] {}/", path.path.trim_end_matches('/'));
            places.insert(Place { vcenter, datastore: datastore.to_owned(), prefix });
        };
        add(intent.vcenter.clone(), &path.datastore);
        let is_source =
            |store: &&Datastore| vcenter_of(store) == intent.vcenter && store.display_name == path.datastore;
        let devices: Vec<_> = datastores.iter().filter(is_source).filter_map(|store| devices_of(store).ok()).collect();
        for store in datastores.iter().filter(|store| devices_of(store).is_ok_and(|found| devices.contains(&found))) {
            add(vcenter_of(store), &store.display_name);
        }
    }
    Ok(places)
}

fn refuse_user(intent: &CloneIntent, topology: &VmTopology, places: &[&Place]) -> Result<()> {
    let vm = topology.vm.clone().unwrap_or_default();
    let paths = topology.disks.iter().flat_map(|disk| &disk.chain).chain(topology.files.iter().map(|file| &file.path));
    for path in paths {
        if places.iter().any(|place| path.starts_with(&place.prefix)) {
            let message = format!(
                "{} uses {path}, which is the clone {}'s; it would lose its disk with the clone",
                vm.display_name, intent.display_name
            );
            return Err(GatewayError::conflict("CLONE_IN_USE", message)
                .with("vm", &vm.name)
                .with("file", path)
                .hint(format!("take it off {} first, or keep the clone", vm.display_name)));
        }
    }
    // Of a VM whose configuration cannot be read nobody knows what it uses.
    match topology.gaps.iter().find(|gap| gap.starts_with("config.hardware.device")) {
        None => Ok(()),
        Some(gap) => {
            let message = format!(
                "{} lies beside the clone {} and its disks cannot be read ({gap}); bring it back or remove it first",
                vm.display_name, intent.display_name
            );
            Err(GatewayError::new(strata_model::ErrorKind::Unavailable, "VM_INCOMPLETE", message).with("vm", &vm.name))
        }
    }
}
