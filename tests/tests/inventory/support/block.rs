//! Acts on block storage, each followed to its end: Pending is asked again with its resume, as the gateway does.

use strata_inventory_svc::{grpc::InventoryFace, topology::pb};
use strata_kit::status::ErrorReport;
use strata_proto::strata::common::v1::Pending;
use tonic::{Request, Status};

use pb::inventory_service_server::InventoryService as _;

/// The vCenter of the tests.
pub const VC: &str = "vcenters/vc-1";

/// More rounds than any act needs.
const ROUNDS_MAX: usize = 60;

/// Calls an act until it does not answer Pending any more.
macro_rules! to_its_end {
    ($face:expr, $act:ident, $request:expr) => {{
        let mut request = $request;
        let mut rounds = 0;
        loop {
            let answer = $face.$act(Request::new(request.clone())).await?.into_inner();
            let Some(Pending { resume, .. }) = &answer.pending else { break Ok(answer) };
            request.resume.clone_from(resume);
            rounds += 1;
            assert!(rounds < ROUNDS_MAX, "{} does not end: {answer:?}", stringify!($act));
        }
    }};
}

/// A datastore by its name.
pub async fn store_named(face: &InventoryFace, name: &str) -> Option<pb::Datastore> {
    let request = pb::ListDatastoresRequest { parent: VC.to_owned(), page_size: 1000, ..Default::default() };
    let stores = face.list_datastores(Request::new(request)).await.expect("a list").into_inner().datastores;
    stores.into_iter().find(|store| store.display_name == name)
}

/// The VMFS of a datastore that must be one.
pub fn vmfs_of(store: &pb::Datastore) -> pb::VmfsBacking {
    match store.backing.clone().and_then(|backing| backing.kind) {
        Some(pb::datastore_backing::Kind::Vmfs(vmfs)) => vmfs,
        other => panic!("{other:?}"),
    }
}

/// Ids of all hosts, by name.
pub async fn hosts(face: &InventoryFace) -> Vec<pb::Host> {
    let request = pb::ListHostsRequest { parent: VC.to_owned(), ..Default::default() };
    face.list_hosts(Request::new(request)).await.expect("a list").into_inner().hosts
}

/// Ids of these hosts.
pub fn ids(hosts: &[pb::Host]) -> Vec<String> {
    hosts.iter().map(|host| host.moref.clone()).collect()
}

/// A VMFS as a request names it.
pub fn backing(uuid: &str, devices: &[String]) -> pb::VmfsBacking {
    let extent = |device: &String| pb::VmfsExtent { canonical_name: device.clone(), partition: 0 };
    pb::VmfsBacking { uuid: uuid.to_owned(), extents: devices.iter().map(extent).collect(), label: String::new() }
}

/// What an error says to machines.
pub fn reason(status: &Status) -> String {
    ErrorReport::from_status(status).reason
}

/// PresentVolume of a copy.
pub async fn present(
    face: &InventoryFace,
    name: &str,
    source_uuid: &str,
    devices: &[String],
    hosts: &[String],
) -> Result<pb::Datastore, Status> {
    let copy = pb::VmfsCopy { source_uuid: source_uuid.to_owned(), devices: devices.to_vec() };
    let request = pb::PresentVolumeRequest {
        vcenter: VC.to_owned(),
        datastore_name: name.to_owned(),
        source: Some(pb::present_volume_request::Source::Vmfs(copy)),
        host_morefs: hosts.to_vec(),
        ..Default::default()
    };
    let answer: Result<pb::PresentVolumeResponse, Status> = to_its_end!(face, present_volume, request);
    Ok(answer?.datastore.expect("a datastore"))
}

/// DetachDatastore of a VMFS.
pub async fn detach(
    face: &InventoryFace,
    vmfs: pb::VmfsBacking,
    hosts: &[String],
) -> Result<pb::DetachDatastoreResponse, Status> {
    let request = pb::DetachDatastoreRequest {
        vcenter: VC.to_owned(),
        datastore_name: "whatever it is called".to_owned(),
        backing: Some(pb::detach_datastore_request::Backing::Vmfs(vmfs)),
        host_morefs: hosts.to_vec(),
        ..Default::default()
    };
    to_its_end!(face, detach_datastore, request)
}

/// ForgetDevices.
pub async fn forget(
    face: &InventoryFace,
    vmfs_uuid: &str,
    devices: &[String],
    hosts: &[String],
) -> Result<pb::ForgetDevicesResponse, Status> {
    let request = pb::ForgetDevicesRequest {
        vcenter: VC.to_owned(),
        devices: devices.to_vec(),
        vmfs_uuid: vmfs_uuid.to_owned(),
        host_morefs: hosts.to_vec(),
        ..Default::default()
    };
    to_its_end!(face, forget_devices, request)
}

/// AttachDatastore.
pub async fn attach(face: &InventoryFace, vmfs: pb::VmfsBacking, hosts: &[String]) -> Result<pb::Datastore, Status> {
    let request = pb::AttachDatastoreRequest {
        vcenter: VC.to_owned(),
        vmfs: Some(vmfs),
        host_morefs: hosts.to_vec(),
        ..Default::default()
    };
    let answer: Result<pb::AttachDatastoreResponse, Status> = to_its_end!(face, attach_datastore, request);
    Ok(answer?.datastore.expect("a datastore"))
}

/// ObserveDevices on all hosts.
pub async fn observe(face: &InventoryFace, devices: &[String]) -> pb::ObserveDevicesResponse {
    let request =
        pb::ObserveDevicesRequest { vcenter: VC.to_owned(), devices: devices.to_vec(), host_morefs: Vec::new() };
    face.observe_devices(Request::new(request)).await.expect("a look").into_inner()
}

/// SwapVmDisks.
pub async fn swap(face: &InventoryFace, vm: &str, swaps: &[(&str, &str)]) -> Result<pb::SwapVmDisksResponse, Status> {
    let mapping =
        |(from, to): &(&str, &str)| pb::PathMapping { from_path: (*from).to_owned(), to_path: (*to).to_owned() };
    let request =
        pb::SwapVmDisksRequest { vm: vm.to_owned(), swaps: swaps.iter().map(mapping).collect(), ..Default::default() };
    to_its_end!(face, swap_vm_disks, request)
}

/// RelocateVmDisks of one disk.
pub async fn relocate(
    face: &InventoryFace,
    vm: &str,
    disk: &pb::Disk,
    datastore: &str,
) -> Result<pb::RelocateVmDisksResponse, Status> {
    let from_path = disk.chain.first().cloned().unwrap_or_default();
    let one = pb::DiskRelocation { from_path, disk_key: disk.key, datastore: datastore.to_owned() };
    let request = pb::RelocateVmDisksRequest { vm: vm.to_owned(), disks: vec![one], ..Default::default() };
    to_its_end!(face, relocate_vm_disks, request)
}

/// RevertVmSnapshot.
pub async fn revert(face: &InventoryFace, own: &pb::OwnVm, name: &str) -> Result<pb::RevertVmSnapshotResponse, Status> {
    let request = pb::RevertVmSnapshotRequest {
        own_vm: Some(own.clone()),
        vm_snapshot_name: name.to_owned(),
        allowed_directories: vec!["[copy] web/".to_owned()],
        ..Default::default()
    };
    to_its_end!(face, revert_vm_snapshot, request)
}

/// RemoveVmSnapshots of a VM of ours.
pub async fn remove_snapshots(face: &InventoryFace, own: &pb::OwnVm) -> Result<pb::RemoveVmSnapshotsResponse, Status> {
    let request = pb::RemoveVmSnapshotsRequest { own_vm: Some(own.clone()), ..Default::default() };
    to_its_end!(face, remove_vm_snapshots, request)
}
