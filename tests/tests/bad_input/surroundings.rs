//! vCenter or the array cannot, or may not.

use super::{Expected, done, untouched};
use strata_proto::strata::{
    common::v1::Grade,
    gateway::v1::{PowerMode, RevertVmRequest},
};
use strata_sim::{
    fault::{Action, Rule},
    world::compute::VmSpec,
};
use strata_tests::house::{ACCOUNT, ArrayKind, House};
use tonic::Code;

async fn house() -> anyhow::Result<House> {
    House::builder().array(ArrayKind::Reference).vm(VmSpec::named("web-01").on()).start().await
}

#[tokio::test]
async fn array_unreachable() -> anyhow::Result<()> {
    let house = house().await?;
    let before = house.picture().await?;
    let vm = house.vm("web-01").await?;
    let rule = house.world.faults().add(Rule::new(Action::Drop).face("reference"));
    let outcome = house.snapshot(&vm, |_| {}).await?;
    house.world.faults().remove(rule);
    let error = outcome.expect_err("the array is away");
    assert_eq!(error.code, Code::Unavailable, "{error:?}");
    let told = |word: &str| error.message.contains(word) || error.metadata.values().any(|value| value.contains(word));
    assert!(told("array-1"), "which array: {error:?}");
    untouched(&house, &before).await
}

#[tokio::test]
async fn vcenter_unreachable() -> anyhow::Result<()> {
    let house = house().await?;
    let before = house.picture().await?;
    let vm = house.vm("web-01").await?;
    let rule = house.world.faults().add(Rule::new(Action::Drop).face("vcenter"));
    let outcome = house.snapshot(&vm, |_| {}).await?;
    house.world.faults().remove(rule);
    let error = outcome.expect_err("vCenter is away");
    assert_eq!(error.code, Code::Unavailable, "{error:?}");
    assert!(error.message.contains("vc-1"), "which vCenter: {error:?}");
    untouched(&house, &before).await
}

#[tokio::test]
async fn wrong_credentials() -> anyhow::Result<()> {
    let house = house().await?;
    let before = house.picture().await?;
    let vm = house.vm("web-01").await?;
    house.vcenter.with(|state| {
        state.sessions.users.insert(ACCOUNT.0.to_owned(), "changed meanwhile".to_owned());
        state.end_all_sessions();
    });
    let outcome = house.snapshot(&vm, |_| {}).await?;
    let error = outcome.expect_err("the password is wrong");
    // Not the caller's own credentials: it must not be told to log in again.
    assert_ne!(error.code, Code::Internal, "{error:?}");
    assert!(error.message.contains("vc-1") && error.message.contains(ACCOUNT.0), "where, and as whom: {error:?}");
    let everything = format!("{error:?}");
    assert!(!everything.contains(ACCOUNT.1), "the password stands in the error: {everything}");
    untouched(&house, &before).await
}

/// Each privilege that an operation cannot do without, taken away: it is named, and nothing is left.
#[tokio::test]
async fn missing_privileges() -> anyhow::Result<()> {
    for privilege in ["VirtualMachine.State.CreateSnapshot", "VirtualMachine.State.RemoveSnapshot"] {
        let house = house().await?;
        let before = house.picture().await?;
        house.vcenter.with(|state| state.revoke(privilege, None));
        let outcome = house.snapshot("web-01", |request| request.grade = Grade::Vm.into()).await?;
        house.vcenter.with(|state| state.grant(privilege, None));
        Expected { code: Code::PermissionDenied, reason: "VCENTER_PRIVILEGE_MISSING", words: &[privilege] }
            .check(privilege, outcome)?;
        untouched(&house, &before).await.map_err(|error| anyhow::anyhow!("{privilege}: {error:#}"))?;
    }
    for privilege in ["VirtualMachine.Inventory.Register", "Resource.AssignVMToPool"] {
        let house = house().await?;
        let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
        let before = house.picture().await?;
        house.vcenter.with(|state| state.revoke(privilege, None));
        let outcome = house.clone_of(&snapshot.name, "t", |_| {}).await?;
        house.vcenter.with(|state| state.grant(privilege, None));
        Expected { code: Code::PermissionDenied, reason: "VCENTER_PRIVILEGE_MISSING", words: &[privilege] }
            .check(privilege, outcome)?;
        untouched(&house, &before).await.map_err(|error| anyhow::anyhow!("{privilege}: {error:#}"))?;
    }
    for privilege in ["Datastore.FileManagement", "VirtualMachine.Interact.PowerOff"] {
        let house = house().await?;
        let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
        let before = house.picture().await?;
        house.vcenter.with(|state| state.revoke(privilege, None));
        let power_off = |request: &mut RevertVmRequest| request.power_mode = PowerMode::PowerOff.into();
        let outcome = house.revert("web-01", &snapshot.name, power_off).await?;
        house.vcenter.with(|state| state.grant(privilege, None));
        Expected { code: Code::PermissionDenied, reason: "VCENTER_PRIVILEGE_MISSING", words: &[privilege] }
            .check(privilege, outcome)?;
        untouched(&house, &before).await.map_err(|error| anyhow::anyhow!("{privilege}: {error:#}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn full_disk_under_the_filer() -> anyhow::Result<()> {
    let started =
        House::builder().array(ArrayKind::FilerOnXfs).image_bytes(320 << 20).vm(VmSpec::named("web-01")).start().await;
    let house = match started {
        Ok(house) => house,
        Err(missing) => {
            strata_tests::peers::skip(&format!("no XFS image here: {missing:#}"));
            return Ok(());
        }
    };
    house.write("web-01", &[1; 512])?;
    let before = house.picture().await?;
    let ballast = house.filer_root.clone().unwrap_or_default().join("ballast");
    fill(&ballast)?;
    let outcome = house.snapshot("web-01", |_| {}).await?;
    fs_err::remove_file(&ballast)?;
    let error = outcome.expect_err("there was no room");
    assert_eq!(error.code, Code::ResourceExhausted, "{error:?}");
    assert!(error.message.contains("space"), "{error:?}");
    untouched(&house, &before).await
}

/// Writes until nothing fits, in ever smaller pieces.
fn fill(path: &std::path::Path) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut file = fs_err::File::create(path)?;
    for size in [1 << 20, 4 << 10, 512] {
        while file.write_all(&vec![0x5a; size]).is_ok() {}
        let _full = file.sync_all();
    }
    Ok(())
}
