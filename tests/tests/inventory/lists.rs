//! Lists of an inventory with clusters, pools, folders and more VMs than one answer of vCenter holds.

use crate::support::vcsimx::Vcsimx;
use pb::inventory_service_server::InventoryService as _;
use std::collections::{BTreeMap, BTreeSet};
use strata_inventory_svc::{topology::pb, topology::read};
use strata_model::ErrorKind;
use tonic::Request;

const VC: &str = "vcenters/vc-1";

#[tokio::test]
async fn a_large_inventory_is_listed_page_by_page() {
    let Some(sim) = Vcsimx::start_with(&["-vms=80", "-clusters=2", "-pools=2"]) else { return };
    let Some(govc) = sim.govc() else { return };
    govc.spread_over_folders().expect("folders");
    let face = sim.face();
    let mut vms = Vec::new();
    let mut token = String::new();
    loop {
        let request =
            pb::ListVmsRequest { parent: VC.to_owned(), page_size: 100, page_token: token, ..Default::default() };
        let page = face.list_vms(Request::new(request)).await.unwrap().into_inner();
        assert!(page.vms.len() == 100 || page.next_page_token.is_empty());
        vms.extend(page.vms);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(vms.len(), 323);
    let uuids: BTreeSet<&str> = vms.iter().map(|vm| vm.instance_uuid.as_str()).collect();
    assert_eq!(uuids.len(), 323);
    let mut by_folder: BTreeMap<&str, u32> = BTreeMap::new();
    for vm in &vms {
        assert_eq!(vm.name, format!("{VC}/vms/{}", vm.instance_uuid));
        assert_eq!(vm.datacenter_path, "/DC0");
        assert!(vm.host.starts_with("DC0_") && vm.pool_moref.starts_with("resgroup-"), "{vm:#?}");
        *by_folder.entry(&vm.folder_path).or_default() += 1;
    }
    assert_eq!(by_folder.remove("/DC0/vm"), Some(3));
    assert_eq!((by_folder.len(), by_folder.values().all(|count| *count == 32)), (10, true), "{by_folder:?}");
    // Every VM is found by its key, also the last of the last folder.
    for vm in [&vms[0], &vms[322]] {
        let found = face.get_vm(Request::new(pb::GetVmRequest { name: vm.name.clone(), fresh: true })).await.unwrap();
        // A list does not say what needs a VM's devices.
        let found = pb::Vm { application_freeze_reason: String::new(), freshness: None, ..found.into_inner() };
        assert_eq!(found, *vm);
    }
    let names: Vec<String> = vms.iter().take(100).map(|vm| vm.name.clone()).collect();
    let request = pb::BatchGetVmTopologiesRequest { names: names.clone(), skip_browse: true };
    let topologies = face.batch_get_vm_topologies(Request::new(request)).await.unwrap().into_inner().topologies;
    let found: Vec<&str> = topologies.iter().filter_map(|found| found.vm.as_ref()).map(|vm| vm.name.as_str()).collect();
    assert_eq!(found, names);
}

#[tokio::test]
async fn hosts_and_datastores_are_listed() {
    let Some(sim) = Vcsimx::start_with(&["-clusters=2"]) else { return };
    let client = sim.client();
    let hosts = read::list_hosts(&client).await.unwrap();
    assert_eq!(hosts.len(), 4);
    for host in &hosts {
        assert_eq!(host.connection_state, "connected");
        assert!(host.cluster.starts_with("DC0_C"), "{host:#?}");
        assert!(!host.root_pool_moref.is_empty() && !host.addresses.is_empty(), "{host:#?}");
    }
    let stores = read::list_datastores(&client).await.unwrap();
    let nfs = stores.iter().find(|store| store.display_name == "nfs1").unwrap();
    assert!(nfs.accessible && nfs.mounts.len() == 4 && nfs.mounts.iter().all(|mount| mount.accessible), "{nfs:#?}");
    assert_eq!(nfs.datacenter_path, "/DC0");
}

#[tokio::test]
async fn an_unknown_vm_is_named() {
    let Some(sim) = Vcsimx::start() else { return };
    let error = read::read_vm(&sim.client(), "00000000-0000-0000-0000-000000000000").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("vc-1 has no VM with the instanceUuid 00000000-"), "{error}");
}
