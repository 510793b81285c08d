//! Plan of a clone: where its files will lie, what its disks will be called, who it will be.

use super::{Planned, block, fact, hash_of, new_id, point, step, words};
use crate::{
    catalog::{CloneIntent, CloneTarget, Member, PointDisk, RestorePoint},
    deps::Deps,
    error::{GatewayError, Result},
    layout::{array_name, shown_name, vcenter_of, volume_path},
};
use std::collections::{BTreeMap, BTreeSet};
use strata_model::{DatastorePath, ErrorKind};
use strata_proto::strata::{
    gateway::v1::{CreateCloneRequest, PlanResponse},
    inventory::v1::{self as inv, datastore_backing::Kind},
    storage::v1::Capabilities,
};
use uuid::Uuid;

/// Plans a clone of a restore point.
///
/// # Errors
/// Every reason why it cannot be made, with the remedy.
pub async fn create_clone(deps: &Deps, request: &CreateCloneRequest) -> Result<Planned<CloneIntent>> {
    let point = point::usable(&*deps.catalog, &request.snapshot)?;
    let display_name = display_name(&point, &request.display_name)?;
    if request.power_on && !request.isolated {
        let message = "a clone that is turned on would meet its source on the network; ask for isolated as well";
        return Err(GatewayError::invalid("isolated", message).hint("to leave its adapters disconnected: --isolated"));
    }
    let vcenter = vcenter_of(&point.intent.vm, "snapshot")?;
    refuse_taken_name(deps, &vcenter, &display_name).await?;
    let placement = placement(deps, &point).await?;
    if block::is_block(&point) {
        refuse_template_by_volume(&point, true)?;
        let (folder_moref, pool_moref, host_moref) = placement;
        let place = block::clone::Place { folder_moref, pool_moref, host_moref };
        return block::clone::create_clone(deps, request, vcenter, &point, (display_name, place)).await;
    }
    if !request.hosts.is_empty() || !request.datastore_folder.is_empty() {
        let message = format!("{} lies on NFS: hosts and datastore_folder are for LUNs only", point.display_name);
        return Err(GatewayError::invalid("hosts", message));
    }
    let by_volume = choose_way(deps, &point, request.own_datastore).await?;
    refuse_template_by_volume(&point, by_volume)?;
    let members: Vec<&Member> = point.intent.members.iter().collect();
    let datastores = source_datastores(deps, &vcenter, &members).await?;
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
    let hosts = if by_volume { hosts_for(deps, &vcenter, &datastores).await? } else { Vec::new() };
    let intent = CloneIntent {
        clone_id,
        display_name,
        snapshot_id: point.id.clone(),
        source_vm: point.intent.vm.clone(),
        vcenter,
        by_volume,
        targets,
        vmx_path: map(&point.intent.vmx_path)?,
        disks,
        allowed_directories: allowed.into_iter().collect(),
        bios_uuid: Uuid::new_v4().to_string(),
        instance_uuid: Uuid::new_v4().to_string(),
        folder_moref: placement.0,
        pool_moref: pool_for(deps, &placement.1, &point, &placement.2).await?,
        host_moref: placement.2,
        hosts,
        power_on: request.power_on,
        vmfs: Vec::new(),
        lun_hosts: Vec::new(),
        datastore_folder_moref: String::new(),
        expected_bios_uuid: String::new(),
        good_vm_snapshot: None,
    };
    match by_volume {
        true => refuse_taken_datastores(deps, &intent.vcenter, &intent.targets).await?,
        false => refuse_taken_directories(deps, &intent, &datastores).await?,
    }
    let shown = shown(&intent, &point);
    Ok(Planned { intent, shown })
}

/// The array would refuse a directory that is not the clone's; here it can be said what to do (safety.md S2).
async fn refuse_taken_directories(
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

pub(super) fn directory_of(path: &str) -> Option<String> {
    let path: DatastorePath = path.parse().ok()?;
    Some(format!("[{}] {}/", path.datastore, path.directory()))
}

/// The name asked for, or one made of the source's.
fn display_name(point: &RestorePoint, asked: &str) -> Result<String> {
    let name = match asked {
        "" => format!("{}-clone-{}", point.intent.vm_display_name, &new_id("c")[2..6]),
        name => name.to_owned(),
    };
    let count = name.chars().count();
    if !(1..=80).contains(&count) || name.trim() != name || name.chars().any(char::is_control) {
        let message = format!(
            "'{name}' cannot be a VM's name: 1 to 80 characters, no control characters, no blank at either end"
        );
        return Err(GatewayError::invalid("display_name", message));
    }
    Ok(name)
}

async fn refuse_taken_name(deps: &Deps, vcenter: &str, name: &str) -> Result<()> {
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

/// Files in place where every array of the point can, volumes otherwise; true for volumes.
async fn choose_way(deps: &Deps, point: &RestorePoint, own_datastore: bool) -> Result<bool> {
    let arrays: BTreeSet<String> =
        point.cut.members.iter().map(|member| array_name(&member.volume)).collect::<Result<_>>()?;
    let mut all: Vec<(String, Capabilities)> = Vec::new();
    for name in arrays {
        let array = deps.ports.storage.get_array(&name).await?;
        let capabilities = array.capabilities.ok_or_else(|| {
            let message = format!("{name} does not answer: {}", array.state_reason);
            GatewayError::new(ErrorKind::Unavailable, "ARRAY_UNREACHABLE", message).with("array", &name)
        })?;
        all.push((name, capabilities));
    }
    let cannot =
        |can: fn(&Capabilities) -> bool| all.iter().find(|(_, capabilities)| !can(capabilities)).map(|(name, _)| name);
    match (own_datastore, cannot(|array| array.clone_files), cannot(|array| array.clone_volume)) {
        (false, None, _) => Ok(false),
        (_, _, None) => Ok(true),
        (true, _, Some(array)) => {
            let message = format!("{array} cannot clone volumes, so the clone cannot have a datastore of its own");
            Err(GatewayError::unsupported("CLONE_VOLUME_UNSUPPORTED", message).with("array", array))
        }
        (false, Some(array), Some(_)) => {
            let message = format!("{array} can clone neither files nor volumes");
            Err(GatewayError::unsupported("CLONE_UNSUPPORTED", message).with("array", array))
        }
    }
}

/// The datastores of the point as they are now, by name. For clones of files each must still be the pinned volume (S5).
pub(super) async fn source_datastores(
    deps: &Deps,
    vcenter: &str,
    members: &[&Member],
) -> Result<BTreeMap<String, inv::Datastore>> {
    let (all, _) = deps.ports.inventory.all_datastores().await?;
    let mut found = BTreeMap::new();
    for member in members {
        let datastore = pinned(&all, vcenter, member)?;
        let devices = crate::layout::devices_of(datastore).map_err(|why| {
            GatewayError::unsupported("DATASTORE_UNSUPPORTED", format!("[{}]: {why}", member.datastore))
        })?;
        let answer = deps.ports.storage.resolve_devices(devices).await?;
        let resolution = answer.resolutions.into_iter().next().unwrap_or_default();
        match resolution.volume {
            Some(volume) if volume.name == member.volume && volume.uuid == member.volume_uuid => {
                refuse_moved_root(member, &resolution.path_in_volume)?;
            }
            Some(volume) => {
                let message = format!(
                    "[{}] was {} (uuid {}) and is {} (uuid {}) now; the restore point is of another volume",
                    member.datastore, member.volume, member.volume_uuid, volume.name, volume.uuid
                );
                return Err(GatewayError::conflict("VOLUME_CHANGED", message).with("datastore", &member.datastore));
            }
            None => return Err(GatewayError::not_found("volume", &member.volume)),
        }
        found.insert(member.datastore.clone(), datastore.clone());
    }
    Ok(found)
}

/// The datastore of a member: the pinned one, or, for a record that pinned none, the only one of its name.
fn pinned<'d>(all: &'d [inv::Datastore], vcenter: &str, member: &Member) -> Result<&'d inv::Datastore> {
    if !member.datastore_name.is_empty() {
        let found = all.iter().find(|datastore| datastore.name == member.datastore_name);
        // vCenter gives another id when a datastore is mounted anew; its name and volume then tell.
        if let Some(found) = found.filter(|datastore| is_called(datastore, &member.datastore)) {
            return Ok(found);
        }
        if let Some(renamed) = found {
            let message = format!(
                "the datastore [{}] is called [{}] now, and the restore point's paths are of the old name",
                member.datastore, renamed.display_name
            );
            return Err(GatewayError::conflict("DATASTORE_RENAMED", message)
                .with("datastore", &renamed.name)
                .hint(format!("give it its name back: {}", member.datastore)));
        }
    }
    let prefix = format!("{vcenter}/");
    let named: Vec<&inv::Datastore> = all
        .iter()
        .filter(|datastore| datastore.name.starts_with(&prefix) && is_called(datastore, &member.datastore))
        .collect();
    match named.as_slice() {
        [only] => Ok(only),
        [] => Err(GatewayError::not_found("datastore", &member.datastore)),
        several => {
            let names: Vec<&str> = several.iter().map(|datastore| datastore.name.as_str()).collect();
            let message = format!(
                "{vcenter} has {} datastores named [{}], and the restore point does not say which it is of",
                several.len(),
                member.datastore
            );
            Err(GatewayError::conflict("DATASTORE_AMBIGUOUS", message)
                .with("datastores", names.join(","))
                .hint("rename the other one, or clone a newer restore point"))
        }
    }
}

/// By the name as it is written, or as vCenter escapes it in paths.
fn is_called(datastore: &inv::Datastore, name: &str) -> bool {
    datastore.display_name == name || datastore.display_name == shown_name(name)
}

/// Files are looked up in the snapshot below the datastore's root; another root would find others' files, or none.
fn refuse_moved_root(member: &Member, root_now: &str) -> Result<()> {
    if root_now.trim_matches('/') == member.path_in_volume.trim_matches('/') {
        return Ok(());
    }
    let message = format!(
        "[{}] was mounted from '/{}' of {} and is mounted from '/{}' now; the restore point's paths do not fit",
        member.datastore,
        member.path_in_volume.trim_matches('/'),
        member.volume,
        root_now.trim_matches('/')
    );
    Err(GatewayError::conflict("DATASTORE_ROOT_CHANGED", message).with("datastore", &member.datastore))
}

/// Folder, pool and host: the source's, or where it was.
async fn placement(deps: &Deps, point: &RestorePoint) -> Result<(String, String, String)> {
    Ok(match current_source(deps, point).await? {
        Some(vm) => (vm.folder_moref, vm.pool_moref, vm.host_moref),
        None => {
            let was = point.intent.placement.clone();
            (was.folder_moref, was.pool_moref, was.host_moref)
        }
    })
}

/// The source VM, where it still exists.
async fn current_source(deps: &Deps, point: &RestorePoint) -> Result<Option<inv::Vm>> {
    match deps.ports.inventory.get_vm(inv::GetVmRequest { name: point.intent.vm.clone() }).await {
        Ok(vm) => Ok(Some(vm)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A template has no pool: the root pool of its host's cluster serves.
pub(super) async fn pool_for(deps: &Deps, pool: &str, point: &RestorePoint, host: &str) -> Result<String> {
    if !pool.is_empty() {
        return Ok(pool.to_owned());
    }
    let hosts = deps.ports.inventory.all_hosts(&vcenter_of(&point.intent.vm, "snapshot")?).await?;
    let found = hosts.into_iter().find(|candidate| candidate.moref == host || host.is_empty());
    found.map(|host| host.root_pool_moref).ok_or_else(|| GatewayError::not_found("host", host))
}

/// Connected hosts that mount the source's datastores, with the addresses they mount from.
pub(super) async fn hosts_for(
    deps: &Deps,
    vcenter: &str,
    datastores: &BTreeMap<String, inv::Datastore>,
) -> Result<Vec<(String, Vec<String>)>> {
    let mounting: BTreeSet<&str> = datastores
        .values()
        .flat_map(|datastore| {
            datastore.mounts.iter().filter(|mount| mount.accessible).map(|mount| mount.host_moref.as_str())
        })
        .collect();
    let hosts: Vec<(String, Vec<String>)> = deps
        .ports
        .inventory
        .all_hosts(vcenter)
        .await?
        .into_iter()
        .filter(|host| mounting.contains(host.moref.as_str()) && host.connection_state == "connected")
        .map(|host| (host.moref, host.addresses))
        .collect();
    if hosts.is_empty() {
        let message = "no connected host mounts the source's datastores".to_owned();
        return Err(GatewayError::new(ErrorKind::Unavailable, "NO_HOST", message).with("vcenter", vcenter));
    }
    Ok(hosts)
}

/// Where everything of a clone lies.
struct Placing<'a> {
    point: &'a RestorePoint,
    display_name: &'a str,
    clone_id: &'a str,
    datastores: &'a BTreeMap<String, inv::Datastore>,
    by_volume: bool,
}

impl Placing<'_> {
    /// The targets on the array, and for each file of the point its copy's path.
    fn place(&self) -> Result<(Vec<CloneTarget>, BTreeMap<String, String>)> {
        let mut paths = BTreeMap::new();
        let mut targets = Vec::new();
        for (number, member) in self.point.intent.members.iter().enumerate() {
            let snapshot_id = point::member_on(&self.point.cut, &member.volume)?.snapshot_id.clone();
            let files = self.files_on(&member.datastore)?;
            let mut target = CloneTarget {
                volume: member.volume.clone(),
                snapshot_id,
                to_directory: String::new(),
                files: Vec::new(),
                datastore: String::new(),
                nfs_version: String::new(),
                path_in_volume: member.path_in_volume.clone(),
                lun_paths: Vec::new(),
                luns_in_place: false,
            };
            if self.by_volume {
                target.datastore = datastore_name(self.display_name, number + 1);
                target.nfs_version = nfs_version(self.datastores.get(&member.datastore));
                paths.extend(files.iter().map(|path| {
                    (path.to_string(), DatastorePath::new(target.datastore.clone(), path.path.clone()).to_string())
                }));
            } else {
                let directory = safe(self.display_name, 80);
                target.to_directory = volume_path(&member.path_in_volume, &directory);
                for (from, to) in spread(&files, &directory) {
                    let inside = |path: &DatastorePath| volume_path(&member.path_in_volume, &path.path);
                    target.files.push((inside(&from), inside(&to)));
                    paths.insert(from.to_string(), to.to_string());
                }
            }
            targets.push(target);
        }
        Ok((targets, paths))
    }

    /// All files of the point on a datastore: disks, and the .vmx and nvram where they lie there.
    fn files_on(&self, datastore: &str) -> Result<Vec<DatastorePath>> {
        let intent = &self.point.intent;
        let disks = intent.disks.iter().flat_map(|disk: &PointDisk| disk.files.iter());
        let all = disks.chain([&intent.vmx_path]).chain(&intent.nvram_path);
        let mut files: Vec<DatastorePath> =
            all.map(|path| path.parse().map_err(GatewayError::unexpected)).collect::<Result<_>>()?;
        files.retain(|path| path.datastore == datastore);
        files.sort();
        files.dedup();
        match files.is_empty() {
            false => Ok(files),
            true => Err(GatewayError::unexpected(format!(
                "{} has no file on [{datastore}]: {}",
                self.clone_id, self.point.id
            ))),
        }
    }
}

/// Every file in the one new directory; files of the same name from different directories go into directories of their own.
fn spread(files: &[DatastorePath], directory: &str) -> Vec<(DatastorePath, DatastorePath)> {
    let sources: BTreeSet<&str> = files.iter().map(|path| path.directory()).collect();
    let numbers: BTreeMap<&str, usize> =
        sources.into_iter().enumerate().map(|(number, source)| (source, number)).collect();
    let clash = |path: &DatastorePath| {
        files.iter().any(|other| other.file_name() == path.file_name() && other.directory() < path.directory())
    };
    // A disk's descriptor and its extents must stay together, so one clash moves the whole source directory.
    let moved: BTreeSet<&str> = files.iter().filter(|path| clash(path)).map(|path| path.directory()).collect();
    let target = |path: &DatastorePath| match moved.contains(path.directory()) {
        true => path.moved_to(&format!("{directory}/d{}", numbers[path.directory()])),
        false => path.moved_to(directory),
    };
    files.iter().map(|path| (path.clone(), as_vm(target(path)))).collect()
}

/// A template's configuration differs from a VM's by the name's end only, and vCenter registers by that end.
fn as_vm(path: DatastorePath) -> DatastorePath {
    match path.path.strip_suffix(".vmtx") {
        Some(stem) => DatastorePath::new(path.datastore.clone(), format!("{stem}.vmx")),
        None => path,
    }
}

/// A clone of a volume has the source's file names, and vCenter would register a .vmtx as a template.
fn refuse_template_by_volume(point: &RestorePoint, by_volume: bool) -> Result<()> {
    if !by_volume || !point.intent.vmx_path.ends_with(".vmtx") {
        return Ok(());
    }
    let message = format!(
        "{} is of a template, and a clone in a datastore of its own would be registered as a template too",
        point.display_name
    );
    Err(GatewayError::unsupported("TEMPLATE_BY_VOLUME", message)
        .with("snapshot", &point.display_name)
        .hint("clone its files where the array can: leave out --own-datastore")
        .hint("or convert the template to a VM, snapshot it and clone that"))
}

/// A name that is safe as a directory's or datastore's name on every array, at most `chars_max` long.
fn safe(name: &str, chars_max: usize) -> String {
    let kept = name.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' });
    let name: String = kept.take(chars_max).collect();
    match name.trim_start_matches('.') {
        "" => "clone".to_owned(),
        name => name.to_owned(),
    }
}

/// vCenter takes 42 bytes for a datastore's name; the VM's part is cut so that prefix and number have room.
pub(super) fn datastore_name(display_name: &str, number: usize) -> String {
    const PART_BYTES_MAX: usize = 29;
    let mut part = safe(display_name, 80);
    while part.len() > PART_BYTES_MAX {
        part.pop();
    }
    format!("strata-{part}-{number}")
}

/// A name that another datastore has would be found taken after the array's work is done; or, worse, be taken for ours.
async fn refuse_taken_datastores(deps: &Deps, vcenter: &str, targets: &[CloneTarget]) -> Result<()> {
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

pub(super) fn nfs_version(datastore: Option<&inv::Datastore>) -> String {
    match datastore.and_then(|datastore| datastore.backing.as_ref()).and_then(|backing| backing.kind.as_ref()) {
        Some(Kind::Nfs(nfs)) if !nfs.version.is_empty() => nfs.version.clone(),
        _ => "NFS".to_owned(),
    }
}

fn shown(intent: &CloneIntent, point: &RestorePoint) -> PlanResponse {
    let name = &intent.display_name;
    let mut steps = vec![step("verify", "check that the files in the snapshot are of this VM", "nothing to undo")];
    if intent.by_volume {
        let stores: Vec<String> = intent.targets.iter().map(|target| target.datastore.clone()).collect();
        let volumes: Vec<String> = intent.targets.iter().map(|target| target.volume.clone()).collect();
        steps.push(step(
            "array_clone",
            format!("clone {} on the array", words::list(&volumes, 4)),
            "remove the clones",
        ));
        steps.push(step("export", "export them to the hosts", "take the exports away"));
        let text = format!("mount {} on {} hosts", words::list(&stores, 4), intent.hosts.len());
        steps.push(step("present", text, "unmount them on every host"));
    } else {
        let count: usize = intent.targets.iter().map(|target| target.files.len()).sum();
        let text = format!("clone {count} files of the snapshot into {}", words::list(&intent.allowed_directories, 4));
        steps.push(step("array_clone", text, "remove those directories"));
    }
    steps.push(step("register", format!("register {} as {name}", intent.vmx_path), "take it out of the inventory"));
    steps.push(step("identity", format!("give {name} a new uuid and new MAC addresses"), "goes with the registration"));
    if intent.power_on {
        steps.push(step("power_on", format!("turn {name} on, adapters disconnected"), "turn it off"));
    }
    steps.push(step("record", "record the clone", "forget it"));
    let mut facts = vec![
        fact(
            "way",
            if intent.by_volume { "volumes: datastores of its own" } else { "files: in the source's datastores" },
        ),
        fact("grade", format!("{} (asked {})", point.cut.grade, point.intent.grade_asked)),
        fact("identity", format!("uuid {}, new MAC addresses, adapters disconnected", intent.bios_uuid)),
        fact("teardown", format!("strata clone delete {name}")),
    ];
    facts.extend(
        point.intent.excluded.iter().map(|disk| fact("excluded disk", format!("{}: {}", disk.label, disk.reason))),
    );
    if intent.by_volume && !point.intent.neighbours.is_empty() {
        let text =
            format!("the clone datastores hold copies of {} neighbours' files as well", point.intent.neighbours.len());
        facts.push(fact("tenancy", text));
    }
    PlanResponse {
        summary: format!("clone {} as {name}", point.display_name),
        steps,
        neighbours: words::neighbours(&point.intent.neighbours),
        facts,
        point_of_no_return: String::new(),
        undo_command: format!("strata clone delete {name}"),
        hash: hash_of(&[&point.id, name, &intent.vmx_path, &intent.allowed_directories.join(",")]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> DatastorePath {
        text.parse().unwrap()
    }

    /// As an older version wrote it, without what was added since.
    fn member(datastore_name: &str, root: &str) -> Member {
        serde_json::from_value(serde_json::json!({
            "volume": "arrays/a/volumes/v",
            "volume_uuid": "u",
            "datastore": "ds",
            "datastore_name": datastore_name,
            "path_in_volume": root,
            "evidence": "",
            "paths": [],
        }))
        .unwrap()
    }

    #[test]
    fn the_datastore_is_the_pinned_one() {
        let store = |name: &str, display_name: &str| inv::Datastore {
            name: name.into(),
            display_name: display_name.into(),
            ..Default::default()
        };
        let two = [store("vcenters/1/datastores/a", "ds"), store("vcenters/1/datastores/b", "ds")];
        let far = [store("vcenters/1/datastores/a", "ds"), store("vcenters/12/datastores/b", "ds")];
        let renamed = [store("vcenters/1/datastores/a", "new")];
        for (all, pin, expected) in [
            (&two[..], "vcenters/1/datastores/b", Ok("vcenters/1/datastores/b")),
            (&two, "", Err("DATASTORE_AMBIGUOUS")),
            (&two, "vcenters/1/datastores/gone", Err("DATASTORE_AMBIGUOUS")),
            (&two[..1], "vcenters/1/datastores/gone", Ok("vcenters/1/datastores/a")),
            (&far, "", Ok("vcenters/1/datastores/a")),
            (&renamed, "vcenters/1/datastores/a", Err("DATASTORE_RENAMED")),
            (&renamed, "", Err("DATASTORE_NOT_FOUND")),
        ] {
            let found = pinned(all, "vcenters/1", &member(pin, ""));
            assert_eq!(
                found.as_ref().map(|store| store.name.as_str()).map_err(|error| error.reason.as_str()),
                expected
            );
        }
    }

    #[test]
    fn a_datastores_root_must_be_as_it_was() {
        for (was, now, fits) in [("", "", true), ("a/b", "/a/b/", true), ("a", "", false), ("", "a", false)] {
            assert_eq!(refuse_moved_root(&member("", was), now).is_ok(), fits, "{was} {now}");
        }
    }

    #[test]
    fn files_with_the_same_name_do_not_meet() {
        let files =
            [path("[ds] a/x.vmdk"), path("[ds] a/x-flat.vmdk"), path("[ds] b/x.vmdk"), path("[ds] b/x-flat.vmdk")];
        let targets: Vec<String> = spread(&files, "new").into_iter().map(|(_, to)| to.path).collect();
        assert_eq!(targets, ["new/x.vmdk", "new/x-flat.vmdk", "new/d1/x.vmdk", "new/d1/x-flat.vmdk"]);
    }

    #[test]
    fn a_templates_configuration_becomes_a_vms() {
        for (from, to) in
            [("[ds] g/g.vmtx", "new/g.vmx"), ("[ds] g/g.vmx", "new/g.vmx"), ("[ds] g/g.vmdk", "new/g.vmdk")]
        {
            assert_eq!(spread(&[path(from)], "new")[0].1.path, to);
        }
    }

    #[test]
    fn names_become_directories() {
        for (name, expected) in
            [("web-01-t", "web-01-t"), ("a/b @:%#", "a_b_____"), ("größe", "größe"), ("..", "clone"), ("x y", "x_y")]
        {
            assert_eq!(safe(name, 80), expected);
        }
        assert_eq!(safe(&"x".repeat(200), 40).len(), 40);
        for name in ["web-01", &"x".repeat(80), &"ü".repeat(80), &"文".repeat(80)] {
            let name = datastore_name(name, 99_999);
            assert!(name.len() <= 42 && name.starts_with("strata-") && name.ends_with("-99999"), "{name}");
        }
    }
}
