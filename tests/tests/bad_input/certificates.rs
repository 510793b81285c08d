//! A certificate that ran out: whose it is, that it expired and what to do is said by whatever is asked, nothing is half done, and
//! once it is renewed all goes on without a restart.

use super::{done, untouched};
use strata_proto::strata::{common::v1::Grade, gateway::v1 as pb};
use strata_sim::world::compute::VmSpec;
use strata_tests::house::{ArrayKind, Certificate, House, Outcome, Side};
use tonic::Code;

async fn house() -> anyhow::Result<House> {
    let house = House::builder().array(ArrayKind::Reference).vm(VmSpec::named("web-01").on()).start().await?;
    for certificate in [&house.vcenter_certificate, &house.array_certificate] {
        certificate.prepare().await?;
    }
    Ok(house)
}

/// The refusal names the vCenter or array, the fault and the remedy.
fn expired<T: std::fmt::Debug>(what: &str, whose: &str, outcome: Outcome<T>) -> anyhow::Result<()> {
    let Err(error) = outcome else { anyhow::bail!("{what}: it was done") };
    anyhow::ensure!(!matches!(error.code, Code::Internal | Code::Unknown), "{what}: {error:?}");
    let told = format!("{} {:?} {:?}", error.message, error.hints, error.metadata);
    for word in [whose, "certificate", "expired at 2001-01-01", "renew it"] {
        anyhow::ensure!(told.contains(word), "{what}: '{word}' is not in {error:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_expired_certificate_is_named_and_nothing_is_begun() -> anyhow::Result<()> {
    let house = house().await?;
    let vm = house.vm("web-01").await?;
    let point = done(house.snapshot(&vm, |_| {}).await?)?.name;
    let clone = done(house.clone_of(&point, "copy", |_| {}).await?)?.name;
    let before = house.picture().await?;
    let off = |request: &mut pb::RevertVmRequest| request.power_mode = pb::PowerMode::PowerOff.into();
    let frozen = |request: &mut pb::CreateSnapshotRequest| request.grade = Grade::Vm.into();
    let cases: [(&Certificate, &str); 2] =
        [(&house.vcenter_certificate, "vc-1"), (&house.array_certificate, "array-1")];
    for (certificate, whose) in cases {
        certificate.expire();
        let outcomes = [
            ("snapshot", house.snapshot(&vm, |_| {}).await?.map(drop)),
            ("snapshot with a freeze", house.snapshot(&vm, frozen).await?.map(drop)),
            ("clone", house.clone_of(&point, "copy-2", |_| {}).await?.map(drop)),
            ("revert", house.revert(&vm, &point, off).await?.map(drop)),
        ];
        certificate.renew();
        for (what, outcome) in outcomes {
            expired(&format!("{what}, {whose}"), whose, outcome)?;
        }
        untouched(&house, &before).await.map_err(|error| anyhow::anyhow!("{whose}: {error:#}"))?;
    }
    done(house.delete_clone(&clone, false).await?)?;
    done(house.delete_snapshot(&point).await?)?;
    house.check().await
}

/// It runs out after the plan: what was begun is undone once the array answers again, the VMware snapshot first of all.
#[tokio::test]
async fn a_certificate_that_expires_in_the_middle_leaves_nothing() -> anyhow::Result<()> {
    let house = house().await?;
    let before = house.picture().await?;
    let certificate = house.array_certificate.clone();
    house.gate.hook(move |method, side| {
        match (method, side) {
            ("EnsureSnapshot", Side::Before) => certificate.expire(),
            ("RemoveSnapshot", Side::Before) => certificate.renew(),
            _ => {}
        }
        Ok(())
    });
    let outcome = house.snapshot("web-01", |request| request.grade = Grade::Vm.into()).await?;
    house.gate.open();
    expired("snapshot", "array-1", outcome)?;
    untouched(&house, &before).await
}
