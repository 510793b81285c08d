//! Acts on block storage against the project's own simulated vCenter: hosts that do not answer, answers that get lost, and
//! the whole way of a VM onto a copy and home again. A host that loses a device in use is harm, and fails a test.

use crate::support::{
    block::{
        VC, attach, backing, detach, forget, hosts, observe, present, reason, relocate, remove_snapshots, revert,
        store_named, swap, vmfs_of,
    },
    san::San,
};
use pb::inventory_service_server::InventoryService as _;
use std::collections::BTreeMap;
use strata_inventory_svc::{grpc::InventoryFace, soap::MoRef, topology::pb, vcenter::property_spec::Properties};
use strata_kit::status::ErrorReport;
use strata_proto::strata::common::v1::Grade;
use tonic::Request;

async fn vm_named(face: &InventoryFace, name: &str) -> pb::Vm {
    let list = pb::ListVmsRequest { parent: VC.to_owned(), display_name: name.to_owned(), ..Default::default() };
    face.list_vms(Request::new(list)).await.expect("a list").into_inner().vms.remove(0)
}

async fn topology(face: &InventoryFace, name: &str) -> pb::VmTopology {
    topology_of(face, &vm_named(face, name).await.name).await
}

async fn topology_of(face: &InventoryFace, name: &str) -> pb::VmTopology {
    let request = pb::GetVmTopologyRequest { name: name.to_owned(), skip_browse: false };
    face.get_vm_topology(Request::new(request)).await.expect("a topology").into_inner()
}

#[tokio::test]
async fn a_topology_reaches_down_to_the_devices() {
    let san = San::new();
    let found = topology(&san.sim.face, "raw").await;
    assert_eq!(found.gaps, [] as [String; 0]);
    let raw = found.disks.iter().find(|disk| disk.kind() == pb::DiskKind::RdmPhysical).unwrap();
    assert!(raw.device_name.starts_with("naa."), "{raw:?}");
    assert_eq!(observe(&san.sim.face, std::slice::from_ref(&raw.device_name)).await.devices.len(), 2);
    let tenants: Vec<&str> = found.tenants.iter().map(|tenant| tenant.display_name.as_str()).collect();
    assert_eq!(tenants, ["db", "web"]);
    let adapters: Vec<(String, pb::AdapterKind)> =
        hosts(&san.sim.face).await[0].adapters.iter().map(|one| (one.initiator.clone(), one.kind())).collect();
    let known: Vec<String> = san
        .sim
        .vc
        .with(|state| state.hosts.values().next().unwrap().san.adapters.iter().map(|a| a.initiator.clone()).collect());
    for (initiator, kind) in &adapters {
        assert!(known.contains(initiator), "{initiator} {known:?}");
        assert_eq!(initiator.starts_with("iqn."), *kind == pb::AdapterKind::Iscsi);
    }
    assert_eq!(adapters.len(), known.len());
}

#[tokio::test]
async fn each_host_rescans_once_and_only_where_the_source_is() {
    let san = San::new();
    let source = san.vmfs("wide").await.uuid;
    let devices = san.clone_and_map("c1", &["wide1", "wide2"]);
    san.sim.lossy.forget();
    present(&san.sim.face, "copy", &source, &devices, &san.hosts().await).await.unwrap();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for method in san.sim.lossy.changes() {
        *counts.entry(method).or_default() += 1;
    }
    assert_eq!(counts.get("RescanAllHba"), None, "{counts:?}");
    assert_eq!(counts.get("ResignatureUnresolvedVmfsVolume_Task"), Some(&1), "{counts:?}");
    let leading = san.sim.vc.with(|state| {
        let paths = |host: &strata_sim::world::compute::inventory::Host| {
            let source = host.san.devices.values().find(|device| !devices.contains(&device.name)).unwrap();
            source.paths.iter().map(|path| path.adapter.clone()).collect::<std::collections::BTreeSet<_>>().len()
        };
        state.hosts.values().map(paths).sum::<usize>()
    });
    assert_eq!(counts.get("RescanHba"), Some(&leading), "{counts:?}");
    assert!(counts["RescanVmfs"] <= 2, "{counts:?}");
}

#[tokio::test]
async fn a_rescan_that_takes_longer_than_a_call_is_no_failure() {
    for method in ["RescanHba", "RescanVmfs"] {
        let san = San::new();
        let (face, all) = (&san.sim.face, san.hosts().await);
        let source = san.vmfs("vmfs1").await.uuid;
        let devices = san.clone_and_map("c1", &["lun1"]);
        san.sim.lossy.be_late(method);
        let store = present(face, "copy", &source, &devices, &all).await.unwrap();
        detach(face, vmfs_of(&store), &all).await.unwrap();
        san.unmap(&devices);
        san.sim.lossy.be_late(method);
        forget(face, &vmfs_of(&store).uuid, &devices, &all).await.unwrap();
        assert_eq!(san.harm(), [] as [String; 0], "{method}");
    }
}

/// Sends an act until it succeeds once; more than one failure is one too many, since one answer gets lost.
macro_rules! at_most_twice {
    ($act:expr) => {
        match $act.await {
            Ok(answer) => answer,
            Err(_) => $act.await.unwrap_or_else(|error| panic!("the second call failed too: {error}")),
        }
    };
}

/// The life of a copy with one answer lost, whichever: nothing is done twice that cannot be, and nothing stays behind.
#[tokio::test]
async fn a_lost_answer_changes_nothing_in_the_life_of_a_copy() {
    let mut number = 0;
    loop {
        let san = San::new();
        let (face, all) = (&san.sim.face, san.hosts().await);
        let source = san.vmfs("wide").await;
        let devices = san.clone_and_map("c1", &["wide1", "wide2"]);
        san.sim.lossy.lose(number);
        let store = at_most_twice!(present(face, "copy", &source.uuid, &devices, &all));
        let copy = backing(&vmfs_of(&store).uuid, &devices);
        let let_go = at_most_twice!(detach(face, copy.clone(), &all));
        assert!(let_go.devices.len() == 4 && let_go.devices.iter().all(|device| device.detached), "{let_go:?}");
        san.unmap(&devices);
        at_most_twice!(forget(face, &copy.uuid, &devices, &all));
        assert_eq!(store_named(face, "copy").await, None);
        assert_eq!(observe(face, &devices).await, pb::ObserveDevicesResponse::default());
        assert_eq!(san.vmfs("wide").await, source);
        assert_eq!(
            san.harm(),
            [] as [String; 0],
            "the answer to change {number} was lost: {:?}",
            san.sim.lossy.changes()
        );
        if san.sim.lossy.lost() == 0 {
            break;
        }
        number += 1;
    }
    assert!(number > 10, "only {number} answers could be lost");
}

/// Safety rule S19.
#[tokio::test]
async fn s19_a_host_that_does_not_answer_keeps_the_array_from_unmapping() {
    let san = San::new();
    let (face, all) = (&san.sim.face, san.hosts().await);
    let connect = |state: &str| san.sim.vc.with(|vcenter| vcenter.set_host_connection("esx2.example", state));
    let source = san.vmfs("wide").await.uuid;
    let devices = san.clone_and_map("c1", &["wide1", "wide2"]);
    connect("notResponding");
    let error = present(face, "copy", &source, &devices, &all).await.unwrap_err();
    assert_eq!(reason(&error), "HOST_UNAVAILABLE", "{error}");
    connect("connected");
    let copy = backing(&vmfs_of(&present(face, "copy", &source, &devices, &all).await.unwrap()).uuid, &devices);
    connect("notResponding");
    for _ in 0..2 {
        // Nobody named the silent host: it is known to see the devices.
        let error = detach(face, copy.clone(), &all[..1]).await.unwrap_err();
        let report = ErrorReport::from_status(&error);
        assert_eq!(report.reason, "HOST_UNAVAILABLE", "{error}");
        assert!(error.message().contains("esx2.example"), "{error}");
        let said = |key: &str| report.metadata.get(key).cloned().unwrap_or_default();
        assert_eq!((said("host"), said("hosts_done")), ("esx2.example".to_owned(), "esx1.example".to_owned()));
        let seen = observe(face, &devices).await;
        assert_eq!(seen.silent_hosts.len(), 1);
        assert!(seen.devices.iter().all(|device| device.detached == (device.host == "esx1.example")), "{seen:?}");
    }
    let unknown = detach(face, copy.clone(), &["host-none".to_owned()]).await.unwrap_err();
    assert_eq!(reason(&unknown), "HOST_NOT_FOUND", "{unknown}");
    connect("connected");
    assert_eq!(detach(face, copy.clone(), &all[..1]).await.unwrap().devices.len(), 4);
    san.unmap(&devices);
    connect("notResponding");
    let error = forget(face, &copy.uuid, &devices, &all).await.unwrap_err();
    assert_eq!(reason(&error), "HOST_UNAVAILABLE", "{error}");
    connect("connected");
    assert_eq!(forget(face, &copy.uuid, &devices, &all).await.unwrap().hosts_done.len(), 2);
    assert_eq!(san.harm(), [] as [String; 0]);
}

#[tokio::test]
async fn two_copies_are_named_and_neither_gets_a_signature() {
    let san = San::new();
    let (face, all) = (&san.sim.face, san.hosts().await);
    let source = san.vmfs("vmfs1").await.uuid;
    let (one, two) = (san.clone_and_map("c1", &["lun1"]), san.clone_and_map("c2", &["lun1"]));
    for (own, other) in [(&one, &two), (&two, &one)] {
        let error = present(face, "copy", &source, own, &all).await.unwrap_err();
        assert_eq!(reason(&error), "VMFS_COPIES_AMBIGUOUS", "{error}");
        assert!(error.message().contains(&other[0]), "{error}");
    }
    // One of them goes the whole way out without ever having had a signature.
    detach(face, backing("", &two), &all).await.unwrap();
    san.unmap(&two);
    forget(face, "", &two, &all).await.unwrap();
    present(face, "copy", &source, &one, &all).await.unwrap();
    assert_eq!(san.harm(), [] as [String; 0]);
}

/// Safety rule S21, the part of inventory-svc: a volume goes back only when every host let go, and is taken back after.
#[tokio::test]
async fn a_volume_is_restored_between_detach_and_attach() {
    let san = San::new();
    let (face, all) = (&san.sim.face, san.hosts().await);
    let vmfs = san.vmfs("wide").await;
    let devices: Vec<String> = vmfs.extents.iter().map(|extent| extent.canonical_name.clone()).collect();
    let big = vm_named(face, "big").await;
    power(face, &big.name, pb::PowerAction::On).await;
    san.sim.vc.guest_write("big", 0, 0, b"good").unwrap();
    let before = san.snapshot();
    san.sim.vc.guest_write("big", 0, 0, b"evil").unwrap();
    power(face, &big.name, pb::PowerAction::Off).await;
    let in_use = detach(face, vmfs.clone(), &all).await.unwrap_err();
    assert_eq!(reason(&in_use), "DATASTORE_IN_USE", "{in_use}");
    let client = &san.sim.client;
    client.unregister(&MoRef::new("VirtualMachine", big.moref.as_str()), "VM big").await.unwrap();
    detach(face, vmfs.clone(), &all).await.unwrap();
    assert!(observe(face, &devices).await.devices.iter().all(|device| device.detached && !device.mounted));
    san.restore(&["wide1", "wide2"], before);
    let mut number = 0;
    loop {
        san.sim.lossy.lose(number);
        let store = at_most_twice!(attach(face, vmfs.clone(), &all));
        assert_eq!(vmfs_of(&store), vmfs);
        assert!(store.mounts.len() == 2 && store.mounts.iter().all(|mount| mount.accessible), "{store:?}");
        if san.sim.lossy.lost() == 0 {
            break;
        }
        san.sim.lossy.forget();
        detach(face, vmfs.clone(), &all).await.unwrap();
        number += 1;
    }
    assert!(number >= 8, "only {number} answers could be lost");
    let content = san.read_lun("wide1", "files/big/big-flat.vmdk", 4);
    assert_eq!((content.as_slice(), san.harm()), (&b"good"[..], Vec::new()));
}

#[tokio::test]
async fn a_copy_goes_to_its_folder_and_keeps_the_name_that_it_is_given() {
    let san = San::new();
    let (face, all) = (&san.sim.face, san.hosts().await);
    let source = san.vmfs("vmfs1").await.uuid;
    let devices = san.clone_and_map("c1", &["lun1"]);
    let folder = datastore_folder(&san).await;
    let request = pb::PresentVolumeRequest {
        vcenter: VC.to_owned(),
        datastore_name: "copy".to_owned(),
        source: Some(pb::present_volume_request::Source::Vmfs(pb::VmfsCopy { source_uuid: source, devices })),
        host_morefs: all,
        folder_moref: folder.value.clone(),
        ..Default::default()
    };
    let mut store = pb::Datastore::default();
    for _ in 0..2 {
        let answer = face.present_volume(Request::new(request.clone())).await.unwrap().into_inner();
        store = answer.datastore.unwrap();
        let parent = Properties { kind: "Datastore", paths: &["parent"] };
        let moref = MoRef::new("Datastore", store.moref.as_str());
        let found = san.sim.client.retrieve_one(parent, &moref, "datastore").await.unwrap();
        assert_eq!(found.moref("parent"), Some(folder.clone()));
    }
    let rename = |name: &str, vmfs_uuid: &str| {
        let (datastore, datastore_name) = (store.name.clone(), name.to_owned());
        Request::new(pb::RenameDatastoreRequest { datastore, datastore_name, vmfs_uuid: vmfs_uuid.to_owned() })
    };
    let uuid = vmfs_of(&store).uuid;
    for _ in 0..2 {
        let renamed = face.rename_datastore(rename("pinned", &uuid)).await.unwrap().into_inner().datastore.unwrap();
        assert_eq!((renamed.display_name.as_str(), &renamed.moref), ("pinned", &store.moref));
    }
    for (name, uuid, expected) in [
        ("wide", uuid.as_str(), "DATASTORE_NAME_TAKEN"),
        ("other", "x", "VMFS_IS_ANOTHER"),
        ("a/b", "", "INVALID_FIELD"),
    ] {
        assert_eq!(reason(&face.rename_datastore(rename(name, uuid)).await.unwrap_err()), expected, "{name}");
    }
}

/// A folder of datastores made for this.
async fn datastore_folder(san: &San) -> MoRef {
    let client = &san.sim.client;
    let datacenters = [Properties { kind: "Datacenter", paths: &["datastoreFolder"] }];
    let found =
        client.retrieve_all(&["Datacenter"], &datacenters, Vec::new(), "datacenters").await.expect("a datacenter");
    let root = found[0].moref("datastoreFolder").expect("a folder");
    let above = strata_sim::world::compute::value::MoRef::new("Folder", &root.value);
    MoRef::new("Folder", san.sim.vc.with(|state| state.ensure_folder(&above, "Strata")))
}

async fn power(face: &InventoryFace, vm: &str, action: pb::PowerAction) {
    let request = pb::SetVmPowerRequest { vm: vm.to_owned(), action: action.into(), ..Default::default() };
    at_most_twice!(face.set_vm_power(Request::new(request.clone())));
}

/// A VM whose disk is swapped to a copy, runs there, and goes home under its own feet, with one answer lost, whichever.
#[tokio::test]
async fn a_vm_runs_on_a_copy_and_goes_home() {
    let mut number = 0;
    loop {
        let san = San::new();
        let (face, all) = (&san.sim.face, san.hosts().await);
        san.sim.vc.guest_write("web", 0, 0, b"good").unwrap();
        let source = san.vmfs("vmfs1").await.uuid;
        let devices = san.clone_and_map("c1", &["lun1"]);
        san.sim.vc.guest_write("web", 0, 0, b"evil").unwrap();
        let home = store_named(face, "vmfs1").await.unwrap().name;
        let store = present(face, "copy", &source, &devices, &all).await.unwrap();
        let vm = vm_named(face, "web").await.name;
        let (old, new) = ("[vmfs1] web/web.vmdk", "[copy] web/web.vmdk");
        assert_eq!(reason(&swap(face, &vm, &[(old, new)]).await.unwrap_err()), "VM_NOT_OFF");
        power(face, &vm, pb::PowerAction::Off).await;
        // Home must be free for what comes back, and the old disk is the undo.
        let aside = "[vmfs1] web/.strata-aside-r-1/web.vmdk";
        let moves = vec![pb::PathMapping { from_path: old.to_owned(), to_path: aside.to_owned() }];
        face.move_disks(Request::new(pb::MoveDisksRequest { vm: vm.clone(), moves })).await.unwrap();
        san.sim.lossy.lose(number);
        let swapped = at_most_twice!(swap(face, &vm, &[(old, new)]));
        let disk = swapped.disks[0].clone();
        assert_eq!((disk.chain.as_slice(), disk.address.as_str()), (&[new.to_owned()][..], "scsi0:0"));
        assert_eq!(san.sim.vc.guest_read("web", 0, 0, 4).unwrap(), b"good");
        power(face, &vm, pb::PowerAction::On).await;
        let moved = at_most_twice!(relocate(face, &vm, &disk, &home));
        assert!(moved.disks[0].chain[0].starts_with("[vmfs1] "), "{moved:?}");
        assert_eq!((moved.disks[0].key, moved.disks[0].datastore.as_str()), (disk.key, home.as_str()));
        assert_eq!(relocate(face, &vm, &disk, &home).await.unwrap(), moved, "a repeated call moves nothing");
        assert_eq!(san.sim.vc.guest_read("web", 0, 0, 4).unwrap(), b"good");
        let lost = san.sim.lossy.lost();
        san.sim.lossy.forget();
        let files = pb::FindVmFilesRequest {
            vcenter: VC.to_owned(),
            datastore: "vmfs1".to_owned(),
            directory: "web".to_owned(),
            patterns: vec!["*.vmdk".to_owned()],
        };
        let files = face.find_vm_files(Request::new(files)).await.unwrap().into_inner().files;
        assert!(files.iter().any(|file| file.path == aside), "the old disk stays until somebody removes it: {files:?}");
        detach(face, vmfs_of(&store), &all).await.unwrap();
        san.unmap(&devices);
        forget(face, &vmfs_of(&store).uuid, &devices, &all).await.unwrap();
        assert_eq!(san.harm(), [] as [String; 0], "the answer to change {number} was lost");
        if lost == 0 {
            break;
        }
        number += 1;
    }
    assert!(number >= 2, "only {number} answers could be lost");
}

/// In a quiesced copy the good image is below the delta (safety rule S12). With one answer lost, whichever: what was reverted
/// and not made harmless is known again, and never taken for the source.
#[tokio::test]
async fn s12_a_copy_goes_back_to_the_quiesced_image_that_it_contains() {
    let mut number = 0;
    while revert_with_a_lost_answer(number).await {
        number += 1;
    }
    assert!(number >= 2, "only {number} answers could be lost");
}

/// Whether there was an answer with this number to lose.
async fn revert_with_a_lost_answer(number: usize) -> bool {
    let san = San::new();
    let (face, all) = (&san.sim.face, san.hosts().await);
    let web = vm_named(face, "web").await;
    san.sim.vc.guest_write("web", 0, 0, b"good").expect("an answer");
    let quiesce = pb::QuiesceVmRequest {
        vm: web.name.clone(),
        key: "s-1".to_owned(),
        grade: Grade::Vm.into(),
        ..Default::default()
    };
    assert!(face.quiesce_vm(Request::new(quiesce)).await.expect("an answer").into_inner().quiesced);
    san.sim.vc.guest_write("web", 0, 0, b"evil").expect("an answer");
    let chain = topology(face, "web").await.disks.remove(0).chain;
    let devices = san.clone_and_map("c1", &["lun1"]);
    let release = pb::ReleaseVmRequest { vm: web.name.clone(), key: "s-1".to_owned(), ..Default::default() };
    face.release_vm(Request::new(release)).await.expect("an answer");
    let source = san.vmfs("vmfs1").await.uuid;
    present(face, "copy", &source, &devices, &all).await.expect("an answer");
    let (mut own, clone) = register_copy(face, &web, &chain[0]).await;
    assert_eq!(clone.vm_snapshot_count, 1);
    assert_eq!(reason(&revert(face, &own, "strata-s-1").await.expect_err("a refusal")), "INVALID_FIELD");
    own.moref.clone_from(&clone.moref);
    assert_eq!(san.sim.vc.guest_read("web-t", 0, 0, 4).expect("an answer"), b"evil");
    assert_eq!(reason(&revert(face, &own, "strata-s-2").await.expect_err("a refusal")), "VM_SNAPSHOT_NOT_FOUND");
    for foreign in [
        pb::OwnVm { key: "c-2".to_owned(), ..own.clone() },
        pb::OwnVm { vmx_path: web.vmx_path.clone(), ..own.clone() },
    ] {
        assert_eq!(reason(&revert(face, &foreign, "strata-s-1").await.expect_err("a refusal")), "VM_NOT_OURS");
    }
    san.sim.lossy.lose(number);
    let reverted = at_most_twice!(revert(face, &own, "strata-s-1"));
    assert!(reverted.disks[0].chain.iter().all(|path| path.starts_with("[copy] ")), "{reverted:?}");
    let request = pb::ListVmsRequest { parent: VC.to_owned(), page_size: 1000, ..Default::default() };
    let vms = face.list_vms(Request::new(request)).await.expect("an answer").into_inner().vms;
    let now = vms.iter().find(|vm| vm.moref == own.moref).expect("an answer");
    assert_eq!((now.strata_key.as_str(), now.vmx_path.as_str()), ("c-1", own.vmx_path.as_str()), "the key is back");
    let same: Vec<&pb::Vm> = vms.iter().filter(|vm| vm.instance_uuid == web.instance_uuid).collect();
    assert!(same.len() == 1 && same[0].moref == web.moref, "the source's uuid is the source's alone: {same:?}");
    let adapters = topology_of(face, &now.name).await.network_adapters;
    assert!(!adapters.is_empty() && adapters.iter().all(|one| !one.start_connected), "{adapters:?}");
    let lost = san.sim.lossy.lost();
    at_most_twice!(revert(face, &own, "strata-s-1"));
    for _ in 0..2 {
        at_most_twice!(remove_snapshots(face, &own));
    }
    let read = |vm: &str| san.sim.vc.with(|state| state.guest_read(vm, 0, 0, 4)).expect("an answer");
    assert_eq!((read(&own.moref), read(&web.moref)), (b"good".to_vec(), b"evil".to_vec()));
    assert_eq!(san.harm(), [] as [String; 0]);
    lost > 0
}

/// Registers the copy of a VM on `copy`.
async fn register_copy(face: &InventoryFace, vm: &pb::Vm, leaf: &str) -> (pb::OwnVm, pb::Vm) {
    let to = |path: &str| path.replace("[vmfs1]", "[copy]");
    let own =
        pb::OwnVm { vcenter: VC.to_owned(), key: "c-1".to_owned(), vmx_path: to(&vm.vmx_path), moref: String::new() };
    let register = pb::RegisterVmRequest {
        vcenter: VC.to_owned(),
        key: own.key.clone(),
        vmx_path: own.vmx_path.clone(),
        display_name: "web-t".to_owned(),
        folder_moref: vm.folder_moref.clone(),
        pool_moref: vm.pool_moref.clone(),
        disks: vec![pb::PathMapping { from_path: leaf.to_owned(), to_path: to(leaf) }],
        allowed_directories: vec!["[copy] web/".to_owned()],
        source_vmx_path: vm.vmx_path.clone(),
        ..Default::default()
    };
    (own, face.register_vm(Request::new(register)).await.expect("an answer").into_inner().vm.expect("an answer"))
}
