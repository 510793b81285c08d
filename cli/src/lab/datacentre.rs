//! The built-in vCenter and its VMs: enough of each kind that what Strata can and cannot do is seen.

use super::{arrays::Arrays, facts::VcenterFacts, fault};
use crate::failure::Failure;
use fs_err as fs;
use std::{path::Path, sync::Arc};
use strata_sim::{
    serve::Served,
    world::{
        MemTree, Space, World,
        compute::{DiskSpec, Vcenter, VmSpec, snapshot::NewSnapshot, vm::Tools},
    },
};

/// The account of the simulated vCenter.
pub const USERNAME: &str = "strata@vsphere.local";
/// Its password; it protects nothing.
pub const PASSWORD: &str = "simulated";

const GIB: u64 = 1 << 30;

/// Builds the vCenter with its VMs, and their files on the arrays.
pub fn build(world: &Arc<World>, arrays: &Arrays, web_disk_bytes: u64) -> Result<Arc<Vcenter>, Failure> {
    let mut builder = Vcenter::builder(world.clone(), "vc-1")
        .user(USERNAME, PASSWORD)
        .datacenter("DC1")
        .cluster("Cluster1")
        .host("esx-01.lab")
        .host("esx-02.lab");
    for (name, host, path) in arrays.all.iter().flat_map(|array| &array.datastores) {
        builder = builder.nfs_datastore(name, host, path);
    }
    // Block storage that no array of the lab serves: what Strata says about it is worth seeing, too.
    let local = Arc::new(MemTree::new(Space::unlimited()));
    builder = builder.vmfs_datastore("vmfs-01", &["naa.60000000000000000000000000000001"], local);
    for vm in vms(web_disk_bytes) {
        builder = builder.vm(vm);
    }
    let vcenter = builder.build().map_err(|error| fault("the simulated vCenter", error.message))?;
    open_snapshot(&vcenter, "build-01")?;
    Ok(vcenter)
}

fn vms(web_disk_bytes: u64) -> Vec<VmSpec> {
    let vm = |name: &str, datastore: &str, bytes: u64| {
        VmSpec::named(name).datastore(datastore).disks(vec![DiskSpec::of(bytes)])
    };
    let elsewhere = |datastore: &str, bytes| DiskSpec { datastore: Some(datastore.to_owned()), ..DiskSpec::of(bytes) };
    let raw = ("naa.60000000000000000000000000000002".to_owned(), true);
    vec![
        // Neighbours on one datastore.
        vm("web-01", "nfs-01", web_disk_bytes).on(),
        vm("web-02", "nfs-01", 40 * GIB).on(),
        VmSpec { tools: Tools::Absent, ..vm("app-01", "nfs-01", 20 * GIB).on() },
        // Spread over two.
        vm("db-01", "nfs-02", 0).disks(vec![DiskSpec::of(60 * GIB), elsewhere("nfs-03", 200 * GIB)]).on(),
        VmSpec { cbt: true, ..vm("db-02", "nfs-02", 60 * GIB).on() },
        vm("cache-01", "nfs-02", 10 * GIB).on(),
        VmSpec { template: true, ..vm("golden-image", "nfs-02", 20 * GIB) },
        vm("files-01", "nfs-03", 500 * GIB),
        // Gets a VMware snapshot.
        vm("build-01", "nfs-03", 80 * GIB).on(),
        vm("mail-01", "nfs-03", 120 * GIB).on(),
        vm("log-01", "nfs-04", 100 * GIB).on(),
        vm("test-01", "nfs-04", 20 * GIB),
        vm("rdm-01", "vmfs-01", 0)
            .disks(vec![DiskSpec::of(20 * GIB), DiskSpec { rdm: Some(raw), ..DiskSpec::of(100 * GIB) }])
            .on(),
    ]
}

fn open_snapshot(vcenter: &Vcenter, name: &str) -> Result<(), Failure> {
    let ask = NewSnapshot {
        name: "before the upgrade".to_owned(),
        description: "left open by somebody".to_owned(),
        ..NewSnapshot::default()
    };
    vcenter
        .with(|state| {
            let id = state.vms.iter().find(|(_, vm)| vm.config.name == name).map(|(id, _)| id.clone());
            state.create_snapshot(&id.unwrap_or_default(), &ask)
        })
        .map(drop)
        .map_err(|error| fault("the simulated vCenter", error.message))
}

/// What a client of the vCenter needs; writes the file with its authority.
pub fn facts(face: &Served, directory: &Path) -> Result<VcenterFacts, Failure> {
    let ca_file = directory.join("vc-1.pem");
    fs::write(&ca_file, face.ca_pem.as_deref().unwrap_or_default())
        .map_err(|error| fault("the simulated vCenter", error))?;
    Ok(VcenterFacts {
        name: "vc-1".to_owned(),
        url: face.url(),
        username: USERNAME.to_owned(),
        password: PASSWORD.to_owned(),
        ca_file: Some(ca_file),
    })
}
