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
    on_each(&ArrayKind::REVERTING, the_main_job).await
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

#[tokio::test]
async fn clones_with_datastores_of_their_own() -> anyhow::Result<()> {
    on_each(&[ArrayKind::Reference, ArrayKind::ReferenceByVolume, ArrayKind::ReferenceByJobs], own_datastore).await
}

async fn own_datastore(array: ArrayKind) -> anyhow::Result<()> {
    let house = House::builder().array(array).vm(VmSpec::named("web-01")).start().await?;
    let vm = house.vm("web-01").await?;
    house.write("web-01", &[1; BLOCK])?;
    let mut snapshots = SnapshotServiceClient::new(house.upstream.clone());
    let request = pb::CreateSnapshotRequest { vm, ..Default::default() };
    let snapshot: pb::Snapshot = house.finish(snapshots.create_snapshot(request).await).await?.answer()?;
    house.write("web-01", &[2; BLOCK])?;

    let mut clones = CloneServiceClient::new(house.upstream.clone());
    let request = pb::CreateCloneRequest {
        snapshot: snapshot.name.clone(),
        display_name: "copy".into(),
        own_datastore: true,
        ..Default::default()
    };
    let clone: pb::Clone = house.finish(clones.create_clone(request).await).await?.answer()?;
    assert_eq!(clone.way, "volume");
    assert_eq!(house.read("copy", BLOCK)?, vec![1; BLOCK], "the clone holds the old bytes");

    // The array's rule, not ours: a clone pins its snapshot, and the error names the clone.
    let request = pb::DeleteSnapshotRequest { name: snapshot.name.clone(), ..Default::default() };
    let refused = snapshots.delete_snapshot(request.clone()).await.expect_err("a clone was made of it");
    assert!(refused.message().contains("copy"), "{refused}");

    let request_clone = pb::DeleteCloneRequest { name: clone.name, ..Default::default() };
    house.finish(clones.delete_clone(request_clone).await).await?.answer::<()>()?;
    house.finish(snapshots.delete_snapshot(request).await).await?.answer::<()>()?;
    assert!(house.gateway.deps().ledger.entries().await?.is_empty(), "nothing of ours is left");
    Ok(())
}

/// On an array that knows its volumes by uuid only, and in a vCenter that knows its datastores and hosts by MoRef.
#[tokio::test]
async fn everything_behind_a_vm_has_a_name_for_people() -> anyhow::Result<()> {
    let house = House::builder()
        .array(ArrayKind::Reference)
        .vm(VmSpec::named("web-01"))
        .vm(VmSpec::named("neighbour"))
        .start()
        .await?;
    let mut vms = VmServiceClient::new(house.upstream.clone());
    let request = pb::GetVmRequest { name: house.vm("web-01").await? };
    let vm = vms.get_vm(request).await?.into_inner();
    assert_eq!(vm.volume_display_names, ["ds1"], "{:?}", vm.volumes);
    let detail = vm.detail.unwrap_or_default();
    let mut named = std::collections::BTreeSet::new();
    for link in &detail.relations {
        for (name, shown) in [(&link.from, &link.from_display_name), (&link.to, &link.to_display_name)] {
            assert!(!shown.is_empty() || name == "arrays/array-1", "{name} has no name: {link:?}");
            named.insert(shown.as_str());
        }
    }
    for wanted in ["web-01", "Hard disk 1", "ds1", "esx-1.example", "esx-2.example"] {
        assert!(named.contains(wanted), "{wanted} is not in {named:?}");
    }
    assert!(detail.disks.iter().all(|disk| disk.volume_display_name == "ds1"), "{:?}", detail.disks);
    assert!(!detail.neighbours.is_empty());
    assert!(detail.neighbours.iter().all(|one| one.volume_display_name == "ds1"), "{:?}", detail.neighbours);
    let request = pb::ListVmsRequest { parent: "vcenters/-".into(), ..Default::default() };
    for vm in vms.list_vms(request).await?.into_inner().vms {
        assert_eq!(vm.volume_display_names, ["ds1"], "{}", vm.display_name);
    }
    Ok(())
}
