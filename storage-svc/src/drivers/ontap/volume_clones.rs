//! Clones of volumes (FlexClone). One of a volume that is mounted is mounted too, at once, under an export policy of its own that
//! lets nobody in; hosts are let in later. Crash states: (1) nothing; (2) an export policy without a volume; (3) some of the
//! volumes; (4) all. The repeat goes on from each, the removal undoes each.

use super::{
    Ontap,
    client::{Change, WAIT},
    comment::Comment,
    export_policies,
    job::{pending, settle},
    luns, names, snapshots,
    volumes::{self, Teller},
    wire,
};
use crate::{
    driver::{CloneMember, CloneTarget, DriverError, Progress, Reason, VolumeCloneRequest},
    naming,
};
use http::Method;
use serde_json::json;
use std::collections::BTreeSet;
use strata_model::mark::Mark;

/// All volumes whose name was rendered for this key, whoever made them.
pub(super) async fn by_key(array: &Ontap, key: &str) -> Result<Vec<wire::Volume>, DriverError> {
    let mut all = volumes::list(array, &format!("name={}", names::volume_begins(key))).await?;
    all.retain(|volume| names::is_volume_for_key(&volume.name, key));
    Ok(all)
}

/// Refuses a volume that is not this clone: by its mark, its source, and that it can be written (S2).
pub(super) async fn check_ours(array: &Ontap, volume: &wire::Volume, mark: &Mark) -> Result<(), DriverError> {
    let comment = Comment::read(&volume.comment).filter(|comment| comment.belongs_to(mark));
    let from = &volume.clone.parent_volume.uuid;
    let ours = volume.clone.is_flexclone && comment.is_some_and(|comment| comment.is_for(from));
    if ours && volumes::is_read_write(&array.learned().await?, volume) {
        return Ok(());
    }
    let text = format!(
        "volume '{}' ({}) is no clone '{}' of this installation; it is left alone",
        volume.name, volume.uuid, mark.key
    );
    Err(DriverError::new(Reason::NotOurs, text))
}

pub(super) fn is_from(volume: &wire::Volume, target: &CloneTarget) -> bool {
    let clone = &volume.clone;
    clone.parent_volume.uuid == target.volume.0 && clone.parent_snapshot.uuid == target.snapshot.0
}

pub(super) async fn ensure(
    array: &Ontap,
    want: &VolumeCloneRequest,
) -> Result<Progress<Vec<CloneMember>>, DriverError> {
    check_targets(want)?;
    if let Some(waiting) = settle(array, want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    for _ in 0..=want.targets.len() {
        let found = by_key(array, &want.mark.key).await?;
        for volume in &found {
            check_ours(array, volume, &want.mark).await?;
            if !want.targets.iter().any(|target| is_from(volume, target)) {
                let text = format!("key '{}' names a clone of another snapshot; use another key", want.mark.key);
                return Err(DriverError::new(Reason::KeyReused, text));
            }
        }
        let of = |target: &CloneTarget| found.iter().find(|volume| is_from(volume, target));
        let Some((index, target)) = want.targets.iter().enumerate().find(|(_, target)| of(target).is_none()) else {
            let pairs = want.targets.iter().filter_map(|target| Some((target, of(target)?)));
            return members(array, pairs.collect()).await.map(Progress::Ready);
        };
        match make(array, want, index, target).await {
            Ok(Change::Done) => {}
            Ok(Change::Queued(job)) => return Ok(pending(&job)),
            // Somebody was faster: looked at again.
            Err(error) if error.reason == Reason::TargetExists => {}
            Err(error) => return Err(error),
        }
    }
    let text = format!("clone '{}' comes and goes while it is made; try again", want.mark.key);
    Err(DriverError::new(Reason::Busy, text))
}

/// What every kind of clone is refused for, before the array is asked.
pub(super) fn check_targets(want: &VolumeCloneRequest) -> Result<(), DriverError> {
    naming::check_key(&want.mark.key)?;
    let sources: BTreeSet<_> = want.targets.iter().map(|target| (&target.volume, &target.snapshot)).collect();
    if sources.is_empty() || sources.len() != want.targets.len() {
        let text = format!("clone '{}' needs at least one snapshot, and each only once", want.mark.key);
        return Err(DriverError::new(Reason::InvalidRequest, text));
    }
    Ok(())
}

async fn members(array: &Ontap, pairs: Vec<(&CloneTarget, &wire::Volume)>) -> Result<Vec<CloneMember>, DriverError> {
    let teller = Teller::new(array).await?;
    let mut members = Vec::new();
    for (target, volume) in pairs {
        if !matches!(volume.state.as_str(), "online" | "") {
            let text = format!("clone '{}' is {} and not online yet; try again", volume.name, volume.state);
            return Err(DriverError::new(Reason::Busy, text));
        }
        let mut asked = Vec::new();
        if !target.luns.is_empty() {
            let all = luns::of_volume(array, &volume.uuid).await?;
            for path in &target.luns {
                asked.push(luns::at(&all, &volume.name, path)?.clone());
            }
        }
        members.push(CloneMember {
            volume: teller.tell(volume.clone()),
            directory: String::new(),
            copied_bytes: 0,
            luns: luns::tell(array, asked).await?,
        });
    }
    Ok(members)
}

async fn make(
    array: &Ontap,
    want: &VolumeCloneRequest,
    index: usize,
    target: &CloneTarget,
) -> Result<Change, DriverError> {
    let parent = volumes::get(array, &target.volume).await?;
    let snapshot = snapshots::get(array, &target.volume, &target.snapshot).await?;
    // Several volumes of one clone need names of their own.
    let label = if want.targets.len() > 1 { format!("{index}-{}", want.label) } else { want.label.clone() };
    let name = names::volume(&want.mark.key, &label);
    let comment = Comment::new(&want.mark, [parent.uuid.as_str()]).write()?;
    let mut body = json!({
        "name": name,
        "svm": {"name": parent.svm.name},
        "comment": comment,
        "clone": {
            "is_flexclone": true,
            "parent_volume": {"uuid": parent.uuid},
            "parent_snapshot": {"uuid": snapshot.uuid},
        },
        // The clone takes no space before it is written to, and the source's schedules do not run on it.
        "guarantee": {"type": "none"},
        "snapshot_policy": {"name": "none"},
    });
    if parent.nas.path.is_some() {
        export_policies::ensure_empty(array, &parent.svm, &name).await?;
        body["nas"] = json!({"path": format!("/{name}"), "export_policy": {"name": name}});
    }
    array.client.change(Method::POST, &format!("/storage/volumes?{WAIT}"), Some(body), "clone a volume").await
}
