//! S6: neighbours in the wide sense are named, and untouched. S7: shared files.

use super::{BLOCK, done, refused};
use strata_proto::strata::{common::v1::Grade, gateway::v1 as pb};
use strata_sim::world::compute::{DiskSpec, VmSpec};
use strata_tests::house::{ArrayKind, House, on_each};

#[tokio::test]
async fn s06_neighbours_are_named() -> anyhow::Result<()> {
    let template = VmSpec { template: true, ..VmSpec::named("golden") };
    let elsewhere = VmSpec::named("elsewhere").datastore("ds2");
    let house = House::builder()
        .array(ArrayKind::Reference)
        .vm(VmSpec::named("web-01"))
        .vm(VmSpec::named("db-01").on())
        .vm(template)
        .vm(elsewhere)
        .more(|vcenter| {
            vcenter
                .file("[ds1] iso/debian.iso", "image")
                .file("[ds1] forgotten/forgotten.vmx", "displayName = \"forgotten\"\n")
        })
        .second_vcenter(vec![VmSpec::named("far-01")])
        .start()
        .await?;
    let vm = house.vm("web-01").await?;
    let request = pb::CreateSnapshotRequest { vm, grade: Grade::Crash.into(), ..Default::default() };
    let plan = done(house.plan(pb::plan_request::Request::CreateSnapshot(request)).await?)?;
    let kind_of = |name: &str| {
        let found = plan.neighbours.iter().find(|neighbour| neighbour.display_name.contains(name));
        found.map(|neighbour| neighbour.kind.as_str()).unwrap_or_default()
    };
    for (name, kind) in [
        ("db-01", "vm"),
        ("golden", "template"),
        ("debian.iso", "image"),
        ("forgotten", "unregistered vm"),
        // The other vCenter has the same volume mounted.
        ("far-01", "vm"),
    ] {
        assert_eq!(kind_of(name), kind, "{name}: {:#?}", plan.neighbours);
    }
    assert_eq!(kind_of("elsewhere"), "", "it lies on another volume");
    assert_eq!(kind_of("web-01"), "", "a VM is not its own neighbour");
    Ok(())
}

#[tokio::test]
async fn s06_neighbours_are_untouched() -> anyhow::Result<()> {
    on_each(&ArrayKind::REVERTING, |array| async move {
        let house = House::builder()
            .array(array)
            .vm(VmSpec::named("web-01").on())
            .vm(VmSpec::named("db-01").on())
            .vm(VmSpec { template: true, ..VmSpec::named("golden") })
            .more(|vcenter| vcenter.file("[ds1] iso/debian.iso", "image"))
            .start()
            .await?;
        house.write("db-01", &[9; BLOCK])?;
        let before = house.picture().await?;
        house.write("web-01", &[1; BLOCK])?;
        let snapshot = done(house.snapshot("web-01", |request| request.grade = Grade::Vm.into()).await?)?;
        house.write("web-01", &[2; BLOCK])?;
        let power_off = |request: &mut pb::RevertVmRequest| {
            request.power_mode = pb::PowerMode::PowerOff.into();
            request.power_on_again = true;
        };
        let reverted = done(house.revert("web-01", &snapshot.name, power_off).await?)?;
        let clone = done(house.clone_of(&snapshot.name, "web-01-t", |_| {}).await?)?;
        done(house.delete_clone(&clone.name, false).await?)?;
        done(house.delete_snapshot(&reverted.safety_snapshot).await?)?;
        done(house.delete_snapshot(&snapshot.name).await?)?;
        assert_eq!(house.read("web-01", BLOCK)?, [1; BLOCK]);
        // Nothing but this VM's own differs, and nothing of the clone is left.
        before.expect_only(&house.picture().await?, &["vc-1/web-01 ", "ds1/web-01/"])?;
        house.check().await
    })
    .await
}

fn shared_disk(name: &str, existing: bool) -> VmSpec {
    let own = DiskSpec::of(1 << 20);
    let shared =
        DiskSpec { multi_writer: true, existing: existing.then(|| "[ds1] a/a_1.vmdk".to_owned()), ..own.clone() };
    VmSpec::named(name).disks(vec![own, shared])
}

#[tokio::test]
async fn s07_shared_files_are_named_and_not_reverted() -> anyhow::Result<()> {
    let house = House::builder()
        .array(ArrayKind::Reference)
        .vm(shared_disk("a", false).on())
        .vm(shared_disk("b", true).on())
        .start()
        .await?;
    // At grade vm it is refused, since VMware snapshots cannot have shared disks; crash is possible and names the set.
    let vm_grade = |request: &mut pb::CreateSnapshotRequest| request.grade = Grade::Vm.into();
    refused(house.snapshot("a", vm_grade).await?, "GRADE_NOT_POSSIBLE", &["a", "shared", "--allow-weaker"])?;
    let vm = house.vm("a").await?;
    let request = pb::CreateSnapshotRequest { vm, grade: Grade::Crash.into(), ..Default::default() };
    let plan = done(house.plan(pb::plan_request::Request::CreateSnapshot(request)).await?)?;
    let shared = plan.facts.iter().find(|fact| fact.topic == "shared").expect("the set is named");
    assert!(shared.text.contains("a_1.vmdk"), "{shared:?}");
    assert!(shared.text.contains(&house.vm("b").await?) || shared.text.contains("b"), "{shared:?}");
    let snapshot = done(house.snapshot("a", |_| {}).await?)?;
    assert_eq!(snapshot.grade(), Grade::Crash);
    let before = house.picture().await?;
    let off = |request: &mut pb::RevertVmRequest| request.power_mode = pb::PowerMode::PowerOff.into();
    refused(house.revert("a", &snapshot.name, off).await?, "SHARED_FILES", &["a_1.vmdk", "clone"])?;
    before.expect_same(&house.picture().await?)?;
    house.check().await
}

#[tokio::test]
async fn s07_shared_files_a_linked_clones_parent_is_not_reverted() -> anyhow::Result<()> {
    let house = House::builder()
        .array(ArrayKind::Reference)
        .vm(VmSpec::named("parent"))
        .more(|vcenter| vcenter.snapshot("parent", "base").linked_clone("parent", "child"))
        .start()
        .await?;
    let snapshot = done(house.snapshot("parent", |_| {}).await?)?;
    let before = house.picture().await?;
    let discard = |request: &mut pb::RevertVmRequest| request.discard_vm_snapshots = true;
    refused(house.revert("parent", &snapshot.name, discard).await?, "SHARED_FILES", &["parent", "child"])?;
    before.expect_same(&house.picture().await?)?;
    house.check().await
}
