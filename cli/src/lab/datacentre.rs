//! The built-in vCenter and its VMs: enough of each kind that what Strata can and cannot do is seen.

use super::{
    arrays::{Arrays, On, RAW_BYTES},
    facts::VcenterFacts,
    fault,
};
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
    for place in arrays.all.iter().flat_map(|array| &array.places) {
        builder = match &place.on {
            On::Nfs { host, path } => builder.nfs_datastore(&place.datastore, host, path),
            On::Luns(luns) => builder.lun_datastore(&place.datastore, luns),
        };
    }
    // What Strata says about what it does not support is worth seeing, too.
    builder = builder.vsan_datastore("vsan-01", Arc::new(MemTree::new(Space::unlimited())));
    let raw = arrays.raw.as_ref();
    if let Some(raw) = raw {
        builder = builder.mapped_lun(raw.array, raw.lun);
    }
    for vm in vms(arrays.first, raw.map(|raw| raw.device.clone()), web_disk_bytes) {
        builder = builder.vm(vm);
    }
    let vcenter = builder.build().map_err(|error| fault("the simulated vCenter", error.message))?;
    open_snapshot(&vcenter, "build-01")?;
    Ok(vcenter)
}

fn vms([first, second, third]: [&str; 3], raw: Option<String>, web_disk_bytes: u64) -> Vec<VmSpec> {
    let vm = |name: &str, datastore: &str, bytes: u64| {
        VmSpec::named(name).datastore(datastore).disks(vec![DiskSpec::of(bytes)])
    };
    let elsewhere = |datastore: &str, bytes| DiskSpec { datastore: Some(datastore.to_owned()), ..DiskSpec::of(bytes) };
    let raw = raw.map(|device| DiskSpec { rdm: Some((device, true)), ..DiskSpec::of(RAW_BYTES) });
    let with_raw = std::iter::once(DiskSpec::of(20 * GIB)).chain(raw).collect();
    vec![
        // Neighbours on one datastore.
        vm("web-01", first, web_disk_bytes).on(),
        vm("web-02", first, 40 * GIB).on(),
        VmSpec { tools: Tools::Absent, ..vm("app-01", first, 20 * GIB).on() },
        // Spread over two.
        vm("db-01", second, 0).disks(vec![DiskSpec::of(60 * GIB), elsewhere(third, 200 * GIB)]).on(),
        VmSpec { cbt: true, ..vm("db-02", second, 60 * GIB).on() },
        vm("cache-01", second, 10 * GIB).on(),
        VmSpec { template: true, ..vm("golden-image", second, 20 * GIB) },
        vm("files-01", third, 500 * GIB),
        // Gets a VMware snapshot.
        vm("build-01", third, 80 * GIB).on(),
        vm("mail-01", third, 120 * GIB).on(),
        vm("log-01", "nfs-04", 100 * GIB).on(),
        vm("test-01", "nfs-04", 20 * GIB),
        vm("mon-01", "nfs-05", 60 * GIB).on(),
        // On LUNs, whatever the first datastores lie on: one with a raw device, and one on a datastore of two LUNs.
        vm("rdm-01", "vmfs-01", 0).disks(with_raw).on(),
        vm("print-01", "vmfs-01", 40 * GIB).on(),
        vm("erp-01", "vmfs-02", 300 * GIB).on(),
        // On what is not supported.
        vm("vdi-01", "vsan-01", 40 * GIB).on(),
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
