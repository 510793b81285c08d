//! The main job with VMware's own simulator as the vCenter, over HTTPS, and the filer on XFS under its datastores. The calls
//! that stock vcsim lacks are added by tests/interop/vcsimx.

use std::{path::Path, sync::Arc};
use strata_gateway::ports::{Inventory, Ports, Storage};
use strata_inventory_svc::{InventorySvc, config::InventoryConfig};
use strata_kit::{
    clock::SystemClock,
    config::load_text,
    http::{ReqwestClient, SharedHttp, TlsOptions},
};
use strata_model::ids::ArrayName;
use strata_proto::strata::{
    common::v1::Grade,
    gateway::v1::{
        self as pb, clone_service_client::CloneServiceClient, snapshot_service_client::SnapshotServiceClient,
        vm_service_client::VmServiceClient,
    },
};
use strata_storage_svc::{
    StorageSvc,
    drivers::filer::{EngineChoice, Filer, FilerConfig},
};
use strata_tests::{
    conformance::rows::image::Image,
    house::{Caller, in_process, open_gateway},
    peers,
    vcsimx::{FILER, Vcsimx, write_machines},
};

/// inventory-svc for it, with its certificate pinned.
fn inventory_svc(vcsimx: &Vcsimx) -> anyhow::Result<InventorySvc> {
    let ready = &vcsimx.ready;
    let text = format!(
        "[[vcenter]]\nname = \"vcsim\"\nurl = \"{}\"\nusername = \"{}\"\npassword = \"{}\"\nthumbprint = \"{}\"\n",
        ready.url.trim_end_matches("/sdk"),
        ready.username,
        ready.password,
        ready.thumbprint_sha256
    );
    let config: InventoryConfig = load_text("test", &text, [])?.value;
    let http =
        |_: &str, options: &TlsOptions| -> Result<SharedHttp, String> { Ok(Arc::new(ReqwestClient::new(options)?)) };
    InventorySvc::new(&config, &http, &SystemClock::shared()).map_err(anyhow::Error::msg)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_main_job_on_vcsim() -> anyhow::Result<()> {
    let image = match Image::mount(&["mkfs.xfs", "-q", "-m", "reflink=1"], 512 << 20) {
        Ok(image) => image,
        Err(missing) => {
            peers::skip(&format!("no XFS here: {missing:#}"));
            return Ok(());
        }
    };
    let root = image.path();
    write_machines(&root.join("ds1"), "ds1", 2)?;
    let Some(vcsimx) = Vcsimx::start_with_datastore(&root, "ds1", "/ds1", &[])? else { return Ok(()) };
    let directory = tempfile::tempdir()?;
    let clock = SystemClock::shared();
    let config = FilerConfig {
        root: root.clone(),
        hosts: vec![FILER.to_owned()],
        path_prefix: Some("/".to_owned()),
        volumes: None,
        engine: EngineChoice::default(),
    };
    let filer = Arc::new(Filer::new(config, clock.clone()));
    let storage =
        in_process("storage-svc", StorageSvc::from_drivers(vec![(ArrayName::from("filer-1"), filer)], &clock).routes());
    let inventory = in_process("inventory-svc", inventory_svc(&vcsimx)?.routes());
    let ports = Ports { inventory: Inventory::new(inventory), storage: Storage::new(storage) };
    let gateway = open_gateway(&directory.path().join("gateway"), ports).await?;
    let caller = Caller(in_process("gateway", gateway.api.routes()));
    the_main_job(&caller, &root).await?;
    assert!(gateway.deps().ledger.entries().await?.is_empty(), "nothing of ours is left");
    Ok(())
}

async fn the_main_job(caller: &Caller, root: &Path) -> anyhow::Result<()> {
    let disk = |vm: &str, file: &str| root.join("ds1").join(vm).join(file);
    let write = |byte: u8| -> anyhow::Result<()> {
        let path = disk("ds1-vm02", "ds1-vm02-flat.vmdk");
        std::os::unix::fs::FileExt::write_all_at(&std::fs::File::options().write(true).open(path)?, &[byte; 4096], 0)?;
        Ok(())
    };
    let read = |vm: &str| -> anyhow::Result<u8> { Ok(fs_err::read(disk(vm, "ds1-vm02-flat.vmdk"))?[100]) };
    write(1)?;

    let vm = caller.vm("ds1-vm02").await?;
    let mut snapshots = SnapshotServiceClient::new(caller.0.clone());
    let request = pb::CreateSnapshotRequest { vm: vm.clone(), grade: Grade::Crash.into(), ..Default::default() };
    let snapshot: pb::Snapshot = caller.finish(snapshots.create_snapshot(request).await).await?.answer()?;
    write(2)?;

    let mut clones = CloneServiceClient::new(caller.0.clone());
    let request =
        pb::CreateCloneRequest { snapshot: snapshot.name.clone(), display_name: "copy".into(), ..Default::default() };
    let clone: pb::Clone = caller.finish(clones.create_clone(request).await).await?.answer()?;
    assert_eq!(read("copy")?, 1, "the clone holds the old bytes");
    assert_eq!(caller.vm("copy").await?, clone.vm, "the clone is registered under its own uuid");

    let mut vms = VmServiceClient::new(caller.0.clone());
    let request = pb::RevertVmRequest { vm: vm.clone(), snapshot: snapshot.name.clone(), ..Default::default() };
    let reverted: pb::RevertVmResponse = caller.finish(vms.revert_vm(request).await).await?.answer()?;
    assert_eq!(read("ds1-vm02")?, 1, "the VM holds the old bytes");

    let request = pb::DeleteCloneRequest { name: clone.name, ..Default::default() };
    caller.finish(clones.delete_clone(request).await).await?.answer::<()>()?;
    assert!(!disk("copy", "").exists(), "the clone's directory is gone");
    for name in [snapshot.name, reverted.safety_snapshot] {
        let request = pb::DeleteSnapshotRequest { name, ..Default::default() };
        caller.finish(snapshots.delete_snapshot(request).await).await?.answer::<()>()?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_vms_in_clusters_pools_and_folders_are_found() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let arguments = ["-vms", "250", "-clusters", "2", "-pools", "2"];
    let Some(vcsimx) = Vcsimx::start(directory.path(), &arguments)? else { return Ok(()) };
    let Some(govc) = vcsimx.govc() else { return Ok(()) };
    govc.spread_over_folders()?;
    let inventory = Inventory::new(in_process("inventory-svc", inventory_svc(&vcsimx)?.routes()));
    let (vms, unreachable) = inventory.all_vms("vcenters/-", "").await?;
    assert_eq!(unreachable, Vec::<String>::new());
    assert_eq!(vms.len(), 1000);
    let mut names: Vec<&str> = vms.iter().map(|vm| vm.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 1000, "every VM has a name of its own");
    let folders: std::collections::BTreeSet<&str> = vms.iter().map(|vm| vm.folder_path.as_str()).collect();
    assert_eq!(folders.len(), 10, "{folders:?}");
    let (one, _) = inventory.all_vms("vcenters/vcsim", &vms[500].display_name).await?;
    assert_eq!(one.iter().map(|vm| &vm.name).collect::<Vec<_>>(), [&vms[500].name]);
    Ok(())
}
