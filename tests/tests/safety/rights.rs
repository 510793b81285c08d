//! Each right that an operation uses, taken away in turn: it is named, and nothing is begun.

use super::{done, refused};
use strata_proto::strata::{common::v1::Grade, gateway::v1 as pb};
use strata_sim::world::compute::VmSpec;
use strata_tests::house::{ArrayKind, House, Outcome};

/// What is done while a right is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    SnapshotVm,
    Clone,
    Revert,
    DeleteSnapshot,
    DeleteClone,
}

struct Stage {
    house: House,
    snapshot: String,
    clone: String,
}

impl Stage {
    async fn new(array: ArrayKind, job: Job) -> anyhow::Result<Self> {
        let house = House::builder().array(array).vm(VmSpec::named("web-01").on()).start().await?;
        let snapshot = done(house.snapshot("web-01", |_| {}).await?)?.name;
        let clone = match job {
            Job::DeleteClone => done(house.clone_of(&snapshot, "t", on).await?)?.name,
            _ => String::new(),
        };
        Ok(Self { house, snapshot, clone })
    }

    async fn act(&self, job: Job) -> anyhow::Result<Outcome<()>> {
        let house = &self.house;
        Ok(match job {
            Job::SnapshotVm => house.snapshot("web-01", |r| r.grade = Grade::Vm.into()).await?.map(drop),
            Job::Clone => house.clone_of(&self.snapshot, "t", on).await?.map(drop),
            Job::Revert => {
                let off = |request: &mut pb::RevertVmRequest| request.power_mode = pb::PowerMode::PowerOff.into();
                house.revert("web-01", &self.snapshot, off).await?.map(drop)
            }
            Job::DeleteSnapshot => house.delete_snapshot(&self.snapshot).await?,
            Job::DeleteClone => house.delete_clone(&self.clone, true).await?,
        })
    }
}

fn on(request: &mut pb::CreateCloneRequest) {
    (request.power_on, request.isolated) = (true, true);
}

fn changes(calls: &[String]) -> Vec<&String> {
    let reads = ["Get", "List", "BatchGet", "Resolve", "Find", "Read", "Preflight"];
    calls.iter().filter(|call| !reads.iter().any(|read| call.starts_with(read))).collect()
}

#[tokio::test]
async fn rights_in_vcenter_are_asked_for_before_the_first_effect() -> anyhow::Result<()> {
    use {ArrayKind::Reference as Files, ArrayKind::ReferenceByVolume as Volumes};
    for (array, job, privilege) in [
        (Files, Job::Clone, "VirtualMachine.Inventory.Register"),
        (Files, Job::Clone, "Resource.AssignVMToPool"),
        (Files, Job::Clone, "VirtualMachine.Config.Settings"),
        (Files, Job::Clone, "VirtualMachine.Interact.PowerOn"),
        (Volumes, Job::Clone, "Host.Config.Storage"),
        (Files, Job::DeleteClone, "VirtualMachine.Inventory.Unregister"),
        (Files, Job::DeleteClone, "VirtualMachine.Interact.PowerOff"),
        (Volumes, Job::DeleteClone, "Host.Config.Storage"),
    ] {
        let stage = Stage::new(array, job).await?;
        let before = stage.house.picture().await?;
        stage.house.vcenter.with(|state| state.revoke(privilege, None));
        stage.house.gate.take_calls();
        let what = |error: anyhow::Error| anyhow::anyhow!("{job:?} without {privilege}: {error:#}");
        refused(stage.act(job).await?, "VCENTER_PRIVILEGE_MISSING", &[privilege, "preflight"]).map_err(what)?;
        let calls = stage.house.gate.take_calls();
        assert!(changes(&calls).is_empty(), "{job:?} without {privilege}: {calls:?}");
        before.expect_same(&stage.house.picture().await?).map_err(what)?;
        stage.house.vcenter.with(|state| state.grant(privilege, None));
        done(stage.act(job).await?).map_err(what)?;
        stage.house.check().await.map_err(what)?;
    }
    Ok(())
}

#[tokio::test]
async fn rights_on_the_array_are_asked_for_before_the_first_effect() -> anyhow::Result<()> {
    use {ArrayKind::Reference as Files, ArrayKind::ReferenceByVolume as Volumes};
    for (array, job, privilege) in [
        (Files, Job::SnapshotVm, "snapshot.create"),
        (Files, Job::Clone, "file.modify"),
        (Volumes, Job::Clone, "volume.clone"),
        (Volumes, Job::Clone, "export.modify"),
        (Files, Job::Revert, "file.modify"),
        (Files, Job::Revert, "snapshot.create"),
        (Files, Job::DeleteSnapshot, "snapshot.delete"),
        (Files, Job::DeleteClone, "file.modify"),
        (Volumes, Job::DeleteClone, "volume.delete"),
    ] {
        let stage = Stage::new(array, job).await?;
        let before = stage.house.picture().await?;
        let deny = |on: bool| {
            stage.house.world.array("nas-1")?.behave(|behaviour| {
                behaviour.denied.clear();
                behaviour.denied.extend(on.then(|| privilege.to_owned()));
            })
        };
        deny(true)?;
        stage.house.gate.take_calls();
        let what = |error: anyhow::Error| anyhow::anyhow!("{job:?} without {privilege}: {error:#}");
        refused(stage.act(job).await?, "ARRAY_PRIVILEGE_MISSING", &[privilege, "preflight"]).map_err(what)?;
        let calls = stage.house.gate.take_calls();
        assert!(changes(&calls).is_empty(), "{job:?} without {privilege}: {calls:?}");
        before.expect_same(&stage.house.picture().await?).map_err(what)?;
        deny(false)?;
        done(stage.act(job).await?).map_err(what)?;
        stage.house.check().await.map_err(what)?;
    }
    Ok(())
}

#[tokio::test]
async fn rights_for_the_other_way_are_no_hindrance() -> anyhow::Result<()> {
    let stage = Stage::new(ArrayKind::Reference, Job::Clone).await?;
    stage.house.world.array("nas-1")?.behave(|behaviour| {
        behaviour.denied.insert("volume.clone".to_owned());
    })?;
    done(stage.act(Job::Clone).await?)?;
    stage.house.check().await
}
