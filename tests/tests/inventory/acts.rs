//! Acts against vcsimx, through the service's face: each is sent twice, since a lost answer means a second call.

use crate::support::vcsimx::Vcsimx;
use strata_inventory_svc::{grpc::InventoryFace, topology::pb};
use strata_kit::{http::ServerTrust, status::ErrorReport};
use strata_model::ErrorKind;
use strata_proto::strata::common::v1::Grade;
use strata_tests::vcsimx::FILER;
use tonic::Request;

use pb::inventory_service_server::InventoryService as _;

const VC: &str = "vcenters/vc-1";

async fn vm_named(face: &InventoryFace, name: &str) -> pb::Vm {
    let request = pb::ListVmsRequest { parent: VC.to_owned(), display_name: name.to_owned(), ..Default::default() };
    let mut vms = face.list_vms(Request::new(request)).await.expect("a list").into_inner().vms;
    assert_eq!(vms.len(), 1, "{name}: {vms:#?}");
    vms.remove(0)
}

async fn topology(face: &InventoryFace, vm: &str) -> pb::VmTopology {
    let request = pb::GetVmTopologyRequest { name: vm.to_owned(), skip_browse: false };
    face.get_vm_topology(Request::new(request)).await.expect("a topology").into_inner()
}

async fn power(face: &InventoryFace, vm: &str, action: pb::PowerAction) {
    let request = pb::SetVmPowerRequest { vm: vm.to_owned(), action: action.into(), ..Default::default() };
    let answer = face.set_vm_power(Request::new(request)).await.expect("a power state").into_inner();
    assert_eq!(answer.pending, None);
}

/// What an array's clone of a directory's files would give.
fn copy_vm(sim: &Vcsimx, from: &str, to: &str) {
    std::fs::create_dir(sim.file(to)).expect("a directory");
    for entry in std::fs::read_dir(sim.file(from)).expect("a directory").flatten() {
        std::fs::copy(entry.path(), sim.file(to).join(entry.file_name())).expect("a copy");
    }
}

fn kind(status: &tonic::Status) -> ErrorKind {
    ErrorReport::from_status(status).kind
}

#[tokio::test]
async fn a_topology_reaches_down_to_the_export() {
    let Some(sim) = Vcsimx::start() else { return };
    let face = sim.face();
    let vm = vm_named(&face, "nfs1-vm01").await;
    assert_eq!(vm.power_state(), pb::PowerState::On);
    std::fs::create_dir(sim.file("iso")).unwrap();
    std::fs::write(sim.file("iso/linux.iso"), b"iso").unwrap();
    let found = topology(&face, &vm.name).await;
    assert_eq!(found.disks.len(), 1, "{found:#?}");
    assert!(found.disks[0].chain[0].starts_with("[nfs1] nfs1-vm01/"), "{:?}", found.disks);
    let store = &found.datastores[0];
    let backing = store.backing.as_ref().unwrap().kind.as_ref().unwrap();
    let pb::datastore_backing::Kind::Nfs(nfs) = backing else { panic!("{backing:?}") };
    assert_eq!((nfs.host.as_str(), nfs.path.as_str(), nfs.version.as_str()), (FILER, "/volumes/nfs1", "NFS"));
    assert_eq!(store.mounts.len(), 2, "{store:#?}");
    let tenants: Vec<(pb::TenantKind, &str)> =
        found.tenants.iter().map(|tenant| (tenant.kind(), tenant.display_name.as_str())).collect();
    let expected = [
        (pb::TenantKind::Image, "[nfs1] iso/linux.iso"),
        (pb::TenantKind::Vm, "nfs1-vm02"),
        (pb::TenantKind::Vm, "nfs1-vm03"),
    ];
    assert_eq!(tenants, expected);
    assert_eq!(found.gaps, [] as [String; 0]);
}

#[tokio::test]
async fn quiesces_and_releases() {
    let Some(sim) = Vcsimx::start() else { return };
    let face = sim.face();
    let vm = vm_named(&face, "nfs1-vm01").await;
    let quiesce = pb::QuiesceVmRequest {
        vm: vm.name.clone(),
        key: "s-0123456789ab".to_owned(),
        grade: Grade::Vm.into(),
        ..Default::default()
    };
    let first = face.quiesce_vm(Request::new(quiesce.clone())).await.unwrap().into_inner();
    assert!(!first.vm_snapshot_moref.is_empty() && first.create_time.is_some(), "{first:?}");
    let again = face.quiesce_vm(Request::new(quiesce)).await.unwrap().into_inner();
    assert_eq!(again.vm_snapshot_moref, first.vm_snapshot_moref);
    let found = topology(&face, &vm.name).await;
    assert_eq!(found.vm_snapshots.len(), 1);
    assert!(found.vm_snapshots[0].ours && found.vm_snapshots[0].display_name == "strata-s-0123456789ab");
    let release = |key: &str| {
        Request::new(pb::ReleaseVmRequest { vm: vm.name.clone(), key: key.to_owned(), ..Default::default() })
    };
    assert!(face.release_vm(release("s-other")).await.unwrap().into_inner().absent, "only our own is removed");
    assert!(!face.release_vm(release("s-0123456789ab")).await.unwrap().into_inner().absent);
    assert!(face.release_vm(release("s-0123456789ab")).await.unwrap().into_inner().absent);
    assert_eq!(topology(&face, &vm.name).await.vm_snapshots, []);
}

#[tokio::test]
async fn a_copied_vm_becomes_a_clone_and_goes_again() {
    let Some(sim) = Vcsimx::start() else { return };
    let face = sim.face();
    let source = vm_named(&face, "nfs1-vm02").await;
    let disk = topology(&face, &source.name).await.disks.remove(0);
    copy_vm(&sim, "nfs1-vm02", "copy");
    let vmx_path = "[nfs1] copy/nfs1-vm02.vmx".to_owned();
    let to_path = disk.chain[0].replace("nfs1-vm02/", "copy/");
    let register = pb::RegisterVmRequest {
        vcenter: VC.to_owned(),
        key: "c-1".to_owned(),
        vmx_path: vmx_path.clone(),
        display_name: "the clone".to_owned(),
        folder_moref: source.folder_moref.clone(),
        pool_moref: source.pool_moref.clone(),
        disks: vec![pb::PathMapping { from_path: disk.chain[0].clone(), to_path: to_path.clone() }],
        allowed_directories: vec!["[nfs1] copy/".to_owned()],
        ..Default::default()
    };
    let first = face.register_vm(Request::new(register.clone())).await.unwrap().into_inner();
    let clone = first.vm.unwrap();
    assert_eq!((clone.display_name.as_str(), clone.strata_key.as_str()), ("the clone", "c-1"));
    assert_ne!(clone.instance_uuid, source.instance_uuid);
    let again = face.register_vm(Request::new(register.clone())).await.unwrap().into_inner();
    assert_eq!((again.vm.unwrap().moref, again.stripped), (clone.moref.clone(), first.stripped));
    assert_eq!(topology(&face, &clone.name).await.disks[0].chain, [to_path]);

    let foreign = pb::UnregisterVmRequest { vcenter: VC.to_owned(), key: "c-2".to_owned(), vmx_path: vmx_path.clone() };
    let refused = face.unregister_vm(Request::new(foreign)).await.unwrap_err();
    assert_eq!(kind(&refused), ErrorKind::Conflict, "{refused}");

    let identity = pb::SetVmIdentityRequest {
        vcenter: VC.to_owned(),
        key: "c-1".to_owned(),
        vmx_path: vmx_path.clone(),
        bios_uuid: "4217aaaa-0000-4000-8000-000000000001".to_owned(),
        instance_uuid: "5217aaaa-0000-4000-8000-000000000002".to_owned(),
        display_name: "the clone".to_owned(),
        new_mac_addresses: true,
        disconnect_adapters: true,
        annotation: "Cloned by Strata".to_owned(),
    };
    let with_identity = face.set_vm_identity(Request::new(identity.clone())).await.unwrap().into_inner();
    let vm = with_identity.vm.unwrap();
    assert_eq!(
        (vm.bios_uuid.as_str(), vm.instance_uuid.as_str()),
        (identity.bios_uuid.as_str(), identity.instance_uuid.as_str())
    );
    assert!(
        with_identity.network_adapters.iter().all(|adapter| !adapter.start_connected),
        "{:?}",
        with_identity.network_adapters
    );
    let repeated = face.set_vm_identity(Request::new(identity)).await.unwrap().into_inner();
    assert_eq!(repeated.network_adapters, with_identity.network_adapters, "the second call changes nothing");

    for _ in 0..2 {
        power(&face, &vm.name, pb::PowerAction::On).await;
    }
    let unregister = || {
        Request::new(pb::UnregisterVmRequest {
            vcenter: VC.to_owned(),
            key: "c-1".to_owned(),
            vmx_path: vmx_path.clone(),
        })
    };
    assert_eq!(kind(&face.unregister_vm(unregister()).await.unwrap_err()), ErrorKind::Conflict, "it runs");
    for _ in 0..2 {
        power(&face, &vm.name, pb::PowerAction::Off).await;
    }
    assert!(!face.unregister_vm(unregister()).await.unwrap().into_inner().absent);
    assert!(face.unregister_vm(unregister()).await.unwrap().into_inner().absent);
    assert!(sim.file("copy/nfs1-vm02.vmx").exists(), "its files stay");
}

/// Safety rule S16: nothing of the source may be attached to a clone.
#[tokio::test]
async fn a_clone_that_refers_outside_is_not_registered() {
    let Some(sim) = Vcsimx::start() else { return };
    let face = sim.face();
    let source = vm_named(&face, "nfs1-vm02").await;
    let disk = topology(&face, &source.name).await.disks.remove(0);
    std::fs::create_dir(sim.file("copy")).unwrap();
    std::fs::copy(sim.file("nfs1-vm02/nfs1-vm02.vmx"), sim.file("copy/nfs1-vm02.vmx")).unwrap();
    let register = pb::RegisterVmRequest {
        vcenter: VC.to_owned(),
        key: "c-1".to_owned(),
        vmx_path: "[nfs1] copy/nfs1-vm02.vmx".to_owned(),
        display_name: "outside".to_owned(),
        folder_moref: source.folder_moref,
        pool_moref: source.pool_moref,
        // The "copy" is the source's own disk.
        disks: vec![pb::PathMapping { from_path: disk.chain[0].clone(), to_path: disk.chain[0].clone() }],
        allowed_directories: vec!["[nfs1] copy/".to_owned()],
        ..Default::default()
    };
    let refused = face.register_vm(Request::new(register)).await.unwrap_err();
    assert_eq!(ErrorReport::from_status(&refused).reason, "VM_REFERS_OUTSIDE", "{refused}");
    let request =
        pb::ListVmsRequest { parent: VC.to_owned(), display_name: "outside".to_owned(), ..Default::default() };
    assert_eq!(face.list_vms(Request::new(request)).await.unwrap().into_inner().vms, []);
}

#[tokio::test]
async fn disks_move_aside_and_back() {
    let Some(sim) = Vcsimx::start() else { return };
    let face = sim.face();
    let vm = vm_named(&face, "nfs1-vm02").await;
    let disk = topology(&face, &vm.name).await.disks.remove(0).chain.remove(0);
    let aside = disk.replace("nfs1-vm02/", "nfs1-vm02/.strata-aside-r-1/");
    let moves = |from: &str, to: &str| {
        let moves = vec![pb::PathMapping { from_path: from.to_owned(), to_path: to.to_owned() }];
        Request::new(pb::MoveDisksRequest { vm: vm.name.clone(), moves })
    };
    for (from, to, moved) in
        [(&disk, &aside, 1), (&disk, &aside, 0), (&aside, &disk, 1), (&aside, &disk, 0), (&disk, &aside, 1)]
    {
        assert_eq!(face.move_disks(moves(from, to)).await.unwrap().into_inner().moved_count, moved, "{from} {to}");
        let find = pb::FindVmFilesRequest {
            vcenter: VC.to_owned(),
            datastore: "nfs1".to_owned(),
            directory: "nfs1-vm02".to_owned(),
            patterns: vec!["*.vmdk".to_owned()],
        };
        let files = face.find_vm_files(Request::new(find)).await.unwrap().into_inner().files;
        assert!(files.iter().any(|file| file.path == *to) && !files.iter().any(|file| file.path == *from), "{files:?}");
    }
    let foreign = face.move_disks(moves("[nfs1] nfs1-vm03/nfs1-vm03.vmdk", "[nfs1] x/y.vmdk")).await.unwrap_err();
    assert_eq!(ErrorReport::from_status(&foreign).reason, "DISK_NOT_OF_VM");
    let remove = |directory: &str| {
        Request::new(pb::RemoveAsideRequest { vcenter: VC.to_owned(), directories: vec![directory.to_owned()] })
    };
    assert_eq!(kind(&face.remove_aside(remove("[nfs1] nfs1-vm02")).await.unwrap_err()), ErrorKind::InvalidArgument);
    for _ in 0..2 {
        face.remove_aside(remove("[nfs1] nfs1-vm02/.strata-aside-r-1")).await.unwrap();
        assert!(!sim.file("nfs1-vm02/.strata-aside-r-1").exists());
    }
    let running = vm_named(&face, "nfs1-vm01").await;
    let request = pb::MoveDisksRequest { vm: running.name, moves: Vec::new() };
    assert_eq!(kind(&face.move_disks(Request::new(request)).await.unwrap_err()), ErrorKind::Conflict);
}

#[tokio::test]
async fn an_export_is_mounted_and_let_go() {
    let Some(sim) = Vcsimx::start() else { return };
    let face = sim.face();
    let hosts = pb::ListHostsRequest { parent: VC.to_owned(), ..Default::default() };
    let hosts = face.list_hosts(Request::new(hosts)).await.unwrap().into_inner().hosts;
    let nfs = |path: &str| pb::NfsBacking {
        host: FILER.to_owned(),
        path: path.to_owned(),
        version: "NFS".to_owned(),
        hosts: Vec::new(),
    };
    let present = |path: &str| {
        Request::new(pb::PresentVolumeRequest {
            vcenter: VC.to_owned(),
            datastore_name: "strata-other".to_owned(),
            source: Some(pb::present_volume_request::Source::Nfs(nfs(path))),
            host_morefs: hosts.iter().map(|host| host.moref.clone()).collect(),
            ..Default::default()
        })
    };
    for _ in 0..2 {
        let store = face.present_volume(present("/volumes/other")).await.unwrap().into_inner().datastore.unwrap();
        assert_eq!((store.display_name.as_str(), store.mounts.len()), ("strata-other", hosts.len()));
    }
    let taken = face.present_volume(present("/volumes/nfs1")).await.unwrap_err();
    assert_eq!(ErrorReport::from_status(&taken).reason, "DATASTORE_NAME_TAKEN", "{taken}");
    let detach = |path: &str| {
        Request::new(pb::DetachDatastoreRequest {
            vcenter: VC.to_owned(),
            datastore_name: "strata-other".to_owned(),
            backing: Some(pb::detach_datastore_request::Backing::Nfs(nfs(path))),
            ..Default::default()
        })
    };
    // Whatever the name: what lies on the export counts.
    let in_use = face.detach_datastore(detach("/volumes/nfs1")).await.unwrap_err();
    assert_eq!(ErrorReport::from_status(&in_use).reason, "DATASTORE_IN_USE", "{in_use}");
    assert!(in_use.message().contains("VM nfs1-vm02"), "{in_use}");
    for expected in [hosts.len(), 0] {
        assert_eq!(face.detach_datastore(detach("/volumes/other")).await.unwrap().into_inner().hosts.len(), expected);
    }
}

#[tokio::test]
async fn change_tracking_forgets() {
    let Some(sim) = Vcsimx::start() else { return };
    let face = sim.face();
    let vm = vm_named(&face, "nfs1-vm02").await;
    let disk = topology(&face, &vm.name).await.disks.remove(0).chain.remove(0);
    let tracking = disk.replace(".vmdk", "-ctk.vmdk");
    std::fs::write(sim.file(tracking.trim_start_matches("[nfs1] ")), b"ctk").unwrap();
    std::fs::write(sim.file("nfs1-vm02/not-ours-ctk.vmdk"), b"ctk").unwrap();
    let reset = |enable_again| Request::new(pb::ResetChangeTrackingRequest { vm: vm.name.clone(), enable_again });
    let first = face.reset_change_tracking(reset(true)).await.unwrap().into_inner();
    assert_eq!(first.removed_files, [tracking]);
    assert!(vm_named(&face, "nfs1-vm02").await.change_tracking);
    assert_eq!(face.reset_change_tracking(reset(false)).await.unwrap().into_inner().removed_files, [] as [String; 0]);
    assert!(!vm_named(&face, "nfs1-vm02").await.change_tracking);
    assert!(sim.file("nfs1-vm02/not-ours-ctk.vmdk").exists());
}

#[tokio::test]
async fn other_acts_converge() {
    let Some(sim) = Vcsimx::start() else { return };
    let face = sim.face();
    let vm = vm_named(&face, "nfs1-vm02").await;
    for _ in 0..2 {
        let reloaded = face.reload_vm(Request::new(pb::ReloadVmRequest { vm: vm.name.clone() })).await.unwrap();
        assert_eq!(reloaded.into_inner().vm.unwrap().moref, vm.moref);
        let consolidate = pb::ConsolidateRequest { vm: vm.name.clone(), ..Default::default() };
        assert_eq!(face.consolidate(Request::new(consolidate)).await.unwrap().into_inner().pending, None);
        let remove = pb::RemoveVmSnapshotsRequest { vm: vm.name.clone(), ..Default::default() };
        assert_eq!(face.remove_vm_snapshots(Request::new(remove)).await.unwrap().into_inner().pending, None);
        let answer = pb::AnswerQuestionRequest { vm: vm.name.clone(), copied: true };
        assert_eq!(face.answer_question(Request::new(answer)).await.unwrap().into_inner().question, "");
    }
    let check = pb::PreflightRequest { vcenter: VC.to_owned(), vm: vm.name.clone(), ..Default::default() };
    assert_eq!(face.preflight(Request::new(check)).await.unwrap().into_inner().missing, []);
    let session = pb::CheckSessionRequest { vcenter: VC.to_owned() };
    assert!(face.check_session(Request::new(session)).await.unwrap().into_inner().vcenter.unwrap().reachable);
}

#[tokio::test]
async fn who_is_not_trusted_is_told_so() {
    let Some(sim) = Vcsimx::start() else { return };
    let pinned = ServerTrust::Thumbprint(sim.ready().thumbprint_sha256.clone());
    let wrong = sim.client_as(&sim.ready().username, "wrong", pinned);
    for _ in 0..3 {
        let error = wrong.check().await.unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Unauthenticated, "VCENTER_REFUSES_LOGIN"), "{error}");
        assert!(!error.to_string().contains("wrong"), "{error}");
    }
    let untrusted = sim.client_as(&sim.ready().username, &sim.ready().password, ServerTrust::SystemRoots);
    let error = untrusted.check().await.unwrap_err();
    let line = strata_kit::status::report(&error);
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{line}");
    assert!(line.contains("certificate"), "{line}");
}
