//! RegisterVm: rewrites a copied .vmx and registers the VM; afterwards nothing of it may lie outside its own directories
//! (safety.md S16).
//!
//! Crash states: 1. the .vmx is as copied. 2. it is rewritten: our key stands in it, and so does what was taken out. 3. the
//! task runs: the caller has its id, or vCenter answers AlreadyExists or TaskInProgress and we look again. 4. the VM is
//! registered: found by its .vmx and key.

use super::{own_vm, pending, vm_files};
use crate::{
    soap::MoRef,
    topology::{
        devices, pb,
        places::{Places, escape, unescape},
        read::{VmRead, read_vm_by_ref},
        vm::STRATA_KEY,
    },
    vcenter::{Client, Error, Refusal, folder::Registration},
    vcenters::Vcenters,
    vmx::{CloneRewrite, STRIPPED_KEY, Vmx, rewrite_for_clone},
};
use std::collections::{BTreeMap, BTreeSet};
use strata_model::DatastorePath;

/// The act.
///
/// # Errors
/// A bad request, a .vmx that cannot be read or rewritten, vCenter refuses, or the VM refers to files outside.
pub async fn run(vcenters: Vcenters, request: pb::RegisterVmRequest) -> Result<pb::RegisterVmResponse, Error> {
    let client = vcenters.by_name("vcenter", &request.vcenter)?;
    let key = own_vm::key("key", &request.key)?.to_owned();
    let path = own_vm::vmx_path("vmx_path", &request.vmx_path)?;
    check(&request)?;
    let places = Places::read(&client).await?;
    let pool = MoRef::new("ResourcePool", request.pool_moref.clone());
    let folder = MoRef::new("Folder", request.folder_moref.clone());
    let datacenter = places.datacenter(&folder).map(|found| found.moref);
    let store = vm_files::store(&client, &places, &path.datastore, datacenter.as_ref())?;
    if request.resume.is_empty()
        && let Some(found) = own_vm::find(&client, &path, &key).await?
    {
        return finish(&client, &request, &store.datacenter_path, &path, found).await;
    }
    let host = (!request.host_moref.is_empty()).then(|| MoRef::new("HostSystem", request.host_moref.clone()));
    let name = escape(&request.display_name);
    let start = async {
        rewrite(&client, &request, &places, &store.datacenter_path, &path).await?;
        let registration = Registration {
            vmx_path: &request.vmx_path,
            name: &name,
            folder: &folder,
            pool: &pool,
            host: host.as_ref(),
        };
        client.register_vm(&registration).await
    };
    let object = path.to_string();
    match pending::follow(&client, &request.resume, "registration", &object, start).await {
        Ok(pending::Progress::Pending(pending)) => {
            return Ok(pb::RegisterVmResponse { pending: Some(pending), ..Default::default() });
        }
        Ok(pending::Progress::Done(_)) => {}
        // A task of ours whose id was lost.
        Err(error) if error.is_fault("AlreadyExists") => {}
        Err(error) => return Err(error),
    }
    match own_vm::find(&client, &path, &key).await? {
        Some(found) => finish(&client, &request, &store.datacenter_path, &path, found).await,
        None => {
            let text = format!(
                "vCenter {} registered {path}, and no VM is registered from it; repeat the call",
                client.name()
            );
            Err(Refusal::new(strata_model::ErrorKind::Unavailable, "VM_NOT_SEEN", text).into())
        }
    }
}

fn check(request: &pb::RegisterVmRequest) -> Result<(), Error> {
    for (field, text) in [
        ("display_name", &request.display_name),
        ("folder_moref", &request.folder_moref),
        ("pool_moref", &request.pool_moref),
    ] {
        if text.is_empty() {
            return Err(Refusal::invalid(field, format!("{field} must not be empty")).into());
        }
    }
    if request.vmx_path.to_ascii_lowercase().ends_with(".vmtx") {
        let text = format!("'{}' is a template's file; copy it to a name that ends with .vmx", request.vmx_path);
        return Err(Refusal::invalid("vmx_path", text).into());
    }
    if request.display_name.chars().count() > 80 {
        return Err(Refusal::invalid("display_name", "display_name must not be longer than 80 characters").into());
    }
    if request.allowed_directories.is_empty() {
        return Err(
            Refusal::invalid("allowed_directories", "allowed_directories must name the clone's directories").into()
        );
    }
    Ok(())
}

/// Empties the list of VMware snapshots beside a .vmx. Without one the copy has none anyway.
async fn forget_vm_snapshots(client: &Client, datacenter_path: &str, path: &DatastorePath) -> Result<(), Error> {
    let Some(stem) = path.path.strip_suffix(".vmx") else { return Ok(()) };
    let list = DatastorePath::new(path.datastore.clone(), format!("{stem}.vmsd"));
    match client.read_file(datacenter_path, &list).await {
        Ok(_) => {
            let empty = bytes::Bytes::from_static(b".encoding = \"UTF-8\"\nsnapshot.numSnapshots = \"0\"\n");
            client.write_file(datacenter_path, &list, empty).await
        }
        Err(error) if error.kind() == strata_model::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Rewrites the .vmx in place, unless it was done.
async fn rewrite(
    client: &Client,
    request: &pb::RegisterVmRequest,
    places: &Places,
    datacenter_path: &str,
    path: &DatastorePath,
) -> Result<(), Error> {
    let bytes = client.read_file(datacenter_path, path).await?;
    let unreadable = |reason: String| {
        let text = format!("{path} cannot be rewritten for a clone: {reason}");
        Refusal::conflict("VMX_NOT_USABLE", text).and("file", path.to_string())
    };
    let mut vmx = Vmx::parse(&bytes).map_err(&unreadable)?;
    if vmx.get(STRATA_KEY) == Some(request.key.as_str()) && vmx.get(STRIPPED_KEY).is_some() {
        return Ok(());
    }
    if request.forget_vm_snapshots {
        // Written before our key, so that it is done again where it was not.
        forget_vm_snapshots(client, datacenter_path, path).await?;
    }
    let mut disks = BTreeMap::new();
    for mapping in &request.disks {
        let read = |text: &str| text.parse::<DatastorePath>().map_err(|error| Refusal::invalid("disks", error));
        disks.insert(read(&mapping.from_path)?, read(&mapping.to_path)?);
    }
    let source_vmx_path = match request.source_vmx_path.as_str() {
        "" => None,
        text => Some(own_vm::vmx_path("source_vmx_path", text)?),
    };
    let wish = CloneRewrite {
        key: &request.key,
        display_name: &request.display_name,
        vmx_path: path,
        disks: &disks,
        source_vmx_path: source_vmx_path.as_ref(),
        volumes: &volumes(places),
    };
    rewrite_for_clone(&mut vmx, &wish).map_err(&unreadable)?;
    let bytes = vmx.to_bytes().map_err(&unreadable)?;
    client.write_file(datacenter_path, path, bytes.into()).await
}

/// Uuid and name of every datastore, from `ds:///vmfs/volumes/<uuid>/` (DatastoreSummary.url).
fn volumes(places: &Places) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for store in places.of_kind("Datastore") {
        let url = store.get("summary").and_then(|summary| summary.text_at("url")).unwrap_or_default();
        if let Some((_, uuid)) = url.split_once("/vmfs/volumes/") {
            // A path may write the name as vCenter escapes it, or as it is.
            for name in [store.text("name").to_owned(), unescape(store.text("name"))] {
                found.insert((uuid.trim_end_matches('/').to_owned(), name));
            }
        }
    }
    found
}

/// Looks at what is registered; takes it out again where it refers to anything outside.
async fn finish(
    client: &Client,
    request: &pb::RegisterVmRequest,
    datacenter_path: &str,
    path: &DatastorePath,
    mut found: VmRead,
) -> Result<pb::RegisterVmResponse, Error> {
    let object = format!("VM {}", found.vm.display_name);
    let outside = outside(&found, &request.allowed_directories);
    if !outside.is_empty() {
        client.unregister(&found.moref, &object).await?;
        let text = format!(
            "VM {} refers to files outside of the clone: {}; it was taken out of the inventory again",
            request.display_name,
            outside.join(", ")
        );
        return Err(Refusal::conflict("VM_REFERS_OUTSIDE", text).and("file", path.to_string()).into());
    }
    if found.vm.strata_key != request.key {
        let task = client
            .reconfigure(&found.moref, &object, |spec| {
                spec.element("extraConfig", |option| {
                    option.text("key", STRATA_KEY).typed_text("value", "xsd:string", &request.key);
                });
            })
            .await?;
        client.finish_task(&task, "mark", &object).await?;
        found = read_vm_by_ref(client, &found.moref).await?;
    }
    let bytes = client.read_file(datacenter_path, path).await?;
    let stripped = Vmx::parse(&bytes).ok().map(|vmx| vmx.stripped()).unwrap_or_default();
    Ok(pb::RegisterVmResponse { pending: None, vm: Some(found.vm), stripped })
}

/// Every raw device, and every file and directory that lies in none of the allowed directories.
pub(super) fn outside(vm: &VmRead, allowed: &[String]) -> Vec<String> {
    let closed = |directory: &str| format!("{}/", directory.trim_end_matches('/'));
    let allowed: Vec<String> = allowed.iter().map(|directory| closed(directory)).collect();
    let is_inside = |path: &str| allowed.iter().any(|directory| path.starts_with(directory.as_str()));
    let devices = vm.properties.items("config.hardware.device");
    let disks = devices::disks(devices, &|_| String::new());
    let is_raw = |disk: &&pb::Disk| matches!(disk.kind(), pb::DiskKind::RdmVirtual | pb::DiskKind::RdmPhysical);
    let raw: Vec<String> = disks
        .iter()
        .filter(is_raw)
        .map(|disk| format!("raw device {} at {}", disk.device_name, disk.address))
        .collect();
    let mut paths: Vec<String> = disks.into_iter().flat_map(|disk| disk.chain).collect();
    // Images, floppies and ports that are files.
    let others = devices.iter().filter(|device| device.xsi_type != "VirtualDisk");
    let files = others.filter_map(|device| device.text_at("backing.fileName"));
    paths.extend(files.filter(|path| path.starts_with('[')).map(str::to_owned));
    for kind in ["snapshotDirectory", "suspendDirectory", "logDirectory"] {
        let directory = vm.properties.text(&format!("config.files.{kind}"));
        if let Ok(directory) = directory.parse::<DatastorePath>() {
            paths.push(closed(&directory.to_string()));
        }
    }
    paths.retain(|path| !is_inside(path));
    paths.extend(raw);
    paths
}
