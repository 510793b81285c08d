//! A simulated vCenter on a free port of this machine, for trying clients:
//! `cargo run -p strata-sim --example vcenter [-- VMS [plain]]`. Prints one line of JSON and stays until it is
//! stopped. With `VMS`, that many more VMs are made in folders; with `plain`, without TLS.

use std::{io::Write as _, sync::Arc};
use strata_sim::{
    clock::{MachineClock, SimClock},
    serve::{Security, serve},
    skins,
    world::{
        MemTree, Space, World,
        compute::{DiskSpec, Vcenter, VmSpec, vm::Tools},
        storage::{ArraySpec, Lun, NewLun, NewVolume, StorageError},
        tree::FileTree,
    },
};

fn tree() -> Arc<dyn FileTree> {
    Arc::new(MemTree::new(Space::unlimited()))
}

/// An array with a LUN for a datastore and one for a raw disk.
fn luns(world: &World) -> Result<(Lun, Lun), StorageError> {
    world.add_array(ArraySpec::new("san1", "192.0.2.2"))?;
    let array = world.array("san1")?;
    let (name, export_path) = ("vol1".to_owned(), String::new());
    let volume = array.create_volume(NewVolume { name, comment: String::new(), export_path, size_bytes: 1 << 40 })?;
    let make = |name: &str| {
        array.create_lun(volume.id, NewLun { name: name.to_owned(), comment: String::new(), size_bytes: 1 << 34 })
    };
    Ok((make("lun1")?, make("lun2")?))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let more: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
    let clock: Arc<dyn SimClock> = Arc::new(MachineClock);
    let world = World::new(clock);
    world.register_nfs("192.0.2.1", "/vol/ds1", tree());
    world.register_nfs("192.0.2.1", "/vol/ds2", tree());
    // What an array's clone would be: an export that no host has mounted yet.
    world.register_nfs("192.0.2.1", "/vol/clone1", tree());
    let (datastore, raw) = luns(&world)?;
    let mut builder = Vcenter::builder(world, "vc01")
        .user("administrator@vsphere.local", "secret")
        .datacenter("DC0")
        .cluster("C0")
        .host("esx1.example")
        .host("esx2.example")
        .pool("tests")
        .network("isolated")
        .nfs_datastore("ds1", "192.0.2.1", "/vol/ds1")
        .nfs_datastore("ds2", "192.0.2.1", "/vol/ds2")
        .lun_datastore("vmfs1", &[("san1", datastore.id)])
        .mapped_lun("san1", raw.id)
        .vm(VmSpec::named("web-01").on())
        .vm(VmSpec::named("db-01")
            .disks(vec![DiskSpec::of(4 << 20), DiskSpec { datastore: Some("ds2".into()), ..DiskSpec::of(2 << 20) }]))
        .vm(VmSpec { template: true, ..VmSpec::named("golden") })
        .vm(VmSpec { tools: Tools::Absent, ..VmSpec::named("plain") }.on())
        .vm(VmSpec::named("rdm-01").datastore("vmfs1").disks(vec![
            DiskSpec::of(1 << 20),
            DiskSpec { rdm: Some((raw.canonical_name, true)), ..DiskSpec::of(1 << 20) },
        ]));
    for n in 0..more {
        let folder = Some(format!("folder{}", n % 10));
        builder = builder.vm(VmSpec { folder, ..VmSpec::named(&format!("vm-{n:05}")) });
    }
    let vc = builder.build().map_err(|f| f.message)?;
    let security = if std::env::args().any(|a| a == "plain") { Security::Plain } else { Security::Tls };
    let served = serve(skins::vcenter::router(vc), security).await?;
    let url = format!("{}/sdk", served.url());
    let mut out = std::io::stdout();
    writeln!(out, r#"{{"url":"{url}","username":"administrator@vsphere.local","password":"secret"}}"#)?;
    out.flush()?;
    std::future::pending().await
}
