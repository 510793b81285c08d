//! What a clone would need and somebody else has: its name, its directories, its datastores' names.

use crate::{
    catalog::{CloneIntent, CloneTarget},
    deps::Deps,
    error::{GatewayError, Result},
};
use std::collections::BTreeMap;
use strata_model::DatastorePath;
use strata_proto::strata::inventory::v1 as inv;

/// The array would refuse a directory that is not the clone's; here it can be said what to do (safety.md S2).
pub(super) async fn refuse_taken_directories(
    deps: &Deps,
    intent: &CloneIntent,
    datastores: &BTreeMap<String, inv::Datastore>,
) -> Result<()> {
    for directory in &intent.allowed_directories {
        let path: DatastorePath = directory.parse().map_err(GatewayError::unexpected)?;
        let request = inv::FindVmFilesRequest {
            vcenter: intent.vcenter.clone(),
            datastore: datastores.get(&path.datastore).map(|found| found.name.clone()).unwrap_or_default(),
            directory: path.path.trim_end_matches('/').to_owned(),
            patterns: vec!["*".to_owned()],
        };
        if let Some(file) = deps.ports.inventory.find_vm_files(request).await?.files.first() {
            let message = format!("{directory} holds {} already, and a clone's directory is its own", file.path);
            return Err(GatewayError::conflict("DIRECTORY_TAKEN", message)
                .with("directory", directory)
                .hint("choose another name: --name NAME, or remove that directory if nobody needs it"));
        }
    }
    Ok(())
}
pub(super) async fn refuse_taken_name(deps: &Deps, vcenter: &str, name: &str) -> Result<()> {
    let (same, _) = deps.ports.inventory.all_vms(vcenter, name).await?;
    match same.first() {
        None => Ok(()),
        Some(vm) => {
            let message = format!("{vcenter} has a VM named '{name}' already");
            Err(GatewayError::conflict("VM_NAME_TAKEN", message)
                .with("vm", &vm.name)
                .hint("choose another: --name NAME"))
        }
    }
}
/// A name that another datastore has would be found taken after the array's work is done; or, worse, be taken for ours.
pub(super) async fn refuse_taken_datastores(deps: &Deps, vcenter: &str, targets: &[CloneTarget]) -> Result<()> {
    let (all, _) = deps.ports.inventory.all_datastores().await?;
    let here = all.iter().filter(|datastore| datastore.name.starts_with(&format!("{vcenter}/")));
    for datastore in here {
        if targets.iter().any(|target| target.datastore == datastore.display_name) {
            let message = format!("{vcenter} has a datastore named {} already", datastore.display_name);
            return Err(GatewayError::conflict("DATASTORE_NAME_TAKEN", message)
                .with("datastore", &datastore.name)
                .hint("choose another name for the clone, from which its datastores are named: --name NAME"));
        }
    }
    Ok(())
}
