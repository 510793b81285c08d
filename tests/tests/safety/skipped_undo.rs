//! A person who skips the undo of a revert's step does not lose the only copy of the data by it.

use super::{BLOCK, done};
use strata_kit::status::ErrorReport;
use strata_proto::{
    google::longrunning::Operation,
    strata::gateway::v1::{self as pb, vm_service_client::VmServiceClient},
};
use strata_saga::{OperationId, Point, StepError, StuckAction};
use strata_sim::world::compute::VmSpec;
use strata_tests::house::{ArrayKind, Finished, House};

fn failure() -> StepError {
    StepError::permanent("INJECTED", "the test made this step fail")
}

/// A revert that failed and whose undo of `set_aside` is stuck.
async fn stuck() -> anyhow::Result<(House, OperationId)> {
    let house = House::builder().array(ArrayKind::Reference).vm(VmSpec::named("web-01")).start().await?;
    house.write("web-01", &[1; BLOCK])?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?.name;
    house.write("web-01", &[2; BLOCK])?;
    house.hurt.next("restore_files", Point::AfterStarted, failure());
    house.hurt.next("set_aside", Point::DuringUndo, failure());
    let request = pb::RevertVmRequest { vm: house.vm("web-01").await?, snapshot, ..Default::default() };
    let begun = VmServiceClient::new(house.upstream.clone()).revert_vm(request).await?.into_inner();
    let id: OperationId = begun.name.trim_start_matches("operations/").parse()?;
    house.gateway.engine().wait(id).await?;
    Ok((house, id))
}

#[tokio::test]
async fn s01_safety_point_survives_a_skipped_undo() -> anyhow::Result<()> {
    let (house, id) = stuck().await?;
    house.gateway.engine().stuck_action(id, StuckAction::Skip, "somebody", "it is gone anyway").await?;
    let operation = Operation { name: format!("operations/{id}"), ..Operation::default() };
    let status = house.finish(Ok(tonic::Response::new(operation))).await?.error()?;
    let error = ErrorReport::from_status(&status);
    let points = house.gateway.deps().catalog.points()?;
    let safety = points.iter().find(|point| point.intent.safety).expect("the safety point is listed").clone();
    for word in ["set_aside", "skipped", &safety.display_name, "kept"] {
        assert!(error.message.contains(word), "'{word}' is not in {}", error.message);
    }
    assert!(error.hints.iter().any(|hint| hint.contains(&safety.display_name)), "{:?}", error.hints);
    assert_eq!(house.owned().await?.len(), 2, "the restore point and the safety point");

    // The catalog that is computed from the journal has it too, and it can be used.
    let house = house.restart().await?;
    let points = house.gateway.deps().catalog.points()?;
    assert!(points.iter().any(|point| point.id == safety.id), "it is listed after a restart");
    done(house.clone_of(&format!("snapshots/{}", safety.id), "rescued", |_| {}).await?)?;
    assert_eq!(house.read("rescued", BLOCK)?, [2; BLOCK], "what the VM held before the revert");
    Ok(())
}

#[tokio::test]
async fn s01_safety_point_goes_when_the_undo_worked_in_the_end() -> anyhow::Result<()> {
    let (house, id) = stuck().await?;
    house.gateway.engine().stuck_action(id, StuckAction::Retry, "somebody", "again").await?;
    let operation = Operation { name: format!("operations/{id}"), ..Operation::default() };
    let ended = house.finish(Ok(tonic::Response::new(operation))).await?;
    assert!(matches!(ended, Finished::Badly(_)), "{ended:?}");
    assert!(!house.gateway.deps().catalog.points()?.iter().any(|point| point.intent.safety));
    assert_eq!(house.read("web-01", BLOCK)?, [2; BLOCK]);
    house.check().await
}
