//! The cut: one array snapshot for all volumes that must agree, and the proof that nothing moved meanwhile.

use super::{observe, quiesce::to_output, wait};
use crate::{
    catalog::{CutMember, SnapshotIntent},
    deps::Deps,
    error::{GatewayError, Result},
    layout::{Observation, array_name},
    ledger::{OwnedEntry, OwnedKind, Stage},
    ports::Progress as Answer,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strata_model::ErrorKind;
use strata_proto::strata::{
    common::v1::Pending,
    storage::v1::{ArraySnapshot, EnsureSnapshotRequest, RemoveSnapshotRequest, SnapshotTarget},
};
use strata_saga::{Operation, Progress, RunContext, StepError, StepResult};

/// What was cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutOutput {
    /// Key that it was cut under.
    pub key: String,
    /// When, by the array's clock.
    pub time: Timestamp,
    /// One a volume.
    pub members: Vec<CutMember>,
    /// Time between the parts, in microseconds.
    pub skew_us: u64,
    /// For each disk by key: the file that the .vmx in the snapshot names, where it is not the one to attach.
    pub config_paths: Vec<(i32, String)>,
    /// For each disk by key: its chain at the cut.
    #[serde(default)]
    pub chains: Vec<(i32, Vec<String>)>,
}

/// The keys under which a cut may stand: the first, and that of the second try.
pub fn keys(intent: &SnapshotIntent) -> [String; 2] {
    [intent.snapshot_id.clone(), format!("{}-2", intent.snapshot_id)]
}

/// Where a cut stopped to wait. Journalled as the step's resume, since the VM before the cut cannot be seen after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// Which of the keys.
    key: usize,
    /// It is being removed, since the VM moved; otherwise it is being made.
    removing: bool,
    /// The array by its index, and what it answered.
    call: String,
    /// The VM as it was before the cut that is made, or after the one that is removed.
    before: Observation,
    /// How the VM moved.
    moved: String,
}

impl Place {
    fn pending(self, mut still: Pending) -> Result<Progress> {
        let place = Self { call: still.resume, ..self };
        still.resume = serde_json::to_string(&place).map_err(|error| GatewayError::unexpected(error.to_string()))?;
        Ok(wait::pending(still))
    }
}

/// Journalled keys of how the VM was before each try. What a crash loses from memory could otherwise not be seen any more:
/// a look taken after it would find nothing moved.
const BASELINES: [&str; 2] = ["baseline", "baseline-2"];

/// Cuts, looks whether the VM moved, and cuts once more where it did. `prepared` is how the VM was when the cut was
/// prepared, as the journal has it; without one it is read now and journalled before the cut.
pub async fn run<O>(c: &RunContext<O>, intent: &SnapshotIntent, prepared: Option<Observation>) -> StepResult
where
    O: Operation<Context = Deps>,
{
    // A resume of another form is asked anew: every call converges on its key.
    let mut stopped: Option<Place> = c.resume().and_then(|text| serde_json::from_str(&text).ok());
    let second: Option<Observation> = c.find_planned(BASELINES[1])?;
    if second.is_some() {
        // What the first try waited for is over.
        stopped = stopped.filter(|place| place.key == 1);
    }
    let first = stopped.as_ref().map_or(usize::from(second.is_some()), |place| place.key);
    let before = match (second, stopped.as_ref().map(|place| place.before.clone()), prepared) {
        (Some(before), ..) | (None, Some(before), _) | (None, None, Some(before)) => before,
        (None, None, None) => match c.find_planned(BASELINES[0])? {
            Some(before) => before,
            None => {
                let seen = observe::look(c.context(), intent).await?;
                c.planned(BASELINES[0], || seen).await?
            }
        },
    };
    let moved = stopped.as_ref().map(|place| place.moved.clone()).unwrap_or_default();
    let mut tries = Tries { c, intent, before, moved, stopped };
    for index in first..BASELINES.len() {
        if let Some(answer) = tries.one(index).await? {
            return Ok(answer);
        }
    }
    Err(StepError::from(observe::moved_twice(intent, &tries.moved)))
}

/// The cut under way.
struct Tries<'a, O: Operation<Context = Deps>> {
    c: &'a RunContext<O>,
    intent: &'a SnapshotIntent,
    /// The VM before the cut of this try.
    before: Observation,
    /// How it moved in the last one.
    moved: String,
    stopped: Option<Place>,
}

impl<O: Operation<Context = Deps>> Tries<'_, O> {
    /// Cuts under one key; `None` where the VM moved and the cut was removed.
    async fn one(&mut self, index: usize) -> Result<Option<Progress>, StepError> {
        let (deps, intent, operation) = (self.c.context(), self.intent, self.c.operation().to_string());
        let key = &keys(intent)[index];
        if let Some(stopped) = self.stopped.take_if(|place| place.removing) {
            let removed = remove_key(deps, &operation, intent, key, Some(&stopped.call), true).await?;
            return match removed {
                Answer::Pending(still) => Ok(Some(self.place(index, true).pending(still)?)),
                Answer::Ready(()) => Ok(None),
            };
        }
        if index > 0 {
            let before = self.before.clone();
            self.before = self.c.planned(BASELINES[index], || before).await?;
        }
        let call = self.stopped.take().map(|place| place.call);
        let snapshots = match ensure_all(deps, &operation, intent, key, call.as_deref()).await {
            Ok(Answer::Pending(still)) => return Ok(Some(self.place(index, false).pending(still)?)),
            Ok(Answer::Ready(snapshots)) => snapshots,
            Err(error) if error.kind == ErrorKind::NotFound => {
                // Where the VM went elsewhere, that is what people must read.
                observe::look(deps, intent).await?;
                return Err(error.into());
            }
            Err(error) => return Err(error.into()),
        };
        let after = observe::look(deps, intent).await?;
        match after.moved_since(&self.before) {
            None => return Ok(Some(to_output(&output(key, &snapshots, &after, intent)?)?)),
            Some(what) => self.moved = what,
        }
        self.before = after;
        match remove_key(deps, &operation, intent, key, None, true).await? {
            Answer::Pending(still) => Ok(Some(self.place(index, true).pending(still)?)),
            Answer::Ready(()) => Ok(None),
        }
    }

    fn place(&self, key: usize, removing: bool) -> Place {
        Place { key, removing, call: String::new(), before: self.before.clone(), moved: self.moved.clone() }
    }
}

fn output(key: &str, snapshots: &[ArraySnapshot], after: &Observation, intent: &SnapshotIntent) -> Result<CutOutput> {
    let times = snapshots.iter().filter_map(|snapshot| snapshot.cut_time.as_ref());
    let earliest = times.min_by_key(|time| (time.seconds, time.nanos));
    let time = earliest
        .and_then(|time| Timestamp::new(time.seconds, time.nanos).ok())
        .ok_or_else(|| GatewayError::unexpected("the array does not say when it cut"))?;
    let members = snapshots.iter().flat_map(|snapshot| &snapshot.members);
    Ok(CutOutput {
        key: key.to_owned(),
        time,
        members: members
            .map(|member| CutMember {
                volume: member.volume.clone(),
                volume_uuid: member.volume_uuid.clone(),
                snapshot_id: member.snapshot_id.clone(),
                native_name: member.native_name.clone(),
            })
            .collect(),
        skew_us: skew(snapshots),
        config_paths: config_paths(after, intent),
        chains: after.chains.clone(),
    })
}

/// The file that each disk of the intent writes now, where it is not the one to attach.
fn config_paths(now: &Observation, intent: &SnapshotIntent) -> Vec<(i32, String)> {
    let leaf = |key: i32, attach: &String| now.leaf(key).filter(|leaf| *leaf != attach).cloned();
    intent.disks.iter().filter_map(|disk| Some((disk.key, leaf(disk.key, &disk.attach_path)?))).collect()
}

/// The largest skew within an array, and the time between arrays where there are several.
fn skew(snapshots: &[ArraySnapshot]) -> u64 {
    let within = snapshots.iter().map(|snapshot| snapshot.skew_us).max().unwrap_or(0);
    let times: Vec<i64> = snapshots
        .iter()
        .filter_map(|snapshot| snapshot.cut_time.as_ref())
        .map(|time| time.seconds * 1_000_000 + i64::from(time.nanos) / 1_000)
        .collect();
    let between = times.iter().max().zip(times.iter().min()).map_or(0, |(last, first)| last - first);
    within.max(u64::try_from(between).unwrap_or(0))
}

/// The volumes of an intent by array, each once.
fn by_array(intent: &SnapshotIntent) -> Result<BTreeMap<String, Vec<SnapshotTarget>>> {
    let mut arrays: BTreeMap<String, Vec<SnapshotTarget>> = BTreeMap::new();
    for member in &intent.members {
        let targets = arrays.entry(array_name(&member.volume)?).or_default();
        match targets.iter_mut().find(|target| target.volume == member.volume) {
            Some(target) => target.paths.extend(member.paths.iter().cloned()),
            None => targets.push(SnapshotTarget {
                volume: member.volume.clone(),
                paths: member.paths.clone(),
                expected_volume_uuid: member.volume_uuid.clone(),
            }),
        }
    }
    Ok(arrays)
}

async fn ensure_all(
    deps: &Deps,
    operation: &str,
    intent: &SnapshotIntent,
    key: &str,
    resume: Option<&str>,
) -> Result<Answer<Vec<ArraySnapshot>>> {
    let mut snapshots = Vec::new();
    for (index, (array, targets)) in by_array(intent)?.into_iter().enumerate() {
        let mut entry = owned(deps, operation, intent, &array, key, &targets);
        deps.ledger.write(&entry).await?;
        let request = EnsureSnapshotRequest {
            array,
            key: key.to_owned(),
            label: intent.vm_display_name.clone(),
            mark: Some(deps.mark()),
            targets,
            skew_max_ms: if intent.splits_a_datastore() { 0 } else { intent.skew_max_ms },
            // Some arrays measure no skew where the VM is off; extents of one VMFS must agree all the same.
            vm_off: intent.vm_off && !intent.splits_a_datastore(),
            resume: wait::resume_of(resume, index),
        };
        match deps.ports.storage.ensure_snapshot(request).await? {
            Answer::Ready(snapshot) => snapshots.push(snapshot),
            Answer::Pending(still) => return Ok(Answer::Pending(at(index, still))),
        }
        entry.stage = Stage::Present;
        deps.ledger.note(&entry).await?;
    }
    Ok(Answer::Ready(snapshots))
}

fn at(index: usize, mut still: Pending) -> Pending {
    still.resume = format!("{index} {}", still.resume);
    still
}

fn owned(
    deps: &Deps,
    operation: &str,
    intent: &SnapshotIntent,
    array: &str,
    key: &str,
    targets: &[SnapshotTarget],
) -> OwnedEntry {
    OwnedEntry {
        array: array.to_owned(),
        kind: OwnedKind::Snapshot,
        key: key.to_owned(),
        label: intent.vm_display_name.clone(),
        volumes: targets.iter().map(|target| target.volume.clone()).collect(),
        operation: operation.to_owned(),
        generation: deps.generation,
        stage: Stage::Intended,
    }
}

/// Removes what stands under one key. `certain`: nothing more can arrive under it.
async fn remove_key(
    deps: &Deps,
    operation: &str,
    intent: &SnapshotIntent,
    key: &str,
    resume: Option<&str>,
    certain: bool,
) -> Result<Answer<()>> {
    for (index, (array, targets)) in by_array(intent)?.into_iter().enumerate() {
        let mut entry = owned(deps, operation, intent, &array, key, &targets);
        entry.stage = Stage::Removing;
        deps.ledger.note(&entry).await?;
        let request = RemoveSnapshotRequest {
            array: array.clone(),
            key: key.to_owned(),
            label: intent.vm_display_name.clone(),
            mark: Some(deps.mark()),
            volumes: targets.iter().map(|target| target.volume.clone()).collect(),
            resume: wait::resume_of(resume, index),
        };
        if let Answer::Pending(still) = deps.ports.storage.remove_snapshot(request).await? {
            return Ok(Answer::Pending(at(index, still)));
        }
        if certain {
            deps.ledger.strike(&array, OwnedKind::Snapshot, key).await?;
        } else {
            entry.stage = Stage::AbsentUnconfirmed;
            deps.ledger.note(&entry).await?;
        }
    }
    Ok(Answer::Ready(()))
}

/// Takes a cut back, under whichever key it may stand. `answered`: the cut's outcome is known, so nothing can arrive late.
pub async fn undo(
    deps: &Deps,
    operation: &str,
    intent: &SnapshotIntent,
    resume: Option<String>,
    answered: bool,
) -> Result<Progress> {
    for (index, key) in keys(intent).into_iter().enumerate() {
        let call = wait::resume_of(resume.as_deref(), index);
        if let Answer::Pending(still) = remove_key(deps, operation, intent, &key, Some(&call), answered).await? {
            return Ok(wait::pending_at(index, still));
        }
    }
    Ok(Progress::done())
}

/// Removes the array snapshot of a finished restore point.
pub async fn remove(
    deps: &Deps,
    operation: &str,
    intent: &SnapshotIntent,
    key: &str,
    resume: Option<String>,
) -> Result<Progress> {
    Ok(wait::done(remove_key(deps, operation, intent, key, resume.as_deref(), true).await?))
}
