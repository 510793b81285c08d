//! Against the project's own simulated vCenter: the kinds of VM and the refusals that vcsim does not have.

use crate::support::simulated::{Simulated, tree};
use pb::inventory_service_server::InventoryService as _;
use std::collections::BTreeSet;
use strata_inventory_svc::{topology::pb, vcenter::folder::Registration};
use strata_kit::status::ErrorReport;
use strata_model::ErrorKind;
use strata_proto::strata::common::v1::Grade;
use strata_sim::world::compute::{DiskSpec, VmSpec, vm::Tools};
use tonic::Request;

const VC: &str = "vcenters/vc-1";

async fn list(sim: &Simulated) -> Vec<pb::Vm> {
    let request = pb::ListVmsRequest { parent: VC.to_owned(), page_size: 1000, ..Default::default() };
    sim.face.list_vms(Request::new(request)).await.expect("a list").into_inner().vms
}

async fn vm_named(sim: &Simulated, name: &str) -> pb::Vm {
    list(sim).await.into_iter().find(|vm| vm.display_name == name).unwrap_or_else(|| panic!("no VM {name}"))
}

async fn topology(sim: &Simulated, name: &str) -> pb::VmTopology {
    let name = vm_named(sim, name).await.name;
    let request = pb::GetVmTopologyRequest { name, skip_browse: false };
    sim.face.get_vm_topology(Request::new(request)).await.expect("a topology").into_inner()
}

fn reason(status: &tonic::Status) -> (ErrorKind, String) {
    let report = ErrorReport::from_status(status);
    (report.kind, report.reason)
}

#[tokio::test]
async fn more_vms_than_one_answer_holds_are_all_listed() {
    let sim = Simulated::new(|mut builder| {
        for number in 0..230 {
            builder = builder
                .vm(VmSpec { folder: Some(format!("f{}", number % 3)), ..VmSpec::named(&format!("vm-{number:03}")) });
        }
        builder
    });
    let vms = list(&sim).await;
    assert_eq!(vms.iter().map(|vm| &vm.instance_uuid).collect::<BTreeSet<_>>().len(), 230);
    assert_eq!(vms[4].folder_path, "/DC 1/vm/f1");
}

#[tokio::test]
async fn names_with_special_characters_survive() {
    let names = ["x@y:z%#", "größe 日本", "100%25", "q\"<&>'"];
    let sim = Simulated::new(|builder| {
        names
            .iter()
            .fold(builder, |builder, name| builder.vm(VmSpec { folder: Some("f/1".to_owned()), ..VmSpec::named(name) }))
    });
    let found: BTreeSet<String> = list(&sim).await.into_iter().map(|vm| vm.display_name).collect();
    assert_eq!(found, names.map(str::to_owned).into());
}

/// Safety rules S6 and S7.
#[tokio::test]
async fn every_kind_of_disk_and_neighbour_is_told() {
    let sim = Simulated::new(|builder| {
        let quorum = || DiskSpec {
            multi_writer: true,
            existing: Some("[ds1] node-1/node-1_1.vmdk".into()),
            ..DiskSpec::of(1 << 20)
        };
        builder
            .vmfs_datastore("vmfs1", &["naa.1", "naa.2"], tree())
            .vm(VmSpec::named("node-1").disks(vec![
                DiskSpec::of(1 << 20),
                DiskSpec { multi_writer: true, ..DiskSpec::of(1 << 20) },
                DiskSpec {
                    datastore: Some("ds2".into()),
                    mode: "independent_persistent".into(),
                    ..DiskSpec::of(2 << 20)
                },
            ]))
            .vm(VmSpec::named("node-2").disks(vec![DiskSpec::of(1 << 20), quorum()]))
            .vm(VmSpec::named("proxy")
                .disks(vec![DiskSpec { existing: Some("[ds1] node-1/node-1.vmdk".into()), ..DiskSpec::of(1 << 20) }]))
            .vm(VmSpec { template: true, ..VmSpec::named("golden") })
            .vm(VmSpec {
                managed_by: Some(("com.vmware.vim.eam".into(), "cluster-agent".into())),
                ..VmSpec::named("vCLS-1")
            })
            .vm(VmSpec::named("raw").datastore("vmfs1").disks(vec![
                DiskSpec::of(1 << 20),
                DiskSpec { rdm: Some(("naa.99".into(), true)), ..DiskSpec::of(1 << 20) },
                DiskSpec { rdm: Some(("naa.98".into(), false)), ..DiskSpec::of(1 << 20) },
            ]))
    });
    let found = topology(&sim, "node-1").await;
    assert_eq!(found.gaps, [] as [String; 0]);
    let disks: Vec<(&str, bool, bool)> =
        found.disks.iter().map(|disk| (disk.chain[0].as_str(), disk.shared, disk.independent)).collect();
    let expected = [
        ("[ds1] node-1/node-1.vmdk", false, false),
        ("[ds1] node-1/node-1_1.vmdk", true, false),
        ("[ds2] node-1/node-1_2.vmdk", false, true),
    ];
    assert_eq!(disks, expected);
    assert_eq!(found.vm.as_ref().unwrap().datastores, ["ds1", "ds2"]);
    let tenants: Vec<(&str, pb::TenantKind)> =
        found.tenants.iter().map(|tenant| (tenant.display_name.as_str(), tenant.kind())).collect();
    let expected = [
        ("golden", pb::TenantKind::Template),
        ("node-2", pb::TenantKind::Vm),
        ("proxy", pb::TenantKind::Vm),
        ("vCLS-1", pb::TenantKind::Vm),
    ];
    assert_eq!(tenants, expected);
    let shared: Vec<(&str, &str, usize)> =
        found.shared_files.iter().map(|file| (file.path.as_str(), file.reason.as_str(), file.vms.len())).collect();
    let expected = [
        ("[ds1] node-1/node-1.vmdk", "attached to backup proxy", 2),
        ("[ds1] node-1/node-1_1.vmdk", "multi-writer", 2),
    ];
    assert_eq!(shared, expected);
    assert!(vm_named(&sim, "vCLS-1").await.system_vm && !vm_named(&sim, "proxy").await.system_vm);
    let raw = topology(&sim, "raw").await;
    let kinds: Vec<pb::DiskKind> = raw.disks.iter().map(pb::Disk::kind).collect();
    assert_eq!(kinds, [pb::DiskKind::File, pb::DiskKind::RdmPhysical, pb::DiskKind::RdmVirtual]);
    let Some(pb::datastore_backing::Kind::Vmfs(vmfs)) = raw.datastores[0].backing.clone().unwrap().kind else {
        panic!("{:?}", raw.datastores)
    };
    let extent = |name: &str| pb::VmfsExtent { canonical_name: name.to_owned(), partition: 1 };
    assert_eq!(vmfs.extents, [extent("naa.1"), extent("naa.2")]);
}

#[tokio::test]
async fn unsupported_datastores_are_named() {
    let sim = Simulated::new(|builder| builder.vsan_datastore("vsan", tree()).local_datastore("local", tree()));
    let request = pb::ListDatastoresRequest { parent: VC.to_owned(), ..Default::default() };
    let stores = sim.face.list_datastores(Request::new(request)).await.unwrap().into_inner().datastores;
    let kind = |name: &str| {
        let store = stores.iter().find(|store| store.display_name == name).unwrap();
        store.backing.clone().unwrap().kind.unwrap()
    };
    assert_eq!(kind("vsan"), pb::datastore_backing::Kind::Unsupported("vSAN".to_owned()));
    assert!(matches!(kind("ds1"), pb::datastore_backing::Kind::Nfs(_)));
}

#[tokio::test]
async fn a_quiesced_snapshot_shows_its_chain_and_says_when_it_was_not_quiesced() {
    let sim = Simulated::new(|builder| {
        builder
            .vm(VmSpec::named("web").on())
            .vm(VmSpec { tools: Tools::Absent, ..VmSpec::named("plain") }.on())
            .vm(VmSpec::named("off"))
    });
    for (name, quiesced, why) in [
        ("web", true, ""),
        ("plain", false, "VMware Tools do not run in the guest"),
        ("off", false, "the VM is not running"),
    ] {
        let vm = vm_named(&sim, name).await.name;
        let quiesce =
            pb::QuiesceVmRequest { vm: vm.clone(), key: "s-1".into(), grade: Grade::Vm.into(), ..Default::default() };
        for _ in 0..2 {
            let answer = sim.face.quiesce_vm(Request::new(quiesce.clone())).await.unwrap().into_inner();
            assert_eq!((answer.quiesced, answer.reason.as_str()), (quiesced, why), "{name}");
        }
        let found = topology(&sim, name).await;
        let base = format!("[ds1] {name}/{name}.vmdk");
        assert_eq!(found.disks[0].chain, [format!("[ds1] {name}/{name}-000001.vmdk"), base.clone()]);
        assert_eq!(found.vm_snapshots.len(), 1, "{found:#?}");
        let release = || Request::new(pb::ReleaseVmRequest { vm: vm.clone(), key: "s-1".into(), ..Default::default() });
        assert!(!sim.face.release_vm(release()).await.unwrap().into_inner().absent);
        assert!(sim.face.release_vm(release()).await.unwrap().into_inner().absent);
        assert_eq!(topology(&sim, name).await.disks[0].chain, [base]);
    }
}

#[tokio::test]
async fn a_guest_that_cannot_freeze_is_an_error_and_leaves_no_snapshot() {
    let sim = Simulated::new(|builder| builder.vm(VmSpec { tools: Tools::Hung, ..VmSpec::named("hung") }.on()));
    let vm = vm_named(&sim, "hung").await.name;
    let mut quiesce =
        pb::QuiesceVmRequest { vm: vm.clone(), key: "s-1".into(), grade: Grade::App.into(), ..Default::default() };
    let mut last = sim.face.quiesce_vm(Request::new(quiesce.clone())).await;
    for _ in 0..3 {
        let Ok(answer) = &last else { break };
        let Some(pending) = &answer.get_ref().pending else { break };
        quiesce.resume.clone_from(&pending.resume);
        last = sim.face.quiesce_vm(Request::new(quiesce.clone())).await;
    }
    let status = last.unwrap_err();
    assert_eq!(reason(&status).0, ErrorKind::Conflict, "{status}");
    let release = pb::ReleaseVmRequest { vm, key: "s-1".into(), ..Default::default() };
    assert!(sim.face.release_vm(Request::new(release)).await.unwrap().into_inner().absent);
}

/// A VM whose files were copied without our rewriting is asked about when it is turned on.
#[tokio::test]
async fn the_question_whether_it_was_copied_is_answered() {
    let sim = Simulated::new(|builder| builder.vm(VmSpec::named("web")));
    let source = vm_named(&sim, "web").await;
    copy(&sim, "web", "copy");
    let moref = |kind: &str, value: &str| strata_inventory_svc::soap::MoRef::new(kind, value);
    let registration = Registration {
        vmx_path: "[ds1] copy/web.vmx",
        name: "copy",
        folder: &moref("Folder", &source.folder_moref),
        pool: &moref("ResourcePool", &source.pool_moref),
        host: None,
    };
    let task = sim.client.register_vm(&registration).await.unwrap();
    sim.client.finish_task(&task, "registration", "copy").await.unwrap();
    let vm = vm_named(&sim, "copy").await.name;
    let mut on = pb::SetVmPowerRequest { vm: vm.clone(), action: pb::PowerAction::On.into(), ..Default::default() };
    let pending =
        sim.face.set_vm_power(Request::new(on.clone())).await.unwrap().into_inner().pending.expect("a question");
    assert!(vm_named(&sim, "copy").await.question_pending);
    // As after a restart that lost the task's id: the task is found, not started again.
    let again = sim.face.set_vm_power(Request::new(on.clone())).await.unwrap().into_inner();
    assert_eq!(again.pending.expect("the task goes on").resume, "");
    let answer = || Request::new(pb::AnswerQuestionRequest { vm: vm.clone(), copied: true });
    assert_ne!(sim.face.answer_question(answer()).await.unwrap().into_inner().question, "");
    assert_eq!(sim.face.answer_question(answer()).await.unwrap().into_inner().question, "");
    on.resume = pending.resume;
    assert_eq!(sim.face.set_vm_power(Request::new(on)).await.unwrap().into_inner().pending, None);
    assert_eq!(vm_named(&sim, "copy").await.power_state(), pb::PowerState::On);
}

/// Safety rule S21: a file that somebody holds is not moved.
#[tokio::test]
async fn a_locked_disk_is_not_moved() {
    let sim = Simulated::new(|builder| {
        let existing = || DiskSpec { existing: Some("[ds1] web/web.vmdk".into()), ..DiskSpec::of(1 << 20) };
        builder.vm(VmSpec::named("web")).vm(VmSpec::named("proxy").disks(vec![existing()]).on())
    });
    let vm = vm_named(&sim, "web").await.name;
    let moves = vec![pb::PathMapping {
        from_path: "[ds1] web/web.vmdk".into(),
        to_path: "[ds1] web/.strata-aside-r-1/web.vmdk".into(),
    }];
    let status = sim.face.move_disks(Request::new(pb::MoveDisksRequest { vm, moves })).await.unwrap_err();
    assert_eq!(reason(&status), (ErrorKind::Busy, "VCENTER_OBJECT_BUSY".to_owned()), "{status}");
    assert!(status.message().contains("[ds1] web/web.vmdk"), "{status}");
}

#[tokio::test]
async fn missing_privileges_are_named_with_their_objects() {
    let sim = Simulated::new(|builder| builder.vm(VmSpec::named("web")));
    sim.vc.with(|state| {
        state.revoke("VirtualMachine.State.CreateSnapshot", None);
        state.revoke("Datastore.FileManagement", None);
    });
    let vm = vm_named(&sim, "web").await.name;
    let preflight = |features: &[&str]| {
        let features = features.iter().map(|feature| (*feature).to_owned()).collect();
        Request::new(pb::PreflightRequest { vcenter: VC.to_owned(), features, vm: vm.clone() })
    };
    let missing = sim.face.preflight(preflight(&["snapshot", "quiesce"])).await.unwrap().into_inner().missing;
    let rows: BTreeSet<(&str, &str, &str)> =
        missing.iter().map(|row| (row.privilege.as_str(), row.object.as_str(), row.feature.as_str())).collect();
    let expected = [
        ("Datastore.FileManagement", "datastore ds1", "snapshot"),
        ("VirtualMachine.State.CreateSnapshot", "VM web", "quiesce"),
    ];
    assert_eq!(rows, expected.into());
    let quiesce =
        pb::QuiesceVmRequest { vm: vm.clone(), key: "s-1".into(), grade: Grade::Vm.into(), ..Default::default() };
    let status = sim.face.quiesce_vm(Request::new(quiesce)).await.unwrap_err();
    assert_eq!(reason(&status).0, ErrorKind::Forbidden, "{status}");
    assert!(status.message().contains("VirtualMachine.State.CreateSnapshot"), "{status}");
    assert_eq!(reason(&sim.face.preflight(preflight(&["fly"])).await.unwrap_err()).0, ErrorKind::InvalidArgument);
}

/// Safety rules S16, S17 and S23, against a vCenter that reads the rewritten .vmx.
#[tokio::test]
async fn a_clone_has_its_own_identity_and_storage() {
    let sim = Simulated::new(|builder| {
        builder.vm(VmSpec { cbt: true, ..VmSpec::named("web") }.disks(vec![
            DiskSpec::of(1 << 20),
            DiskSpec { rdm: Some(("naa.99".into(), true)), ..DiskSpec::of(1 << 20) },
        ]))
    });
    let source = vm_named(&sim, "web").await;
    copy(&sim, "web", "copy");
    let register = pb::RegisterVmRequest {
        vcenter: VC.to_owned(),
        key: "c-1".to_owned(),
        vmx_path: "[ds1] copy/web.vmx".to_owned(),
        display_name: "web%/t".to_owned(),
        folder_moref: source.folder_moref.clone(),
        pool_moref: source.pool_moref.clone(),
        disks: vec![pb::PathMapping { from_path: "[ds1] web/web.vmdk".into(), to_path: "[ds1] copy/web.vmdk".into() }],
        allowed_directories: vec!["[ds1] copy/".to_owned()],
        ..Default::default()
    };
    for _ in 0..2 {
        let answer = sim.face.register_vm(Request::new(register.clone())).await.unwrap().into_inner();
        assert_eq!(answer.stripped.len(), 1, "{:?}", answer.stripped);
        assert!(answer.stripped[0].contains("scsi0:1"), "{:?}", answer.stripped);
    }
    let clone = topology(&sim, "web%/t").await;
    let vm = clone.vm.as_ref().unwrap();
    assert_eq!((vm.strata_key.as_str(), vm.change_tracking, clone.disks.len()), ("c-1", false, 1));
    assert_ne!(vm.instance_uuid, source.instance_uuid);
    assert!(clone.network_adapters.iter().all(|adapter| !adapter.start_connected));
    let mac_before = clone.network_adapters[0].mac_address.clone();
    let identity = pb::SetVmIdentityRequest {
        vcenter: VC.to_owned(),
        key: "c-1".to_owned(),
        vmx_path: "[ds1] copy/web.vmx".to_owned(),
        bios_uuid: "42170000-0000-4000-8000-000000000001".to_owned(),
        instance_uuid: "52170000-0000-4000-8000-000000000002".to_owned(),
        display_name: "web%/t".to_owned(),
        new_mac_addresses: true,
        disconnect_adapters: true,
        annotation: "Cloned by Strata".to_owned(),
    };
    let first = sim.face.set_vm_identity(Request::new(identity.clone())).await.unwrap().into_inner();
    let again = sim.face.set_vm_identity(Request::new(identity.clone())).await.unwrap().into_inner();
    assert_eq!(first.network_adapters, again.network_adapters);
    assert_ne!(first.network_adapters[0].mac_address, mac_before);
    assert_eq!(first.vm.as_ref().unwrap().bios_uuid, identity.bios_uuid);
    let on =
        pb::SetVmPowerRequest { vm: again.vm.unwrap().name, action: pb::PowerAction::On.into(), ..Default::default() };
    assert_eq!(
        sim.face.set_vm_power(Request::new(on)).await.unwrap().into_inner().pending,
        None,
        "no question is asked"
    );
    assert_eq!(vm_named(&sim, "web").await.bios_uuid, source.bios_uuid);
}

/// What an array's clone of the files would give.
fn copy(sim: &Simulated, from: &str, to: &str) {
    let tree = sim.vc.with(|state| {
        let id = state.datastores.iter().find(|(_, store)| store.name == "ds1").map(|(id, _)| id.clone());
        state.tree(&id.expect("ds1")).expect("a tree")
    });
    tree.create_dir_all(to).expect("a directory");
    for entry in tree.list(from).expect("a list") {
        let bytes = tree.read(&format!("{from}/{}", entry.name), 0, usize::MAX >> 1).expect("bytes");
        tree.write(&format!("{to}/{}", entry.name), 0, &bytes).expect("a copy");
    }
}

/// Safety rule S5: a clone that somebody moved is not taken for gone.
#[tokio::test]
async fn a_vm_that_was_moved_is_not_taken_for_gone() {
    let sim = Simulated::new(|builder| {
        builder.vm(VmSpec { extra: vec![("strata.key".into(), "c-1".into())], ..VmSpec::named("moved") })
    });
    let unregister = |key: &str, path: &str| {
        Request::new(pb::UnregisterVmRequest { vcenter: VC.to_owned(), key: key.to_owned(), vmx_path: path.to_owned() })
    };
    let status = sim.face.unregister_vm(unregister("c-1", "[ds1] clone/web.vmx")).await.unwrap_err();
    assert_eq!(reason(&status), (ErrorKind::Conflict, "VM_MOVED".to_owned()), "{status}");
    assert!(status.message().contains("[ds1] moved/moved.vmx"), "{status}");
    let foreign = sim.face.unregister_vm(unregister("c-2", "[ds1] moved/moved.vmx")).await.unwrap_err();
    assert_eq!(reason(&foreign), (ErrorKind::Conflict, "VM_NOT_OURS".to_owned()), "{foreign}");
    assert!(sim.face.unregister_vm(unregister("c-2", "[ds1] other/other.vmx")).await.unwrap().into_inner().absent);
    assert!(!sim.face.unregister_vm(unregister("c-1", "[ds1] moved/moved.vmx")).await.unwrap().into_inner().absent);
    assert_eq!(list(&sim).await, []);
}

#[tokio::test]
async fn an_idle_session_is_opened_again() {
    let sim = Simulated::new(|builder| builder.session_idle(std::time::Duration::ZERO).vm(VmSpec::named("web")));
    // Every session is too old for the call after it: one new login helps no more, and the error says whose fault it is.
    let request = pb::ListVmsRequest { parent: VC.to_owned(), ..Default::default() };
    let status = sim.face.list_vms(Request::new(request)).await.unwrap_err();
    assert_eq!(reason(&status).0, ErrorKind::Unauthenticated, "{status}");
}

/// Safety rule S19: vSphere moves its own VMs away; that is waited for, and no administrator is asked to unregister them.
#[tokio::test]
async fn a_datastore_that_holds_only_vspheres_own_vms_is_busy() {
    let sim = Simulated::new(|builder| {
        let agent = Some(("com.vmware.vim.eam".to_owned(), "cluster-agent".to_owned()));
        builder.vm(VmSpec { managed_by: agent, ..VmSpec::named("vCLS-1").datastore("ds2") })
    });
    let nfs = pb::NfsBacking { host: "192.0.2.1".to_owned(), path: "/vol/ds2".to_owned(), ..Default::default() };
    let request = pb::DetachDatastoreRequest {
        vcenter: VC.to_owned(),
        backing: Some(pb::detach_datastore_request::Backing::Nfs(nfs)),
        ..Default::default()
    };
    let busy = sim.face.detach_datastore(Request::new(request)).await.unwrap_err();
    assert_eq!(reason(&busy), (ErrorKind::Busy, "DATASTORE_HOLDS_VCLS".to_owned()), "{busy}");
}
