//! Reading from vcsim: an independent server, lenient in its own ways.

mod support;

use std::collections::BTreeSet;
use strata_inventory_svc::topology::{pb, read};
use support::Vcsim;

#[tokio::test]
async fn lists_vms_datastores_and_hosts() {
    let Some(vcsim) = Vcsim::start(&["-vm", "3", "-cluster", "2", "-standalone-host", "1", "-ds", "2"]) else { return };
    let client = vcsim.client();
    let vms = read::list_vms(&client).await.unwrap();
    // Three a cluster's pool and three on the lone host.
    assert_eq!(vms.len(), 9, "{vms:#?}");
    let uuids: BTreeSet<&str> = vms.iter().map(|vm| vm.instance_uuid.as_str()).collect();
    assert_eq!(uuids.len(), 9);
    for vm in &vms {
        assert_eq!(vm.name, format!("vcenters/vc-1/vms/{}", vm.instance_uuid));
        assert_eq!(vm.power_state(), pb::PowerState::On, "{}", vm.display_name);
        assert_eq!((vm.folder_path.as_str(), vm.datacenter_path.as_str()), ("/DC0/vm", "/DC0"));
        assert!(vm.vmx_path.starts_with("[LocalDS_"), "{}", vm.vmx_path);
        assert!(vm.host.starts_with("DC0_") && vm.pool_moref.starts_with("resgroup-"), "{vm:#?}");
    }
    let stores = read::list_datastores(&client).await.unwrap();
    assert_eq!(stores.len(), 2);
    for store in &stores {
        assert!(store.accessible && store.capacity_bytes > 0, "{store:#?}");
        assert!(!store.mounts.is_empty());
        assert_eq!(store.datacenter_path, "/DC0");
    }
    let hosts = read::list_hosts(&client).await.unwrap();
    assert_eq!(hosts.len(), 7);
    assert_eq!(hosts.iter().filter(|host| host.cluster == "DC0_C0").count(), 3);
    for host in &hosts {
        assert_eq!(host.connection_state, "connected");
        assert!(!host.root_pool_moref.is_empty() && !host.addresses.is_empty(), "{host:#?}");
    }
}

#[tokio::test]
async fn a_topology_names_disks_files_and_neighbours() {
    let Some(vcsim) = Vcsim::start(&["-vm", "3"]) else { return };
    let client = vcsim.client();
    let vms = read::list_vms(&client).await.unwrap();
    let uuids: Vec<String> = vms.iter().map(|vm| vm.instance_uuid.clone()).collect();
    let topologies = read::topologies(&client, &uuids, false).await.unwrap();
    assert_eq!(topologies.len(), 6);
    for (topology, vm) in topologies.iter().zip(&vms) {
        let own = topology.vm.as_ref().unwrap();
        assert_eq!(own.name, vm.name);
        assert_eq!(topology.disks.len(), 1, "{topology:#?}");
        let disk = &topology.disks[0];
        assert_eq!(disk.kind(), pb::DiskKind::File);
        assert!(disk.chain[0].ends_with("disk1.vmdk") && disk.address == "scsi0:0", "{disk:#?}");
        assert_eq!(disk.datastore, topology.datastores[0].name);
        assert!(topology.files.iter().any(|file| file.kind() == pb::VmFileKind::Config));
        let neighbours = topology.tenants.iter().filter(|tenant| tenant.kind() == pb::TenantKind::Vm);
        assert_eq!(neighbours.count(), 5, "{:#?}", topology.tenants);
        assert_eq!(topology.network_adapters.len(), 1);
        assert_eq!(topology.gaps, [] as [String; 0]);
        assert_eq!(topology.shared_files, []);
    }
}

#[tokio::test]
async fn an_unknown_vm_is_named() {
    let Some(vcsim) = Vcsim::start(&[]) else { return };
    let error = read::read_vm(&vcsim.client(), "00000000-0000-0000-0000-000000000000").await.unwrap_err();
    assert_eq!(error.kind(), strata_model::ErrorKind::NotFound);
    assert!(error.to_string().contains("vc-1 has no VM with the instanceUuid 00000000-"), "{error}");
}
