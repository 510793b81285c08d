//! A guest that goes down after the revert that asked it to has been given up runs again in the end.

use super::{BLOCK, done, refused};
use strata_proto::strata::gateway::v1 as pb;
use strata_saga::{Point, StepError};
use strata_sim::world::compute::VmSpec;
use strata_tests::house::{ArrayKind, House, Side};

fn shut_down(request: &mut pb::RevertVmRequest) {
    request.power_mode = pb::PowerMode::ShutDown.into();
    request.power_on_again = true;
}

async fn with_snapshot() -> anyhow::Result<(House, String)> {
    let house = House::builder().array(ArrayKind::Reference).vm(VmSpec::named("web-01").on()).start().await?;
    house.write("web-01", &[1; BLOCK])?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
    house.write("web-01", &[2; BLOCK])?;
    Ok((house, snapshot.name))
}

fn runs(house: &House) -> bool {
    house.vcenter.with(|state| state.vms.values().all(|vm| vm.on))
}

#[tokio::test]
async fn s21_a_guest_that_goes_down_late_is_turned_on_again() -> anyhow::Result<()> {
    let (house, snapshot) = with_snapshot().await?;
    let before = house.picture().await?;
    // The guest was asked, and the answer was lost.
    let lost = StepError::permanent("INJECTED", "the test made this step fail").ambiguous();
    house.hurt.next("power_off", Point::AfterStarted, lost);
    // It goes down after the undo looked for the first time.
    let (vcenter, id, mut looks) = (house.vcenter.clone(), house.moref("web-01"), 0);
    house.gate.hook(move |method, side| {
        if method == "SetVmPower" && side == Side::After {
            looks += 1;
            if looks == 1 {
                vcenter.with(|state| state.power_off(&id)).expect("it goes down");
            }
        }
        Ok(())
    });
    refused(house.revert("web-01", &snapshot, shut_down).await?, "INJECTED", &[])?;
    house.gate.open();
    assert!(runs(&house), "it ran before, and runs again");
    before.expect_same(&house.picture().await?)?;
    house.check().await
}

#[tokio::test]
async fn s21_a_guest_that_was_never_asked_is_not_watched() -> anyhow::Result<()> {
    let (house, snapshot) = with_snapshot().await?;
    house.gate.take_calls();
    // A plain no: the guest was not asked.
    house.hurt.next("power_off", Point::AfterStarted, StepError::permanent("INJECTED", "the test made this step fail"));
    refused(house.revert("web-01", &snapshot, shut_down).await?, "INJECTED", &[])?;
    assert_eq!(house.gate.take_calls().iter().filter(|call| *call == "SetVmPower").count(), 1);
    assert!(runs(&house));
    house.check().await
}
