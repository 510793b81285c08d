//! What is cut over LUNs: extents at one point, siblings named, raw devices left out, a guest that does not freeze in time.

use super::{BLOCK, done, refused};
use strata_proto::strata::{
    common::v1::Grade,
    gateway::v1::{self as pb, vm_service_client::VmServiceClient},
};
use strata_sim::world::{
    compute::{
        VmSpec,
        value::{MoRef, Val},
    },
    storage::NewLun,
};
use strata_tests::house::{ArrayKind, Builder, House, Side};

fn two_extents() -> Builder {
    House::builder().array(ArrayKind::ReferenceLuns).extents("ds1", &["head", "tail"])
}

#[tokio::test]
async fn s10_extents_of_one_datastore_are_cut_at_one_point() -> anyhow::Result<()> {
    let house = two_extents().vm(VmSpec::named("web-01").on()).start().await?;
    house.write("web-01", &[1; BLOCK])?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
    assert_eq!((snapshot.members.len(), snapshot.skew_us), (2, 0));
    let extents: Vec<u32> = snapshot.members.iter().flat_map(|it| &it.luns).map(|lun| lun.extent).collect();
    assert_eq!(extents.iter().sum::<u32>(), 3, "both extents: {extents:?}");
    house.write("web-01", &[2; BLOCK])?;
    let clone = done(house.clone_of(&snapshot.name, "t", |_| {}).await?)?;
    assert_eq!(clone.datastores.len(), 1, "two LUNs, one datastore");
    assert_eq!(house.read("t", BLOCK)?, [1; BLOCK]);
    done(house.delete_clone(&clone.name, false).await?)?;
    house.check().await
}

#[tokio::test]
async fn s10_no_flag_allows_skew_between_extents() -> anyhow::Result<()> {
    for on in [true, false] {
        let spec = VmSpec { on, ..VmSpec::named("web-01") };
        let house = two_extents().vm(spec).start().await?;
        house.world.array("nas-1")?.behave(|behaviour| behaviour.group_snapshots = false)?;
        // The driver learns what the array can do when it is asked who it is.
        let house = house.restart().await?;
        let before = house.picture().await?;
        for grade in [Grade::Crash, Grade::Vm] {
            let asked = |request: &mut pb::CreateSnapshotRequest| {
                request.grade = grade.into();
                request.allow_weaker = true;
                request.accept_skew_ms = 60_000;
            };
            let error = house.snapshot("web-01", asked).await?.expect_err("extents would be torn");
            assert!(["NOT_ONE_POINT", "SKEW_TOO_LARGE"].contains(&error.reason.as_str()), "{error:?}");
        }
        before.expect_same(&house.picture().await?)?;
    }
    Ok(())
}

#[tokio::test]
async fn s06_everything_on_the_volume_is_a_neighbour() -> anyhow::Result<()> {
    // Two datastores on LUNs of one volume, and a LUN that nobody has a datastore on.
    let house = House::builder()
        .array(ArrayKind::ReferenceLuns)
        .extents("ds1", &["shared"])
        .extents("ds2", &["shared"])
        .vm(VmSpec::named("web-01"))
        .vm(VmSpec { datastore: Some("ds2".into()), ..VmSpec::named("elsewhere") })
        .start()
        .await?;
    let array = house.world.array("nas-1")?;
    let volume = array.volumes()?.into_iter().find(|volume| volume.name == "shared").expect("the volume").id;
    array.create_lun(volume, NewLun { name: "raw".into(), comment: String::new(), size_bytes: 1 << 20 })?;
    let request = pb::GetVmRequest { name: house.vm("web-01").await? };
    let vm = VmServiceClient::new(house.upstream.clone()).get_vm(request).await?.into_inner();
    let detail = vm.detail.expect("detail");
    let names: Vec<&str> = detail.neighbours.iter().map(|it| it.display_name.as_str()).collect();
    assert!(names.contains(&"elsewhere"), "{names:?}");
    assert!(names.iter().any(|name| name.contains("LUN raw") && name.contains("nobody")), "{names:?}");
    let kinds: Vec<&str> = detail.relations.iter().map(|link| link.kind.as_str()).collect();
    for kind in ["is on LUN", "lies in volume", "mapped to", "is on array"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    let lun = detail.relations.iter().find(|link| link.kind == "is on LUN").expect("a link");
    assert!(lun.evidence.contains("naa."), "{}", lun.evidence);
    Ok(())
}

#[tokio::test]
async fn s16_a_raw_device_is_not_in_the_restore_point() -> anyhow::Result<()> {
    let builder = House::builder().array(ArrayKind::ReferenceLuns).vm(VmSpec::named("web-01"));
    let house = builder.raw_disk("web-01").start().await?;
    let words = ["naa.", "not in this restore point", "--allow-partial"];
    refused(house.snapshot("web-01", |_| {}).await?, "DISKS_EXCLUDED", &words)?;
    let snapshot = done(house.snapshot("web-01", |request| request.allow_partial = true).await?)?;
    assert_eq!((snapshot.disks.len(), snapshot.excluded_disks.len()), (1, 1));
    let clone = done(house.clone_of(&snapshot.name, "t", |_| {}).await?)?;
    assert!(clone.stripped.iter().any(|what| what.contains("scsi0:1")), "{:?}", clone.stripped);
    house.vcenter.with(|state| {
        let vm = state.vms.values().find(|vm| vm.config.name == "t").expect("the clone");
        assert_eq!(vm.disks().filter(|disk| disk.rdm.is_some()).count(), 0, "it has no raw device");
        let own = vm.disks().all(|disk| state.show(&disk.file).starts_with("[strata-t-1] "));
        assert!(own, "every disk is its own");
    });
    done(house.delete_clone(&clone.name, false).await?)?;
    house.check().await
}

/// vCenter's task to make the VMware snapshot goes on for longer than the guest is given, and ends when somebody waits for
/// its removal.
async fn slow_freeze() -> anyhow::Result<House> {
    let house = House::builder().array(ArrayKind::ReferenceLuns).vm(VmSpec::named("web-01").on()).start().await?;
    let (vcenter, id) = (house.vcenter.clone(), house.moref("web-01"));
    let mut task = None;
    let mut asked = 0;
    house.gate.hook(move |method, side| {
        if side == Side::Before && method == "QuiesceVm" && task.is_none() {
            task = Some(vcenter.with(|state| {
                let task = state.new_task("CreateSnapshot_Task", Some(MoRef::new("VirtualMachine", &id)), "somebody");
                state.mark_running(&task);
                task
            }));
        }
        asked += usize::from(side == Side::Before && method == "ReleaseVm");
        if asked == 2
            && let Some(task) = &task
        {
            vcenter.with(|state| state.finish(task, Ok(Val::Unset)));
            asked += 1;
        }
        Ok(())
    });
    Ok(house)
}

fn in_five_seconds(request: &mut pb::CreateSnapshotRequest) {
    request.grade = Grade::Vm.into();
    request.quiesce_budget = Some(prost_types::Duration { seconds: 5, nanos: 0 });
}

#[tokio::test]
async fn s11_a_guest_that_does_not_freeze_in_time_is_given_up_and_followed() -> anyhow::Result<()> {
    let house = slow_freeze().await?;
    let before = house.picture().await?;
    let error = house.snapshot("web-01", in_five_seconds).await?.expect_err("it took too long");
    assert_eq!(error.reason, "GUEST_TOO_SLOW", "{error:?}");
    assert!(error.message.contains("possibly frozen"), "{error:?}");
    house.gate.open();
    // What vCenter made late is gone, and nothing was cut.
    before.expect_same(&house.picture().await?)?;
    house.check().await
}

#[tokio::test]
async fn s11_a_weaker_cut_waits_until_nothing_is_frozen() -> anyhow::Result<()> {
    let house = slow_freeze().await?;
    let weaker = |request: &mut pb::CreateSnapshotRequest| {
        in_five_seconds(request);
        request.allow_weaker = true;
    };
    let snapshot = done(house.snapshot("web-01", weaker).await?)?;
    house.gate.open();
    assert_eq!((snapshot.grade_asked(), snapshot.grade()), (Grade::Vm, Grade::Crash));
    let disk = &snapshot.disks[0];
    assert!(disk.reason.contains("within 5 s"), "{}", disk.reason);
    assert_eq!(disk.chain_before, disk.chain_at_cut, "no VMware snapshot was open at the cut");
    assert_eq!(snapshot.vm_snapshot_open, None);
    house.check().await
}
