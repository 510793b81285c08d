//! Plan of a clone: where its files will lie, what its disks will be called, who it will be.

pub(super) mod datastores;
pub(super) mod names;
pub(super) mod placement;
pub(super) mod placing;
pub(super) mod rights;
mod shown;
mod taken;
mod way;

use super::{Planned, block, new_id, point};
use crate::{
    catalog::CloneIntent,
    deps::Deps,
    error::{GatewayError, Result},
    layout::vcenter_of,
};
use placing::Placing;
use std::collections::BTreeSet;
use strata_model::DatastorePath;
use strata_proto::strata::gateway::v1::CreateCloneRequest;
use uuid::Uuid;

/// Plans a clone of a restore point.
///
/// # Errors
/// Every reason why it cannot be made, with the remedy.
pub async fn create_clone(deps: &Deps, request: &CreateCloneRequest) -> Result<Planned<CloneIntent>> {
    let point = point::usable(&*deps.catalog, &request.snapshot)?;
    let display_name = names::display_name(&point, &request.display_name)?;
    if request.power_on && !request.isolated {
        let message = "a clone that is turned on would meet its source on the network; ask for isolated as well";
        return Err(GatewayError::invalid("isolated", message).hint("to leave its adapters disconnected: --isolated"));
    }
    let vcenter = vcenter_of(&point.intent.vm, "snapshot")?;
    taken::refuse_taken_name(deps, &vcenter, &display_name).await?;
    if block::is_block(&point) {
        way::refuse_template_by_volume(&point, true)?;
        return block::clone::plan(deps, request, vcenter, &point, display_name).await;
    }
    if !request.hosts.is_empty() || !request.datastore_folder.is_empty() {
        let message = format!("{} lies on NFS: hosts and datastore_folder are for LUNs only", point.display_name);
        return Err(GatewayError::invalid("hosts", message));
    }
    let by_volume = way::choose_way(deps, &point, request.own_datastore).await?;
    way::refuse_template_by_volume(&point, by_volume)?;
    let datastores =
        datastores::source_datastores(deps, &vcenter, &point.intent.members.iter().collect::<Vec<_>>()).await?;
    let source = placement::current_source(deps, &point).await?;
    let placement = placement::placement(source.as_ref(), &point);
    let clone_id = new_id("c");
    let placing =
        Placing { point: &point, display_name: &display_name, clone_id: &clone_id, datastores: &datastores, by_volume };
    let (targets, paths) = placing.place()?;
    let map =
        |path: &str| paths.get(path).cloned().ok_or_else(|| GatewayError::unexpected(format!("{path} has no copy")));
    let mut disks = Vec::new();
    for disk in &point.intent.disks {
        let to = map(&disk.attach_path)?;
        let named = point.cut.config_paths.iter().find(|(key, _)| *key == disk.key).map(|(_, path)| path.clone());
        disks.push((named.unwrap_or_else(|| disk.attach_path.clone()), to));
    }
    let allowed: BTreeSet<String> = paths.values().filter_map(|path| directory_of(path)).collect();
    let hosts = if by_volume { placement::hosts_for(deps, &vcenter, &datastores).await? } else { Vec::new() };
    let intent = CloneIntent {
        clone_id,
        display_name,
        snapshot_id: point.id.clone(),
        source_vm: point.intent.vm.clone(),
        vcenter,
        by_volume,
        targets,
        vmx_path: map(&point.intent.vmx_path)?,
        source_vmx_path: point.intent.vmx_path.clone(),
        disks,
        allowed_directories: allowed.into_iter().collect(),
        bios_uuid: Uuid::new_v4().to_string(),
        instance_uuid: Uuid::new_v4().to_string(),
        folder_moref: placement.folder_moref,
        pool_moref: placement::pool_for(deps, &placement.pool_moref, &point, &placement.host_moref).await?,
        host_moref: placement.host_moref,
        hosts,
        power_on: request.power_on,
        vmfs: Vec::new(),
        lun_hosts: Vec::new(),
        datastore_folder_moref: String::new(),
        expected_bios_uuid: String::new(),
        forget_vm_snapshots: false,
    };
    match by_volume {
        true => taken::refuse_taken_datastores(deps, &intent.vcenter, &intent.targets).await?,
        false => taken::refuse_taken_directories(deps, &intent, &datastores).await?,
    }
    rights::require(deps, &intent, source.as_ref(), &point).await?;
    let shown = shown::shown(&intent, &point);
    Ok(Planned { intent, shown })
}

pub(super) fn directory_of(path: &str) -> Option<String> {
    let path: DatastorePath = path.parse().ok()?;
    Some(format!("[{}] {}/", path.datastore, path.directory()))
}
