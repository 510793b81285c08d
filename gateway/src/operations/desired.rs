//! What the catalog must hold, by the journal: a fold over all operations, oldest first.

use super::{CreateClone, CreateSnapshot, DeleteClone, DeleteSnapshot, RevertVm, SwapVm};
use crate::{
    catalog::{CloneRecord, Desired, RestorePoint},
    plan::{DeleteCloneIntent, DeleteSnapshotIntent},
};
use serde::de::DeserializeOwned;
use strata_saga::{History, Operation as _, StepStatus};

/// Folds histories in the order of their ids, which is that of time.
pub fn desired<'a>(histories: impl Iterator<Item = &'a History>) -> Desired {
    let mut histories: Vec<&History> = histories.collect();
    histories.sort_by_key(|history| history.id);
    let mut desired = Desired::default();
    // What was made first, then what was removed: a removal is always of something that an older operation made.
    for history in &histories {
        made(history, &mut desired);
    }
    for history in &histories {
        removed(history, &mut desired);
    }
    desired
}

fn made(history: &History, desired: &mut Desired) {
    let step = match history.accepted.kind.as_str() {
        CreateSnapshot::KIND => "record",
        RevertVm::KIND | SwapVm::KIND => "record_safety",
        CreateClone::KIND => {
            if let Some(clone) = standing::<CloneRecord>(history, "record") {
                desired.clones.insert(clone.intent.clone_id.clone(), clone);
            }
            return;
        }
        _ => return,
    };
    if let Some(point) = standing::<RestorePoint>(history, step) {
        desired.points.insert(point.id.clone(), point);
    }
}

fn removed(history: &History, desired: &mut Desired) {
    match history.accepted.kind.as_str() {
        DeleteSnapshot::KIND => {
            let Some(intent) = params::<DeleteSnapshotIntent>(history) else { return };
            if done(history, "forget") {
                desired.points.remove(&intent.point.id);
            } else if let Some(point) = desired.points.get_mut(&intent.point.id) {
                point.deleting |= done(history, "mark_deleting");
            }
        }
        DeleteClone::KIND => {
            let Some(intent) = params::<DeleteCloneIntent>(history) else { return };
            if done(history, "forget") {
                desired.clones.remove(&intent.clone.intent.clone_id);
            } else if let Some(clone) = desired.clones.get_mut(&intent.clone.intent.clone_id) {
                clone.deleting |= done(history, "mark_deleting");
            }
        }
        _ => {}
    }
}

fn params<T: DeserializeOwned>(history: &History) -> Option<T> {
    serde_json::from_value(history.accepted.params.clone()).ok()
}

fn done(history: &History, step: &str) -> bool {
    history.step(step).is_some_and(|step| step.status == StepStatus::Succeeded)
}

/// The output of a step that succeeded and was not undone, or whose undo left it for a reason. After a skip a revert's undo
/// leaves the safety point, so that it stands too where the skip was of its own record.
fn standing<T: DeserializeOwned>(history: &History, step: &str) -> Option<T> {
    let step = history.step(step)?;
    let reverts = [RevertVm::KIND, SwapVm::KIND].contains(&history.accepted.kind.as_str());
    let skipped = reverts && step.undo_skipped_by.is_some();
    let kept = step.status == StepStatus::Undone && (step.undo_note.is_some() || skipped);
    if step.status != StepStatus::Succeeded && !kept {
        return None;
    }
    serde_json::from_value(step.output.clone()?).ok()
}
