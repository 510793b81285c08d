//! The main job over a whole installation: snapshot, clone, revert, delete.

use strata_proto::strata::{
    common::v1::Grade,
    gateway::v1::{
        self as pb, clone_service_client::CloneServiceClient, snapshot_service_client::SnapshotServiceClient,
        vm_service_client::VmServiceClient,
    },
};
use strata_sim::world::compute::VmSpec;
use strata_tests::house::{ArrayKind, House, on_each};

const BLOCK: usize = 4096;

#[tokio::test]
async fn snapshot_clone_revert_and_delete() -> anyhow::Result<()> {
    on_each(&ArrayKind::CLONING, the_main_job).await
}

async fn the_main_job(array: ArrayKind) -> anyhow::Result<()> {
    let house =
        House::builder().array(array).vm(VmSpec::named("web-01")).vm(VmSpec::named("neighbour")).start().await?;
    let vm = house.vm("web-01").await?;
    let write = |name: &str, byte: u8| house.write(name, &[byte; BLOCK]);
    let read = |name: &str| house.read(name, BLOCK);
    write("web-01", 1)?;
    write("neighbour", 9)?;

    let mut snapshots = SnapshotServiceClient::new(house.upstream.clone());
    let request = pb::CreateSnapshotRequest { vm: vm.clone(), grade: Grade::Vm.into(), ..Default::default() };
    let snapshot: pb::Snapshot = house.finish(snapshots.create_snapshot(request).await).await?.answer()?;
    assert_eq!(snapshot.grade(), Grade::Vm);
    write("web-01", 2)?;
    write("neighbour", 10)?;

    let mut clones = CloneServiceClient::new(house.upstream.clone());
    let request = pb::CreateCloneRequest {
        snapshot: snapshot.name.clone(),
        display_name: "web-01-t".into(),
        ..Default::default()
    };
    let clone: pb::Clone = house.finish(clones.create_clone(request).await).await?.answer()?;
    assert_eq!(read("web-01-t")?, vec![1; BLOCK], "the clone holds the old bytes");
    assert_ne!(clone.vm, vm);

    let mut vms = VmServiceClient::new(house.upstream.clone());
    let request = pb::RevertVmRequest { vm: vm.clone(), snapshot: snapshot.name.clone(), ..Default::default() };
    let reverted: pb::RevertVmResponse = house.finish(vms.revert_vm(request).await).await?.answer()?;
    assert_eq!(read("web-01")?, vec![1; BLOCK], "the VM holds the old bytes");
    assert_eq!(read("neighbour")?, vec![10; BLOCK], "the neighbour was not touched");

    let request = pb::DeleteCloneRequest { name: clone.name, ..Default::default() };
    house.finish(clones.delete_clone(request).await).await?.answer::<()>()?;
    for name in [snapshot.name, reverted.safety_snapshot] {
        let request = pb::DeleteSnapshotRequest { name, ..Default::default() };
        house.finish(snapshots.delete_snapshot(request).await).await?.answer::<()>()?;
    }
    assert!(house.gateway.deps().ledger.entries().await?.is_empty(), "nothing of ours is left");
    Ok(())
}
