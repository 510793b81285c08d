//! A restore that broke off leaves nothing, whichever of a disk's files it had put back.

use super::{BLOCK, done};
use strata_sim::world::compute::VmSpec;
use strata_tests::house::{ArrayKind, House, Side};

#[tokio::test]
async fn s21_half_a_restored_disk_is_taken_away() -> anyhow::Result<()> {
    for lost in ["web-01.vmdk", "web-01-flat.vmdk"] {
        let house = House::builder().array(ArrayKind::Reference).vm(VmSpec::named("web-01")).start().await?;
        house.write("web-01", &[1; BLOCK])?;
        let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
        house.write("web-01", &[2; BLOCK])?;
        let before = house.picture().await?;
        let (tree, mut broken) = (house.tree("ds1")?, false);
        house.gate.hook(move |method, side| {
            if method == "RestoreFiles" && side == Side::After && !std::mem::replace(&mut broken, true) {
                tree.remove(&format!("web-01/{lost}")).map_err(|error| tonic::Status::internal(error.to_string()))?;
                return Err(tonic::Status::failed_precondition("the test broke it off"));
            }
            Ok(())
        });
        let error = house.revert("web-01", &snapshot.name, |_| {}).await?.expect_err("it was broken off");
        house.gate.open();
        assert!(error.message.contains("broke it off"), "{lost}: {error:?}");
        before.expect_same(&house.picture().await?).map_err(|error| anyhow::anyhow!("{lost}: {error:#}"))?;
        assert_eq!(house.read("web-01", BLOCK)?, [2; BLOCK], "{lost}");
        house.check().await?;
    }
    Ok(())
}
