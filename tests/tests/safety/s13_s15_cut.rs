//! S13: things move while a cut is made. S15: torn copies.

use super::{BLOCK, done, refused};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use strata_kit::status::ErrorReport;
use strata_proto::{
    google::longrunning::Operation,
    strata::{
        common::v1::Grade,
        gateway::v1::{self as pb, snapshot_service_client::SnapshotServiceClient},
    },
};
use strata_sim::world::compute::{
    Vcenter, VmSpec,
    value::{MoRef, Obj, Val},
};
use strata_tests::house::{ArrayKind, Finished, House, Side, on_each};
use tokio::sync::Notify;

/// How a VM moves under a cut.
#[derive(Debug, Clone, Copy)]
enum Motion {
    /// vMotion: another host.
    Host,
    /// A reconfiguration by somebody.
    Reconfigured,
    /// A task that vCenter runs.
    Task,
}

impl Motion {
    const ALL: [Motion; 3] = [Motion::Host, Motion::Reconfigured, Motion::Task];

    fn happen(self, vcenter: &Arc<Vcenter>, id: &str) {
        vcenter.with(|state| {
            let hosts: Vec<String> = state.hosts.keys().cloned().collect();
            match self {
                Motion::Host => {
                    if let Ok(vm) = state.vm_mut(id) {
                        vm.host = hosts.into_iter().find(|host| *host != vm.host).unwrap_or_default();
                    }
                }
                Motion::Reconfigured => {
                    if let Ok(vm) = state.vm_mut(id) {
                        vm.config.memory_mb += 1024;
                    }
                    let _saved = state.save(id);
                }
                Motion::Task => {
                    let vm = MoRef::new("VirtualMachine", id);
                    let task = state.new_task("VirtualMachine.migrate", Some(vm), "somebody");
                    state.mark_running(&task);
                }
            }
            state.touch();
        });
    }
}

/// Moves the VM at each of the first `times` cuts; the counter says how many cuts were made.
fn move_under_cuts(house: &House, motion: Motion, times: usize) -> Arc<AtomicUsize> {
    let (vcenter, id) = (house.vcenter.clone(), house.moref("web-01"));
    let cuts = Arc::new(AtomicUsize::new(0));
    let counted = cuts.clone();
    house.gate.hook(move |method, side| {
        if method == "EnsureSnapshot" && side == Side::After && counted.fetch_add(1, Ordering::SeqCst) < times {
            motion.happen(&vcenter, &id);
        }
        Ok(())
    });
    cuts
}

#[tokio::test]
async fn s13_things_move_once_and_the_cut_is_tried_once_more() -> anyhow::Result<()> {
    for grade in [Grade::Crash, Grade::Vm] {
        for motion in [Motion::Host, Motion::Reconfigured] {
            let house = House::builder().array(ArrayKind::Reference).vm(VmSpec::named("web-01").on()).start().await?;
            house.write("web-01", &[1; BLOCK])?;
            let cuts = move_under_cuts(&house, motion, 1);
            let snapshot = done(house.snapshot("web-01", |request| request.grade = grade.into()).await?)?;
            house.gate.open();
            assert_eq!(cuts.load(Ordering::SeqCst), 2, "{grade:?} {motion:?}");
            assert_eq!(house.owned().await?.len(), 1, "the first cut was removed: {grade:?} {motion:?}");
            house.check().await?;
            done(house.clone_of(&snapshot.name, "t", |_| {}).await?)?;
            assert_eq!(house.read("t", BLOCK)?, [1; BLOCK]);
            house.check().await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn s13_things_move_twice_and_nothing_is_left() -> anyhow::Result<()> {
    for grade in [Grade::Crash, Grade::Vm] {
        for motion in Motion::ALL {
            let house = House::builder().array(ArrayKind::Reference).vm(VmSpec::named("web-01").on()).start().await?;
            let before = house.picture().await?;
            let cuts = move_under_cuts(&house, motion, 2);
            let outcome = house.snapshot("web-01", |request| request.grade = grade.into()).await?;
            house.gate.open();
            refused(outcome, "VM_MOVED", &["web-01", "twice", "try again"])?;
            assert_eq!(cuts.load(Ordering::SeqCst), 2, "{grade:?} {motion:?}");
            // Somebody's reconfiguration stays; nothing of ours does.
            before.expect_only(&house.picture().await?, &["web-01.vmx", "vm vc-1/web-01", "web-01.vmsd"])?;
            assert!(house.owned().await?.is_empty());
            house.check().await?;
        }
    }
    Ok(())
}

/// Moves the VM at each of the first `moves` cuts, loses the answer of the `lost`-th, and restarts the gateway there, before
/// it looked at the VM again.
async fn restart_between_cut_and_look(grade: Grade, moves: usize, lost: usize) -> anyhow::Result<(House, Finished)> {
    let house = House::builder().array(ArrayKind::Reference).vm(VmSpec::named("web-01").on()).start().await?;
    let (vcenter, id) = (house.vcenter.clone(), house.moref("web-01"));
    let (mut cuts, reached) = (0, Arc::new(Notify::new()));
    let told = reached.clone();
    house.gate.hook(move |method, side| {
        if method != "EnsureSnapshot" || side == Side::Before {
            return Ok(());
        }
        cuts += 1;
        if cuts <= moves {
            Motion::Host.happen(&vcenter, &id);
        }
        if cuts == lost {
            told.notify_one();
            return Err(tonic::Status::unavailable("the test lost this answer"));
        }
        Ok(())
    });
    let vm = house.vm("web-01").await?;
    let request = pb::CreateSnapshotRequest { vm, grade: grade.into(), ..Default::default() };
    let begun = SnapshotServiceClient::new(house.upstream.clone()).create_snapshot(request).await?.into_inner();
    reached.notified().await;
    let house = house.restart().await?;
    let operation = Operation { name: begun.name, ..Operation::default() };
    let ended = house.finish(Ok(tonic::Response::new(operation))).await?;
    house.gate.open();
    Ok((house, ended))
}

#[tokio::test]
async fn s13_things_move_while_the_gateway_restarts_and_the_cut_is_tried_once_more() -> anyhow::Result<()> {
    for grade in [Grade::Crash, Grade::Vm] {
        let (house, ended) = restart_between_cut_and_look(grade, 1, 1).await?;
        assert!(matches!(ended, Finished::Well(_)), "{grade:?} {ended:?}");
        let points = house.gateway.deps().catalog.points()?;
        assert!(points[0].cut.key.ends_with("-2"), "{grade:?}: the cut during the move stands: {}", points[0].cut.key);
        assert_eq!(house.owned().await?.len(), 1, "{grade:?}");
        house.check().await?;
    }
    Ok(())
}

#[tokio::test]
async fn s13_things_move_again_while_the_gateway_restarts_and_nothing_is_left() -> anyhow::Result<()> {
    for grade in [Grade::Crash, Grade::Vm] {
        let (house, ended) = restart_between_cut_and_look(grade, 2, 2).await?;
        let error = ErrorReport::from_status(&ended.error()?);
        assert_eq!(error.reason, "VM_MOVED", "{grade:?} {error:?}");
        assert!(house.owned().await?.is_empty(), "{grade:?}");
        house.check().await?;
    }
    Ok(())
}

#[tokio::test]
async fn s13_things_move_to_other_disks_and_it_is_refused() -> anyhow::Result<()> {
    // Storage vMotion between plan and cut: the files are no longer where the plan found them.
    let house = House::builder().array(ArrayKind::Reference).vm(VmSpec::named("web-01")).start().await?;
    let (vcenter, id) = (house.vcenter.clone(), house.moref("web-01"));
    let mut once = true;
    house.gate.hook(move |method, side| {
        if method == "EnsureSnapshot" && side == Side::Before && std::mem::take(&mut once) {
            vcenter.with(|state| {
                let to = state.datastore_named("ds2", None).cloned().unwrap_or_default();
                let mut spec = Val::Obj(Obj { ty: "VirtualMachineRelocateSpec".to_owned(), fields: Vec::new() });
                spec.set("datastore", MoRef::new("Datastore", to));
                if let Err(fault) = state.relocate(&id, &spec) {
                    panic!("the simulator does not move it: {}", fault.message);
                }
            });
        }
        Ok(())
    });
    refused(house.snapshot("web-01", |_| {}).await?, "VM_CHANGED", &["web-01", "ds1", "ds2"])?;
    house.gate.open();
    assert!(house.owned().await?.is_empty());
    house.check().await
}

#[tokio::test]
async fn s15_torn_copies_are_refused() -> anyhow::Result<()> {
    let house = House::builder()
        .array(ArrayKind::FilerOnDirectory)
        .vm(VmSpec::named("web-01").on())
        .vm(VmSpec::named("off-01"))
        .start()
        .await?;
    if !copies(&house).await? {
        // The temporary directory lies on a filesystem that shares blocks.
        strata_tests::peers::skip("this machine's temporary filesystem clones, so nothing is copied on it");
        return Ok(());
    }
    let before = house.picture().await?;
    refused(house.snapshot("web-01", |_| {}).await?, "VM_RUNNING", &["web-01", "torn", "power web-01 off"])?;
    before.expect_same(&house.picture().await?)?;
    let tree = house.tree("ds1")?;
    tree.write("off-01/off-01-flat.vmdk", 0, &[7; BLOCK])?;
    let snapshot = done(house.snapshot("off-01", |_| {}).await?)?;
    tree.write("off-01/off-01-flat.vmdk", 0, &[8; BLOCK])?;
    done(house.revert("off-01", &snapshot.name, |_| {}).await?)?;
    assert_eq!(house.read("off-01", BLOCK)?, [7; BLOCK]);
    house.check().await
}

#[tokio::test]
async fn s15_torn_copies_are_refused_when_it_is_turned_on_after_the_plan() -> anyhow::Result<()> {
    let house = House::builder().array(ArrayKind::FilerOnDirectory).vm(VmSpec::named("web-01")).start().await?;
    if !copies(&house).await? {
        strata_tests::peers::skip("this machine's temporary filesystem clones, so nothing is copied on it");
        return Ok(());
    }
    let (vcenter, id) = (house.vcenter.clone(), house.moref("web-01"));
    let mut once = true;
    house.gate.hook(move |method, side| {
        if method == "EnsureSnapshot" && side == Side::Before && std::mem::take(&mut once) {
            vcenter.with(|state| state.power_on_now(&id)).expect("it starts");
        }
        Ok(())
    });
    let error = house.snapshot("web-01", |_| {}).await?.expect_err("it was copied while it ran");
    house.gate.open();
    assert!(error.message.contains("web-01"), "{error:?}");
    assert!(house.owned().await?.is_empty(), "the torn copy is gone");
    house.check().await
}

#[tokio::test]
async fn s15_live_snapshots_where_blocks_are_shared() -> anyhow::Result<()> {
    on_each(&ArrayKind::CLONING, |array| async move {
        let house = House::builder().array(array).vm(VmSpec::named("web-01").on()).start().await?;
        done(house.snapshot("web-01", |request: &mut pb::CreateSnapshotRequest| request.keep = None).await?)?;
        house.check().await
    })
    .await
}

async fn copies(house: &House) -> anyhow::Result<bool> {
    let array = house.gateway.deps().ports.storage.get_array("arrays/array-1").await?;
    Ok(array.capabilities.is_some_and(|capabilities| capabilities.needs_vm_off))
}
