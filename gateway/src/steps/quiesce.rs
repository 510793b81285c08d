//! Opens a VMware snapshot around the cut, and removes it: the step after the cut, and the undo of both.

use super::{observe, wait};
use crate::{
    catalog::SnapshotIntent,
    deps::Deps,
    error::{GatewayError, Result},
    layout::Observation,
    ports::Progress as Answer,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use strata_model::Grade;
use strata_proto::strata::{
    common::v1::{Grade as PbGrade, Pending},
    inventory::v1::{QuiesceVmRequest, ReleaseVmRequest},
};
use strata_saga::{Operation, Progress, RunContext, StepResult};

/// Key under which the journal holds when the freeze was asked for.
pub const ASKED_AT: &str = "asked_at";
/// Begins the resume of a freeze that was given up and whose VMware snapshot is being taken back.
const LATE: &str = "late ";

/// What the freeze achieved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// vCenter's id of the VMware snapshot.
    pub vm_snapshot_moref: String,
    /// The guest was quiesced.
    pub quiesced: bool,
    /// What vCenter did; records of before it was noted promised no more than `vm`.
    #[serde(default)]
    pub grade: Option<Grade>,
    /// Why not.
    pub reason: String,
    /// It took longer than the budget: what vCenter made late is gone again, and the cut goes without it.
    #[serde(default)]
    pub given_up: bool,
    /// When it was open, by our clock.
    pub opened_at: Timestamp,
    /// The VM as it was then.
    pub observation: Observation,
}

impl Frozen {
    /// The grade that a cut under it has; never more than was planned.
    pub fn achieved(&self, planned: Grade) -> Grade {
        match self.quiesced {
            true => self.grade.unwrap_or(Grade::Vm).min(planned),
            false => Grade::Crash,
        }
    }
}

/// Opens it. Less than was planned, or not within the budget, is an error unless a weaker grade may be taken.
/// vCenter cannot thaw a guest that hangs: after the budget nothing is cut until its task has ended and what it made is
/// gone (safety.md S11). Where this fails, the step's undo follows the task instead.
pub async fn run<O>(c: &RunContext<O>, intent: &SnapshotIntent) -> StepResult
where
    O: Operation<Context = Deps>,
{
    let (deps, resume) = (c.context(), c.resume());
    if let Some(release) = resume.as_deref().and_then(|resume| resume.strip_prefix(LATE)) {
        return take_back(c, intent, release.to_owned()).await;
    }
    let asked_at: Timestamp = match c.find_planned(ASKED_AT)? {
        Some(asked_at) => asked_at,
        None => c.planned(ASKED_AT, || deps.clock.now()).await?,
    };
    let grade = if intent.grade_planned == Grade::App { PbGrade::App } else { PbGrade::Vm };
    let request = QuiesceVmRequest {
        vm: intent.vm.clone(),
        key: intent.snapshot_id.clone(),
        grade: grade.into(),
        budget: Some(prost_types::Duration { seconds: intent.quiesce_budget_seconds.into(), nanos: 0 }),
        resume: resume.unwrap_or_default(),
    };
    let budget = SignedDuration::from_secs(intent.quiesce_budget_seconds.into());
    let answer = match deps.ports.inventory.quiesce_vm(request).await? {
        Answer::Pending(still) => {
            let left = budget - deps.clock.now().duration_since(asked_at);
            if left > SignedDuration::ZERO {
                return Ok(within(wait::pending(still), left));
            }
            c.progress(None, possibly_frozen(intent));
            return match intent.weaker_skew_max_ms {
                Some(_) => take_back(c, intent, String::new()).await,
                None => Err(too_slow(intent).into()),
            };
        }
        Answer::Ready(answer) => answer,
    };
    let grade = match answer.grade() {
        PbGrade::App => Some(Grade::App),
        PbGrade::Vm => Some(Grade::Vm),
        PbGrade::Crash => Some(Grade::Crash),
        PbGrade::Unspecified => None,
    };
    let frozen = Frozen {
        grade,
        vm_snapshot_moref: answer.vm_snapshot_moref,
        quiesced: answer.quiesced,
        reason: answer.reason,
        given_up: false,
        opened_at: deps.clock.now(),
        observation: observe::look(deps, intent).await?,
    };
    refuse_weaker(intent, &frozen)?;
    Ok(to_output(&frozen)?)
}

/// Not yet, and no longer than until the budget is over.
fn within(progress: Progress, left: SignedDuration) -> Progress {
    match progress {
        Progress::Pending { ask_again_after, resume, percent } => {
            let left = std::time::Duration::try_from(left).unwrap_or_default();
            Progress::Pending { ask_again_after: ask_again_after.min(left), resume, percent }
        }
        done @ Progress::Done(_) => done,
    }
}

/// Follows vCenter's task to its end, removes what it made late, and goes on without a freeze.
async fn take_back<O>(c: &RunContext<O>, intent: &SnapshotIntent, resume: String) -> StepResult
where
    O: Operation<Context = Deps>,
{
    let deps = c.context();
    if let Answer::Pending(still) = release(deps, intent, Some(resume)).await? {
        c.progress(None, possibly_frozen(intent));
        return Ok(wait::pending(Pending { resume: format!("{LATE}{}", still.resume), ..still }));
    }
    let frozen = Frozen {
        grade: None,
        vm_snapshot_moref: String::new(),
        quiesced: false,
        reason: format!("the guest did not freeze within {} s", intent.quiesce_budget_seconds),
        given_up: true,
        opened_at: deps.clock.now(),
        observation: observe::look(deps, intent).await?,
    };
    Ok(to_output(&frozen)?)
}

/// What people must see while vCenter's task goes on.
pub fn possibly_frozen(intent: &SnapshotIntent) -> String {
    format!(
        "the guest of {} is possibly frozen: vCenter works on its VMware snapshot longer than {} s; following it to its \
         end, look at the guest's heartbeat meanwhile",
        intent.vm_display_name, intent.quiesce_budget_seconds
    )
}

fn too_slow(intent: &SnapshotIntent) -> GatewayError {
    let message = format!(
        "the guest of {} did not freeze within {} s and is possibly frozen until vCenter's task ends; what it makes late is \
         removed",
        intent.vm_display_name, intent.quiesce_budget_seconds
    );
    GatewayError::conflict("GUEST_TOO_SLOW", message)
        .with("vm", &intent.vm)
        .hint("to give it longer: --quiesce-budget SECONDS")
        .hint("to take what is possible: --allow-weaker")
}

fn refuse_weaker(intent: &SnapshotIntent, frozen: &Frozen) -> Result<()> {
    if intent.allow_weaker || frozen.achieved(intent.grade_planned) >= intent.grade_planned {
        return Ok(());
    }
    let (reason, what) = match frozen.quiesced {
        true => ("APPLICATIONS_NOT_FROZEN", "its applications were not frozen"),
        false => ("NOT_QUIESCED", "its guest was not quiesced"),
    };
    let message = format!("{} cannot be snapshotted as asked: {what}: {}", intent.vm_display_name, frozen.reason);
    Err(GatewayError::conflict(reason, message).with("vm", &intent.vm).hint("to take what is possible: --allow-weaker"))
}

/// Removes it.
pub async fn release(deps: &Deps, intent: &SnapshotIntent, resume: Option<String>) -> Result<Answer<()>> {
    let request =
        ReleaseVmRequest { vm: intent.vm.clone(), key: intent.snapshot_id.clone(), resume: resume.unwrap_or_default() };
    match deps.ports.inventory.release_vm(request).await? {
        Answer::Pending(still) => Ok(Answer::Pending(still)),
        Answer::Ready(_) => Ok(Answer::Ready(())),
    }
}

/// The step after the cut: removes it and says when it was closed.
pub async fn run_release(deps: &Deps, intent: &SnapshotIntent, resume: Option<String>) -> Result<Progress> {
    match release(deps, intent, resume).await? {
        Answer::Pending(still) => Ok(wait::pending(still)),
        Answer::Ready(()) => to_output(&deps.clock.now()),
    }
}

pub(super) fn to_output(value: &impl Serialize) -> Result<Progress> {
    Progress::output(value).map_err(|error| GatewayError::unexpected(error.message))
}
