//! Names with everything in them.

use super::done;
use strata_proto::strata::{common::v1::Grade, gateway::v1 as pb};
use strata_sim::world::compute::VmSpec;
use strata_tests::house::{ArrayKind, House, on_each};

const AWKWARD: [&str; 6] = ["a b @:%#c", "größe-日本", "100%", "-rf", "x'y\"z", "[ds1] web"];

#[tokio::test]
async fn awkward_names_of_vms_and_clones() -> anyhow::Result<()> {
    on_each(&[ArrayKind::Reference, ArrayKind::FilerOnXfs], |array| async move {
        let mut builder = House::builder().array(array);
        for name in AWKWARD {
            builder = builder.vm(VmSpec::named(name).on());
        }
        let house = builder.start().await?;
        for name in AWKWARD {
            let what = |error: anyhow::Error| anyhow::anyhow!("'{name}': {error:#}");
            one(&house, name).await.map_err(what)?;
        }
        house.check().await
    })
    .await
}

async fn one(house: &House, name: &str) -> anyhow::Result<()> {
    let before = house.picture().await?;
    house.write(name, &[1; 512])?;
    let snapshot = done(house.snapshot(name, |request| request.grade = Grade::Vm.into()).await?)?;
    anyhow::ensure!(snapshot.vm_display_name == name, "{}", snapshot.vm_display_name);
    house.write(name, &[2; 512])?;
    let clone_name = format!("{name}/t");
    let clone = done(house.clone_of(&snapshot.name, &clone_name, |_| {}).await?)?;
    anyhow::ensure!(clone.display_name == clone_name, "{}", clone.display_name);
    house.vm(&clone_name).await?;
    let power = |request: &mut pb::RevertVmRequest| {
        request.power_mode = pb::PowerMode::PowerOff.into();
        request.power_on_again = true;
    };
    let reverted = done(house.revert(name, &snapshot.name, power).await?)?;
    anyhow::ensure!(house.read(name, 512)? == [1; 512], "the bytes are not the old ones");
    done(house.delete_clone(&clone.name, false).await?)?;
    done(house.delete_snapshot(&reverted.safety_snapshot).await?)?;
    done(house.delete_snapshot(&snapshot.name).await?)?;
    before.expect_only(&house.picture().await?, &[&format!("vm vc-1/{name} "), &format!("file ds1/{name}/")])
}

#[tokio::test]
async fn awkward_names_of_datastores() -> anyhow::Result<()> {
    for name in ["ds @:#1", "größe", "50%"] {
        let house = House::builder()
            .array(ArrayKind::Reference)
            .datastores(&[name, "ds2"])
            .vm(VmSpec::named("web-01"))
            .start()
            .await?;
        let before = house.picture().await?;
        let snapshot =
            done(house.snapshot("web-01", |_| {}).await?).map_err(|error| anyhow::anyhow!("{name}: {error:#}"))?;
        let clone = done(house.clone_of(&snapshot.name, "t", |_| {}).await?)
            .map_err(|error| anyhow::anyhow!("{name}: {error:#}"))?;
        done(house.delete_clone(&clone.name, false).await?)?;
        done(house.delete_snapshot(&snapshot.name).await?)?;
        before.expect_same(&house.picture().await?).map_err(|error| anyhow::anyhow!("{name}: {error:#}"))?;
        house.check().await?;
    }
    Ok(())
}
