//! gateway.v1.VmService.

use super::{Api, convert, submit::Asked};
use crate::{
    catalog::RestorePoint,
    error::{GatewayError, Result},
    layout::{Depth, VmLayout, devices_of},
    operations::{CommitRevert, RevertVm, SwapVm},
    plan::{self, PlannedRevert},
    steps::swap_disks::aside_directories,
};
use std::collections::BTreeMap;
use strata_model::Grade;
use strata_proto::{
    google::longrunning::Operation,
    strata::{
        gateway::v1::{self as pb, ProtectionState, vm_service_server::VmService},
        inventory::v1::{self as inv, PowerState},
        storage::v1::Volume,
    },
};
use strata_saga::Operation as _;
use tonic::{Request, Response, Status};

/// Volumes by vCenter and datastore name; `Err` says why there is none.
type Volumes = BTreeMap<(String, String), std::result::Result<Vec<Volume>, String>>;

#[tonic::async_trait]
impl VmService for Api {
    async fn list_vms(&self, request: Request<pb::ListVmsRequest>) -> Result<Response<pb::ListVmsResponse>, Status> {
        let message = request.into_inner();
        let asked = inv::ListVmsRequest {
            parent: message.parent,
            page_size: message.page_size,
            page_token: message.page_token,
            display_name: message.display_name,
            ..inv::ListVmsRequest::default()
        };
        let page = self.deps.ports.inventory.list_vms(asked).await?;
        let mut unreachable = page.unreachable;
        let volumes = match page.vms.is_empty() {
            true => Volumes::new(),
            false => self.volumes(&mut unreachable).await?,
        };
        let points = self.deps.catalog.points().map_err(GatewayError::from)?;
        let vms = page.vms.iter().map(|vm| brief(vm, &volumes, &points)).collect();
        unreachable.sort();
        unreachable.dedup();
        Ok(Response::new(pb::ListVmsResponse {
            vms,
            next_page_token: page.next_page_token,
            unreachable,
            freshness: page.freshness,
        }))
    }

    async fn get_vm(&self, request: Request<pb::GetVmRequest>) -> Result<Response<pb::Vm>, Status> {
        let name = request.into_inner().name;
        crate::layout::vcenter_of(&name, "name")?;
        let layout = VmLayout::read(&self.deps.ports, &name, Depth::Full).await?;
        let points = self.deps.catalog.points().map_err(GatewayError::from)?;
        let mut volumes = Volumes::new();
        for (datastore, placed) in &layout.datastores {
            let found: Vec<Volume> = placed.volumes().cloned().collect();
            let found = if found.is_empty() { Err(placed.evidence.clone()) } else { Ok(found) };
            volumes.insert((vcenter_part(&name).to_owned(), datastore.clone()), found);
        }
        let mut vm = brief(&layout.vm, &volumes, &points);
        let mut shown = detail(&layout);
        shown.kept_disks = self.kept(&name).iter().flat_map(aside_directories).collect();
        vm.detail = Some(shown);
        Ok(Response::new(vm))
    }

    async fn revert_vm(&self, request: Request<pb::RevertVmRequest>) -> Result<Response<Operation>, Status> {
        let (metadata, _, message) = request.into_parts();
        let plain = pb::RevertVmRequest { request_id: String::new(), validate_only: false, ..message.clone() };
        let asked = Asked::new(
            &metadata,
            &message.request_id,
            message.validate_only,
            &message.plan_hash,
            RevertVm::KIND,
            &plain,
        )?;
        let names = self.names_for(message.validate_only);
        if let Some(operation) = self.known(&asked).await? {
            return Ok(Response::new(operation));
        }
        Ok(Response::new(match plan::revert(&self.deps, &names, &message).await? {
            PlannedRevert::Files(planned) => self.accept::<RevertVm>(asked, *planned).await?,
            PlannedRevert::Swap(planned) => self.accept::<SwapVm>(asked, *planned).await?,
        }))
    }

    async fn commit_revert(&self, request: Request<pb::CommitRevertRequest>) -> Result<Response<Operation>, Status> {
        let (metadata, _, message) = request.into_parts();
        let plain = pb::CommitRevertRequest { request_id: String::new(), validate_only: false, ..message.clone() };
        let asked = Asked::new(
            &metadata,
            &message.request_id,
            message.validate_only,
            &message.plan_hash,
            CommitRevert::KIND,
            &plain,
        )?;
        let planning = async { plan::commit_revert(&message.vm, &self.kept(&message.vm)) };
        Ok(Response::new(self.submit::<CommitRevert, _>(asked, planning).await?))
    }
}

impl Api {
    /// The volume behind every datastore of every vCenter, in two calls.
    async fn volumes(&self, unreachable: &mut Vec<String>) -> Result<Volumes> {
        let (datastores, lost) = self.deps.ports.inventory.all_datastores().await?;
        unreachable.extend(lost);
        let mut volumes = Volumes::new();
        let mut asked = Vec::new();
        for datastore in &datastores {
            let key = (vcenter_part(&datastore.name).to_owned(), datastore.display_name.clone());
            match devices_of(datastore) {
                Ok(devices) => asked.extend(devices.into_iter().map(|device| (key.clone(), device))),
                Err(why) => {
                    volumes.insert(key, Err(why));
                }
            }
        }
        for part in asked.chunks(1_000) {
            let devices = part.iter().map(|(_, device)| device.clone()).collect();
            let answer = self.deps.ports.storage.resolve_devices(devices).await?;
            unreachable.extend(answer.unreachable);
            for ((key, _), resolution) in part.iter().zip(answer.resolutions) {
                // A VMFS of which one extent is not found is not found.
                let known = volumes.entry(key.clone()).or_insert_with(|| Ok(Vec::new()));
                match (known.as_mut(), resolution.volume) {
                    (Ok(found), Some(volume)) => found.push(volume),
                    (Ok(_), None) => *known = Err(resolution.reason),
                    (Err(_), _) => {}
                }
            }
        }
        Ok(volumes)
    }
}

/// `vcenters/v` of a longer name.
fn vcenter_part(name: &str) -> &str {
    name.match_indices('/').nth(1).map_or(name, |(index, _)| &name[..index])
}

fn brief(vm: &inv::Vm, volumes: &Volumes, points: &[RestorePoint]) -> pb::Vm {
    let vcenter = vcenter_part(&vm.name).to_owned();
    let found: Vec<&std::result::Result<Vec<Volume>, String>> =
        vm.datastores.iter().filter_map(|datastore| volumes.get(&(vcenter.clone(), datastore.clone()))).collect();
    let named = |volume: &Volume| (volume.name.clone(), volume.display_name.clone());
    let named: BTreeMap<String, String> =
        found.iter().filter_map(|volumes| volumes.as_ref().ok()).flatten().map(named).collect();
    let (names, volume_display_names): (Vec<String>, Vec<String>) = named.into_iter().unzip();
    let own: Vec<&RestorePoint> = points.iter().filter(|point| point.intent.vm == vm.name && protects(point)).collect();
    let newest = own.iter().max_by_key(|point| (point.cut.time, &point.id));
    let why_not = match (vm.system_vm, names.is_empty()) {
        (true, _) => "an agent VM of vSphere Cluster Services".to_owned(),
        (false, true) => found
            .iter()
            .find_map(|volume| volume.as_ref().err().cloned())
            .unwrap_or_else(|| "none of its datastores lies on a configured array".to_owned()),
        (false, false) => String::new(),
    };
    let protection = match (own.is_empty(), why_not.is_empty()) {
        (false, _) => ProtectionState::Protected,
        (true, true) => ProtectionState::Unprotected,
        (true, false) => ProtectionState::Unsupported,
    };
    pb::Vm {
        name: vm.name.clone(),
        display_name: vm.display_name.clone(),
        power_state: power(vm.power_state()).to_owned(),
        template: vm.template,
        host: vm.host.clone(),
        datastores: vm.datastores.clone(),
        volumes: names,
        volume_display_names,
        protection: protection.into(),
        protection_reason: why_not,
        last_snapshot: newest.map(|point| format!("snapshots/{}", point.id)).unwrap_or_default(),
        last_snapshot_time: newest.map(|point| convert::time(point.cut.time)),
        last_snapshot_grade: newest.map_or(0, |point| convert::grade(point.cut.grade).into()),
        snapshot_count: u32::try_from(own.len()).unwrap_or(u32::MAX),
        moref: vm.moref.clone(),
        detail: None,
    }
}

/// What the array lost or is losing protects nothing.
fn protects(point: &RestorePoint) -> bool {
    !point.lost && !point.deleting
}

fn power(state: PowerState) -> &'static str {
    match state {
        PowerState::On => "on",
        PowerState::Off => "off",
        PowerState::Suspended => "suspended",
        PowerState::Unspecified => "unknown",
    }
}

fn detail(layout: &VmLayout) -> pb::VmDetail {
    let topology = &layout.topology;
    let names = layout.display_names();
    let shown = |name: &str| names.get(name).cloned().unwrap_or_default();
    let disks = layout.disks.iter().map(|placed| pb::VmDisk {
        label: placed.disk.label.clone(),
        path: placed.path.clone(),
        capacity_bytes: placed.disk.capacity_bytes,
        volume: placed.volume.clone().unwrap_or_default(),
        best_grade: placed.best_grade.map_or(0, |grade: Grade| convert::grade(grade).into()),
        reason: placed.reason.clone(),
        volume_display_name: shown(placed.volume.as_deref().unwrap_or_default()),
    });
    let relations = layout.relations().into_iter().map(|link| pb::Relation {
        from_display_name: shown(&link.from),
        to_display_name: shown(&link.to),
        from: link.from,
        kind: link.kind,
        to: link.to,
        evidence: link.evidence,
    });
    let neighbours = layout.neighbours.iter().map(|neighbour| pb::Neighbour {
        kind: neighbour.kind.clone(),
        vm: neighbour.vm.clone(),
        display_name: neighbour.display_name.clone(),
        datastore: neighbour.datastore.clone(),
        volume: neighbour.volume.clone(),
        volume_display_name: neighbour.volume_display_name.clone(),
    });
    pb::VmDetail {
        disks: disks.collect(),
        files: topology.files.iter().map(|file| file.path.clone()).collect(),
        relations: relations.collect(),
        neighbours: neighbours.collect(),
        shared_files: topology
            .shared_files
            .iter()
            .map(|shared| format!("{} ({})", shared.path, shared.reason))
            .collect(),
        vm_snapshots: topology.vm_snapshots.iter().map(|snapshot| snapshot.display_name.clone()).collect(),
        folder: layout.vm.folder_path.clone(),
        gaps: topology.gaps.clone(),
        kept_disks: Vec::new(),
    }
}
