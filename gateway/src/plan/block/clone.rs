//! Plan of a clone from a restore point on LUNs: datastores of its own, named and placed apart from the source's.

use super::copies::{self, Copies};
use crate::{
    catalog::{CloneIntent, Placement, RestorePoint},
    deps::Deps,
    error::Result,
    plan::{
        Planned,
        create_clone::{directory_of, placement, rights},
        fact, new_id,
        seal::Seal,
        step, words,
    },
};
use std::collections::BTreeSet;
use strata_proto::strata::{
    gateway::v1::{CreateCloneRequest, PlanFact, PlanResponse},
    inventory::v1 as inv,
};
use uuid::Uuid;

/// Plans it. Name and kind of VM were checked.
///
/// # Errors
/// Every reason why it cannot be made, with the remedy.
pub(in crate::plan) async fn plan(
    deps: &Deps,
    request: &CreateCloneRequest,
    vcenter: String,
    point: &RestorePoint,
    display_name: String,
) -> Result<Planned<CloneIntent>> {
    let source = placement::current_source(deps, point).await?;
    let wish = copies::Wish { vcenter: &vcenter, name: &display_name, hosts: &request.hosts };
    let copies = copies::plan(deps, point, wish).await?;
    let place = visible(placement::placement(source.as_ref(), point), &copies.shown_hosts);
    let frozen = point.cut.vm_snapshot_open_ms.is_some();
    let mut disks = Vec::new();
    let mut allowed = BTreeSet::from_iter(directory_of(&copies.path(&point.intent.vmx_path)?));
    for disk in &point.intent.disks {
        let named = point.cut.config_paths.iter().find(|(key, _)| *key == disk.key).map(|(_, path)| path);
        let from = named.unwrap_or(&disk.attach_path);
        // The .vmx of a frozen VM names the delta; the good image is the file below it.
        disks.push((from.clone(), copies.path(&disk.attach_path)?));
        for file in disk.files.iter().chain([from]) {
            allowed.extend(directory_of(&copies.path(file)?));
        }
    }
    let intent = CloneIntent {
        clone_id: new_id("c"),
        snapshot_id: point.id.clone(),
        source_vm: point.intent.vm.clone(),
        by_volume: true,
        vmx_path: copies.path(&point.intent.vmx_path)?,
        source_vmx_path: point.intent.vmx_path.clone(),
        disks,
        allowed_directories: allowed.into_iter().collect(),
        bios_uuid: Uuid::new_v4().to_string(),
        instance_uuid: Uuid::new_v4().to_string(),
        folder_moref: place.folder_moref,
        pool_moref: placement::pool_for(deps, &place.pool_moref, point, &place.host_moref).await?,
        host_moref: place.host_moref,
        hosts: copies.nfs_hosts.clone(),
        power_on: request.power_on,
        targets: copies.targets.clone(),
        vmfs: copies.vmfs.clone(),
        lun_hosts: copies.lun_hosts.clone(),
        datastore_folder_moref: request.datastore_folder.clone(),
        expected_bios_uuid: point.intent.bios_uuid.clone(),
        forget_vm_snapshots: frozen,
        display_name,
        vcenter,
    };
    rights::require(deps, &intent, source.as_ref(), point).await?;
    let shown = shown(&intent, point, &copies);
    Ok(Planned { intent, shown })
}

/// A host that is not given the LUNs cannot run the clone: the first that is takes its place.
fn visible(place: Placement, hosts: &[inv::Host]) -> Placement {
    match hosts.first() {
        Some(first) if !hosts.iter().any(|host| host.moref == place.host_moref) => {
            Placement { host_moref: first.moref.clone(), pool_moref: first.root_pool_moref.clone(), ..place }
        }
        _ => place,
    }
}

/// What the steps do until a copied VMFS is mounted; the same for a clone and for a revert by swap.
pub(in crate::plan) fn copy_steps(intent: &CloneIntent) -> Vec<strata_proto::strata::gateway::v1::PlanStep> {
    let volumes: Vec<String> = intent.targets.iter().map(|target| target.volume.clone()).collect();
    let hosts: Vec<String> = intent.lun_hosts.iter().map(|host| host.name.clone()).collect();
    let count: usize = intent.lun_targets().map(|target| target.lun_paths.len()).sum();
    let mut steps =
        vec![step("array_clone", format!("clone {} on the array", words::list(&volumes, 4)), "remove the clones")];
    if intent.nfs_targets().next().is_some() {
        let stores: Vec<String> = intent.nfs_targets().map(|target| target.datastore.clone()).collect();
        steps.push(step("export", "export those on NFS to the hosts", "take the exports away"));
        let text = format!("mount {} on {} hosts", words::list(&stores, 4), intent.hosts.len());
        steps.push(step("present", text, "unmount them on every host"));
    }
    let text = format!("map {count} LUNs to {}, and to nobody else", words::list(&hosts, 4));
    steps.push(step("map_luns", text, "let hosts detach, unmap, let hosts forget"));
    for vmfs in &intent.vmfs {
        let text = format!(
            "rescan, give the copy of [{}] a signature of its own, mount it as [{}]",
            vmfs.source, vmfs.datastore
        );
        match steps.iter_mut().find(|step| step.name == "attach") {
            Some(step) => step.description = format!("{}; {text}", step.description),
            None => steps.push(step("attach", text, "unmount and detach it on every host, and see it off")),
        }
    }
    let text = format!("check that {} in the copy is of this VM", intent.vmx_path);
    steps.push(step("verify_copy", text, "nothing to undo"));
    steps
}

/// What to know of the copies, whatever they are made for.
pub(in crate::plan) fn copy_facts(intent: &CloneIntent, point: &RestorePoint, remarks: &[String]) -> Vec<PlanFact> {
    let mut facts: Vec<PlanFact> = intent
        .vmfs
        .iter()
        .map(|vmfs| {
            let extents: Vec<String> = vmfs.extents.iter().map(|(volume, lun)| format!("{volume} {lun}")).collect();
            fact("lun", format!("[{}] becomes [{}] from {}", vmfs.source, vmfs.datastore, words::list(&extents, 8)))
        })
        .collect();
    facts.extend(
        intent.lun_hosts.iter().map(|host| fact("host", format!("{} by {}", host.name, host.initiators.join(", ")))),
    );
    facts.extend(remarks.iter().map(|remark| fact("host", remark.clone())));
    if !point.intent.neighbours.is_empty() {
        let names: Vec<String> = point.intent.neighbours.iter().map(|it| it.display_name.clone()).collect();
        let place = match intent.datastore_folder_moref.as_str() {
            "" => "who may browse datastores of the datacenter can read them (--datastore-folder puts them apart)"
                .to_owned(),
            folder => format!("they lie in the folder {folder} with its permissions"),
        };
        let text =
            format!("the copies hold the disks of {} neighbours: {}; {place}", names.len(), words::list(&names, 8));
        facts.push(fact("tenancy", text));
    }
    facts
}

fn shown(intent: &CloneIntent, point: &RestorePoint, copies: &Copies) -> PlanResponse {
    let name = &intent.display_name;
    let mut steps = copy_steps(intent);
    steps.push(step("register", format!("register {} as {name}", intent.vmx_path), "take it out of the inventory"));
    steps.push(step("identity", format!("give {name} a new uuid and new MAC addresses"), "goes with the registration"));
    if intent.power_on {
        steps.push(step("power_on", format!("turn {name} on, adapters disconnected"), "turn it off"));
    }
    steps.push(step("record", "record the clone", "forget it"));
    let in_place = intent.targets.iter().any(|target| target.luns_in_place);
    let mut facts = vec![
        fact(
            "way",
            if in_place {
                "LUNs cloned beside their sources"
            } else {
                "volumes with their LUNs: datastores of its own"
            },
        ),
        fact("grade", format!("{} (asked {})", point.cut.grade, point.intent.grade_asked)),
        fact("identity", format!("uuid {}, new MAC addresses, adapters disconnected", intent.bios_uuid)),
        fact("teardown", format!("strata clone delete {name}: unregister, unmount, detach, unmap, forget, remove")),
    ];
    if intent.forget_vm_snapshots {
        let text =
            "the copy's list of VMware snapshots is emptied, and the quiesced images before the freeze are attached";
        facts.push(fact("grade", text));
    }
    facts.extend(copy_facts(intent, point, &copies.remarks));
    facts.extend(
        point.intent.excluded.iter().map(|disk| fact("excluded disk", format!("{}: {}", disk.label, disk.reason))),
    );
    let shown = PlanResponse {
        summary: format!("clone {} as {name}", point.display_name),
        steps,
        neighbours: words::neighbours(&point.intent.neighbours),
        facts,
        point_of_no_return: String::new(),
        undo_command: format!("strata clone delete {name}"),
        ..PlanResponse::default()
    };
    Seal::default().point(point).object("name", name).copy(intent).close(shown)
}
