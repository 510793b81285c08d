//! Failure of each step: every operation, every step, before its effect and after it with the answer lost. Up to the point
//! of no return the operation then has failed and the world is as it was; after it, it goes on to its end.

use super::{BLOCK, done};
use strata_kit::status::ErrorReport;
use strata_proto::strata::{common::v1::Grade, gateway::v1 as pb};
use strata_saga::{Point, StepError};
use strata_sim::world::compute::{VmSpec, snapshot::NewSnapshot};
use strata_tests::house::{ArrayKind, House, Outcome, Picture, on_each};

/// An operation to be hurt, and what must be there first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    SnapshotCrash,
    SnapshotVm,
    Clone,
    CloneOn,
    CloneOwnDatastore,
    RevertOff,
    RevertOn,
    RevertWithSnapshots,
    DeleteSnapshot,
    DeleteClone,
    DeleteCloneOn,
}

impl Job {
    const FORTH_AND_BACK: [Job; 8] = [
        Job::SnapshotCrash,
        Job::SnapshotVm,
        Job::Clone,
        Job::CloneOn,
        Job::CloneOwnDatastore,
        Job::RevertOff,
        Job::RevertOn,
        Job::RevertWithSnapshots,
    ];
    const ONLY_FORTH: [Job; 3] = [Job::DeleteSnapshot, Job::DeleteClone, Job::DeleteCloneOn];

    fn fits(self, array: ArrayKind) -> bool {
        let reverts = matches!(self, Job::RevertOff | Job::RevertOn | Job::RevertWithSnapshots);
        match self {
            Job::CloneOwnDatastore => array.in_memory(),
            // By files, or by a swap of the disks.
            _ => !reverts || array != ArrayKind::FilerOnDirectory,
        }
    }

    /// On a real filesystem each case costs an image; one job of each kind shows that it undoes what the simulated one does.
    /// The same over LUNs, where each case mounts and unmounts.
    fn is_short(self) -> bool {
        matches!(self, Job::SnapshotVm | Job::Clone | Job::RevertOn)
    }

    fn runs(self) -> bool {
        self != Job::RevertOff
    }
}

/// The house before the operation, and the names that it needs.
struct Stage {
    house: House,
    snapshot: String,
    clone: String,
}

impl Stage {
    async fn new(array: ArrayKind, job: Job) -> anyhow::Result<Self> {
        let mut spec = VmSpec { cbt: true, ..VmSpec::named("web-01") };
        spec.on = job.runs();
        let house = House::builder().array(array).vm(spec).vm(VmSpec::named("neighbour")).start().await?;
        house.write("web-01", &[1; BLOCK])?;
        house.write("neighbour", &[9; BLOCK])?;
        let snapshot = done(house.snapshot("web-01", |_| {}).await?)?.name;
        house.write("web-01", &[2; BLOCK])?;
        if job == Job::RevertWithSnapshots {
            let id = house.moref("web-01");
            let ask = NewSnapshot { name: "somebody's".into(), ..NewSnapshot::default() };
            house
                .vcenter
                .with(|state| state.create_snapshot(&id, &ask))
                .map_err(|fault| anyhow::anyhow!(fault.message))?;
        }
        let clone = match job {
            Job::DeleteClone | Job::DeleteCloneOn => {
                let on = job == Job::DeleteCloneOn;
                done(house.clone_of(&snapshot, "t", |r| (r.power_on, r.isolated) = (on, on)).await?)?.name
            }
            _ => String::new(),
        };
        house.hurt.take_steps();
        Ok(Self { house, snapshot, clone })
    }

    async fn act(&self, job: Job) -> anyhow::Result<Outcome<()>> {
        let house = &self.house;
        let nothing = |outcome: Outcome<pb::Snapshot>| outcome.map(drop);
        Ok(match job {
            Job::SnapshotCrash => nothing(house.snapshot("web-01", |_| {}).await?),
            Job::SnapshotVm => nothing(house.snapshot("web-01", |r| r.grade = Grade::Vm.into()).await?),
            Job::Clone => house.clone_of(&self.snapshot, "t", |_| {}).await?.map(drop),
            Job::CloneOn => {
                house.clone_of(&self.snapshot, "t", |r| (r.power_on, r.isolated) = (true, true)).await?.map(drop)
            }
            Job::CloneOwnDatastore => house.clone_of(&self.snapshot, "t", |r| r.own_datastore = true).await?.map(drop),
            Job::RevertOff | Job::RevertOn | Job::RevertWithSnapshots => {
                let change = |request: &mut pb::RevertVmRequest| {
                    request.power_mode = pb::PowerMode::PowerOff.into();
                    request.power_on_again = job.runs();
                    request.discard_vm_snapshots = job == Job::RevertWithSnapshots;
                    // Of a swap: what is kept would be seen as left behind.
                    request.commit = true;
                };
                house.revert("web-01", &self.snapshot, change).await?.map(drop)
            }
            Job::DeleteSnapshot => house.delete_snapshot(&self.snapshot).await?,
            Job::DeleteClone | Job::DeleteCloneOn => house.delete_clone(&self.clone, job == Job::DeleteCloneOn).await?,
        })
    }
}

fn failure() -> StepError {
    StepError::permanent("INJECTED", "the test made this step fail")
}

/// A lost answer: it may have had its effect, and says so.
fn lost() -> StepError {
    failure().ambiguous()
}

/// The steps of an operation that succeeds, in order.
async fn steps_of(array: ArrayKind, job: Job) -> anyhow::Result<Vec<String>> {
    let stage = Stage::new(array, job).await?;
    done(stage.act(job).await?)?;
    stage.house.check().await?;
    let mut steps = stage.house.hurt.take_steps();
    // A step that was waited for is started once; a retry would show it twice.
    steps.dedup();
    Ok(steps)
}

/// What may differ although all was taken back: VMware snapshots that somebody told us to discard are gone, and tracking
/// that was reset stays on with new files.
fn allowed(job: Job, step_index: usize, steps: &[String]) -> Vec<&'static str> {
    let discarded = steps.iter().position(|step| step == "discard_vm_snapshots");
    match job {
        Job::RevertWithSnapshots if discarded.is_some_and(|at| at <= step_index) => {
            vec!["vm-snapshot", "file ds1/web-01/web-01", "vm vc-1/web-01"]
        }
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn failure_of_each_step_is_taken_back() -> anyhow::Result<()> {
    all_taken_back(&[ArrayKind::Reference, ArrayKind::ReferenceByVolume, ArrayKind::FilerOnXfs]).await
}

#[tokio::test]
async fn failure_of_each_step_is_taken_back_over_luns() -> anyhow::Result<()> {
    all_taken_back(&[ArrayKind::ReferenceLuns]).await
}

#[expect(clippy::print_stdout, reason = "how many cases there were")]
async fn all_taken_back(arrays: &[ArrayKind]) -> anyhow::Result<()> {
    on_each(arrays, |array| async move {
        let mut cases = 0;
        for job in Job::FORTH_AND_BACK.into_iter().filter(|job| job.fits(array)) {
            if (!array.in_memory() || array.is_block()) && !job.is_short() {
                continue;
            }
            let steps = steps_of(array, job).await?;
            let pivot = steps.iter().position(|step| step == "commit").unwrap_or(steps.len());
            for (index, step) in steps.iter().enumerate().take(pivot) {
                for (point, error) in [(Point::AfterStarted, failure()), (Point::EffectDone, lost())] {
                    let what = format!("{job:?}: {step} at {point:?}");
                    one_failure(array, job, &steps, index, point, error)
                        .await
                        .map_err(|error| anyhow::anyhow!("{what}: {error:#}"))?;
                    cases += 1;
                }
            }
        }
        println!("{cases} failures on {array:?}");
        assert!(cases >= 20, "{cases}");
        Ok(())
    })
    .await
}

async fn one_failure(
    array: ArrayKind,
    job: Job,
    steps: &[String],
    index: usize,
    point: Point,
    error: StepError,
) -> anyhow::Result<()> {
    let stage = Stage::new(array, job).await?;
    let before = stage.house.picture().await?;
    stage.house.hurt.next(&steps[index], point, error);
    let outcome = stage.act(job).await?;
    anyhow::ensure!(!stage.house.hurt.take_back(), "the step was not reached");
    let error: ErrorReport = outcome.err().ok_or_else(|| anyhow::anyhow!("it succeeded"))?;
    anyhow::ensure!(error.reason == "INJECTED", "{error:?}");
    let after: Picture = stage.house.picture().await?;
    before.expect_only(&after, &allowed(job, index, steps))?;
    anyhow::ensure!(stage.house.read("web-01", BLOCK)? == [2; BLOCK], "the VM's bytes are not as they were");
    anyhow::ensure!(stage.house.read("neighbour", BLOCK)? == [9; BLOCK], "the neighbour's bytes changed");
    stage.house.check().await?;
    if point == Point::AfterStarted {
        return Ok(());
    }
    // And it can be done now: nothing that was taken back is in the way.
    done(stage.act(job).await?)?;
    stage.house.check().await
}

#[tokio::test]
async fn failure_after_the_point_of_no_return_goes_on() -> anyhow::Result<()> {
    all_go_on(&[ArrayKind::Reference, ArrayKind::ReferenceByVolume], &Job::ONLY_FORTH).await
}

#[tokio::test]
async fn failure_after_the_point_of_no_return_goes_on_over_luns() -> anyhow::Result<()> {
    all_go_on(&[ArrayKind::ReferenceLuns], &[Job::DeleteCloneOn]).await
}

async fn all_go_on(arrays: &[ArrayKind], only_forth: &'static [Job]) -> anyhow::Result<()> {
    let transient = || StepError::transient("INJECTED", "the test made this step fail");
    on_each(arrays, |array| async move {
        for job in only_forth.iter().copied().chain([Job::RevertOn]).filter(|job| job.fits(array)) {
            let steps = steps_of(array, job).await?;
            let pivot = steps.iter().position(|step| step == "commit").map_or(0, |at| at + 1);
            for step in &steps[pivot..] {
                for (point, error) in [(Point::AfterStarted, transient()), (Point::EffectDone, transient().ambiguous())]
                {
                    let stage = Stage::new(array, job).await?;
                    stage.house.hurt.next(step, point, error);
                    let outcome = stage.act(job).await?;
                    anyhow::ensure!(!stage.house.hurt.take_back(), "{job:?}: {step} was not reached");
                    done(outcome).map_err(|error| anyhow::anyhow!("{job:?}: {step} at {point:?}: {error:#}"))?;
                    stage.house.check().await.map_err(|error| anyhow::anyhow!("{job:?}: {step}: {error:#}"))?;
                    assert_eq!(stage.house.read("neighbour", BLOCK)?, [9; BLOCK]);
                }
            }
        }
        Ok(())
    })
    .await
}

/// The services themselves lose answers: the call has its effect and the gateway never hears of it.
#[tokio::test]
async fn failure_by_lost_answers_of_the_services() -> anyhow::Result<()> {
    let jobs = [Job::SnapshotVm, Job::CloneOn, Job::CloneOwnDatastore, Job::RevertOn, Job::DeleteClone];
    lost_answers(ArrayKind::Reference, &jobs).await
}

#[tokio::test]
async fn failure_by_lost_answers_of_the_services_over_luns() -> anyhow::Result<()> {
    lost_answers(ArrayKind::ReferenceLuns, &[Job::CloneOn, Job::RevertOn, Job::DeleteClone]).await
}

#[expect(clippy::print_stdout, reason = "how many calls there were")]
async fn lost_answers(array: ArrayKind, jobs: &[Job]) -> anyhow::Result<()> {
    for job in jobs.iter().copied() {
        let stage = Stage::new(array, job).await?;
        stage.house.gate.take_calls();
        done(stage.act(job).await?)?;
        let calls = stage.house.gate.take_calls();
        let changing: Vec<&String> = calls.iter().filter(|call| is_change(call)).collect();
        println!("{job:?}: {} changing calls", changing.len());
        for (nth, lost) in changing.iter().enumerate() {
            let stage = Stage::new(array, job).await?;
            let mut seen = 0;
            stage.house.gate.hook(move |method, side| {
                let after = side == strata_tests::house::Side::After;
                if is_change(method) && after {
                    seen += 1;
                    if seen == nth + 1 {
                        return Err(tonic::Status::unavailable("the test lost this answer"));
                    }
                }
                Ok(())
            });
            done(stage.act(job).await?).map_err(|error| anyhow::anyhow!("{job:?}, {lost}: {error:#}"))?;
            stage.house.gate.open();
            stage.house.check().await.map_err(|error| anyhow::anyhow!("{job:?}, {lost}: {error:#}"))?;
        }
    }
    Ok(())
}

fn is_change(method: &str) -> bool {
    !["Get", "List", "Observe", "BatchGet", "Resolve", "Find", "Read", "Preflight", "Check", "Watch"]
        .iter()
        .any(|prefix| method.starts_with(prefix))
}
