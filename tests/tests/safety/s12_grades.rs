//! S12: the grade of a restore point is what was achieved, and applications frozen is only what Windows says of itself.

use super::{done, refused};
use strata_proto::strata::{common::v1::Grade, gateway::v1 as pb};
use strata_sim::{
    fault::{Action, Rule},
    world::compute::{DiskSpec, VmSpec},
};
use strata_tests::house::{ArrayKind, House};

fn windows() -> VmSpec {
    VmSpec {
        guest_id: "windows2019srv_64Guest".into(),
        extra: vec![("disk.EnableUUID".into(), "TRUE".into())],
        ..VmSpec::named("sql-01").on()
    }
}

async fn house(spec: VmSpec) -> anyhow::Result<House> {
    House::builder().array(ArrayKind::Reference).vm(spec).start().await
}

fn app(request: &mut pb::CreateSnapshotRequest) {
    request.grade = Grade::App.into();
}

fn app_or_weaker(request: &mut pb::CreateSnapshotRequest) {
    app(request);
    request.allow_weaker = true;
}

fn freezes(house: &House) -> u32 {
    house.vcenter.with(|state| state.vms.values().map(|vm| vm.application_freezes).sum())
}

#[tokio::test]
async fn s12_applications_in_windows_are_frozen() -> anyhow::Result<()> {
    let house = house(windows()).await?;
    let before = house.picture().await?;
    let snapshot = done(house.snapshot("sql-01", app).await?)?;
    assert_eq!((snapshot.grade(), freezes(&house)), (Grade::App, 1));
    // At the lesser grade they are left alone.
    let lesser = done(house.snapshot("sql-01", |request| request.grade = Grade::Vm.into()).await?)?;
    assert_eq!((lesser.grade(), freezes(&house)), (Grade::Vm, 1));
    for name in [snapshot.name, lesser.name] {
        done(house.delete_snapshot(&name).await?)?;
    }
    before.expect_same(&house.picture().await?)?;
    house.check().await
}

#[tokio::test]
async fn s12_what_cannot_be_frozen_is_refused_and_nothing_begins() -> anyhow::Result<()> {
    let independent =
        vec![DiskSpec::of(1 << 20), DiskSpec { mode: "independent_persistent".into(), ..DiskSpec::of(1 << 20) }];
    for (spec, word, weaker) in [
        (VmSpec::named("sql-01").on(), "Windows", Grade::Vm),
        (VmSpec { extra: Vec::new(), ..windows() }, "disk.EnableUUID", Grade::Vm),
        (windows().disks(independent), "independent", Grade::Crash),
    ] {
        let house = house(spec).await?;
        let before = house.picture().await?;
        refused(house.snapshot("sql-01", app).await?, "GRADE_NOT_POSSIBLE", &["sql-01", word, "--allow-weaker"])?;
        before.expect_same(&house.picture().await?)?;
        let snapshot = done(house.snapshot("sql-01", app_or_weaker).await?)?;
        assert_eq!((snapshot.grade(), freezes(&house)), (weaker, 0), "{word}");
        assert!(snapshot.disks.iter().any(|disk| disk.reason.contains(word)), "{word}: {snapshot:?}");
        house.check().await?;
    }
    Ok(())
}

#[tokio::test]
async fn s12_a_vcenter_without_vss_achieves_less_and_says_so() -> anyhow::Result<()> {
    let house = house(windows()).await?;
    let before = house.picture().await?;
    let refuse = Action::Refuse { status: 500, code: "NotSupported".into(), message: "not here".into() };
    house.world.faults().add(Rule::new(refuse).object("WindowsQuiesceSpec"));
    let words = ["sql-01", "applications were not frozen", "this vCenter", "--allow-weaker"];
    refused(house.snapshot("sql-01", app).await?, "APPLICATIONS_NOT_FROZEN", &words)?;
    before.expect_same(&house.picture().await?)?;
    let snapshot = done(house.snapshot("sql-01", app_or_weaker).await?)?;
    assert_eq!((snapshot.grade(), freezes(&house)), (Grade::Vm, 0));
    assert!(snapshot.disks[0].reason.contains("this vCenter"), "{snapshot:?}");
    house.check().await
}
