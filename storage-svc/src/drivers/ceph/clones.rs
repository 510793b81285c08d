//! Clones: child images, which share every block that nobody wrote since. Format 1 wants its snapshot protected, format 2 does
//! not; the cluster says which it makes.

use super::{
    Ceph,
    client::{Call, Change, pending, right},
    images::{self, Spec},
    look,
    mark::{self, Name},
    snapshots::by_id,
    wire::{Image, Snapshot},
};
use crate::{
    driver::{CloneMember, CloneTarget, DriverError, Progress, Reason, VolumeCloneRequest},
    naming,
};
use http::Method;
use serde_json::json;
use std::collections::BTreeSet;
use strata_model::{mark::Mark, names::encode};

/// True where the cluster makes clones of format 1.
pub(super) async fn need_protection(array: &Ceph) -> Result<bool, DriverError> {
    let call = Call::get("/block/image/clone_format_version", "say which clones it makes", right::READ);
    let format: u32 = array.client.read(call).await?;
    Ok(format < 2)
}

/// Protects a snapshot, or ends that; both may be repeated.
pub(super) async fn protect(
    array: &Ceph,
    image: &Image,
    snapshot: &Snapshot,
    protected: bool,
) -> Result<(), DriverError> {
    let path = Spec::of(image).path(&format!("/snap/{}", encode(&snapshot.name)));
    let what = if protected { "protect a snapshot" } else { "unprotect a snapshot" };
    let body = json!({"is_protected": protected});
    match array.client.change(Call::change(Method::PUT, &path, body, what, right::UPDATE)).await? {
        Change::Done => Ok(()),
        // It goes on by itself; the repeated call finds it done.
        Change::Queued(_) => {
            let text = format!("array {} takes long to {what}; ask again", array.client.name());
            Err(DriverError::new(Reason::Busy, text))
        }
    }
}

/// All images whose name was rendered for this key, whoever made them. The snapshots tell their children at once, the list of
/// names half a minute later.
pub(super) async fn by_key(array: &Ceph, key: &str, targets: &[CloneTarget]) -> Result<Vec<Image>, DriverError> {
    array.system().await?;
    let head = naming::render(&mark::RULES, key, "");
    let mut found = Vec::<Image>::new();
    for pool in &array.pools {
        found.extend(images::in_pool(array, pool, &head).await?.images);
    }
    let mut specs = BTreeSet::new();
    for target in targets {
        let image = images::find(array, &target.volume).await?;
        for child in image.iter().flat_map(|image| &image.snapshots).flat_map(|snapshot| &snapshot.children) {
            specs.insert((child.pool_name.clone(), child.image_name.clone()));
        }
    }
    let is_known = |found: &[Image], spec: &Spec| found.iter().any(|image| Spec::of(image) == *spec);
    for (pool, name) in specs.into_iter().filter(|(pool, _)| array.pools.contains(pool)) {
        let spec = Spec { pool, name };
        if naming::is_for_key(&mark::RULES, &spec.name, key)
            && !is_known(&found, &spec)
            && let Some(image) = images::by_name(array, &spec).await?
        {
            found.push(image);
        }
    }
    found.retain(|image| naming::is_for_key(&mark::RULES, &image.name, key));
    Ok(found)
}

/// A clone's name where it is of our form and true: the image has a parent, and that is the image of the name. A copy in
/// another pool or cluster has another parent, one that was flattened has none (S2).
pub(super) async fn read_ours(array: &Ceph, image: &Image) -> Result<Option<Name>, DriverError> {
    let Some(name) = Name::read(&image.name).filter(|name| name.snapshot().is_some()) else {
        return Ok(None);
    };
    let Some(from) = &image.parent else {
        return Ok(None);
    };
    let parent = look::parent(array, from).await?;
    Ok(parent.is_some_and(|parent| parent.id == name.image && parent.pool_name == image.pool_name).then_some(name))
}

/// The clone's provenance where it is the caller's.
pub(super) async fn check_ours(array: &Ceph, image: &Image, mark: &Mark) -> Result<Name, DriverError> {
    let name = read_ours(array, image).await?.filter(|name| name.belongs_to(mark) && image.primary != Some(false));
    name.ok_or_else(|| {
        let text = format!(
            "image '{}' is no clone '{}' of this installation, or was flattened, or not finished; it is left alone, remove it by \
             hand if it may go",
            Spec::of(image),
            mark.key
        );
        DriverError::new(Reason::NotOurs, text)
    })
}

/// True where the clone was made of this target.
pub(super) fn is_from(array: &Ceph, image: &Image, name: &Name, target: &CloneTarget) -> bool {
    let parts = array.known().and_then(|system| system.parse(&target.volume));
    parts.is_some_and(|(pool, id)| pool == image.pool_name && id == name.image)
        && name.snapshot().is_some_and(|id| id.to_string() == target.snapshot.0)
}

pub(super) async fn ensure(array: &Ceph, want: &VolumeCloneRequest) -> Result<Progress<Vec<CloneMember>>, DriverError> {
    naming::check_key(&want.mark.key)?;
    let sources: BTreeSet<_> = want.targets.iter().map(|target| (&target.volume, &target.snapshot)).collect();
    if sources.is_empty() || sources.len() != want.targets.len() {
        let text = format!("clone '{}' needs at least one snapshot, and each only once", want.mark.key);
        return Err(DriverError::new(Reason::InvalidRequest, text));
    }
    if let Some(path) = want.targets.iter().flat_map(|target| &target.luns).find(|path| !path.is_empty()) {
        let text = format!("there is no LUN '{path}': an image is one LUN, with an empty path");
        return Err(DriverError::new(Reason::NotFound, text));
    }
    if let Some(waiting) = array.client.settle(want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    for _ in 0..=want.targets.len() {
        let mut ours = Vec::new();
        for image in by_key(array, &want.mark.key, &want.targets).await? {
            let name = check_ours(array, &image, &want.mark).await?;
            if !want.targets.iter().any(|target| is_from(array, &image, &name, target)) {
                let text = format!("key '{}' names a clone of another snapshot; use another key", want.mark.key);
                return Err(DriverError::new(Reason::KeyReused, text));
            }
            ours.push((image, name));
        }
        let of = |target: &CloneTarget| ours.iter().find(|(image, name)| is_from(array, image, name, target));
        let Some(target) = want.targets.iter().find(|target| of(target).is_none()) else {
            let mut members = Vec::new();
            for (target, (image, _)) in want.targets.iter().filter_map(|target| Some((target, of(target)?))) {
                members.push(CloneMember {
                    volume: look::to_volume(array, image).await?,
                    directory: String::new(),
                    copied_bytes: 0,
                    luns: target.luns.iter().map(|_| look::to_lun(array, image)).collect(),
                });
            }
            return Ok(Progress::Ready(members));
        };
        match make(array, want, target).await {
            Ok(Change::Done) => {}
            Ok(Change::Queued(task)) => return Ok(pending(&task)),
            // Somebody was faster: looked at again.
            Err(error) if error.reason == Reason::TargetExists => {}
            Err(error) => return Err(error),
        }
    }
    let text = format!("clone '{}' comes and goes while it is made; try again", want.mark.key);
    Err(DriverError::new(Reason::Busy, text))
}

async fn make(array: &Ceph, want: &VolumeCloneRequest, target: &CloneTarget) -> Result<Change, DriverError> {
    let image = images::get(array, &target.volume).await?;
    let snapshot = by_id(&image, &target.snapshot)?;
    let name = mark::clone_name(&want.mark, &image.id, snapshot.id, &want.label)?;
    if snapshot.is_protected != Some(true) && need_protection(array).await? {
        protect(array, &image, snapshot, true).await?;
    }
    let spec = Spec { pool: image.pool_name.clone(), name };
    array.seen().will_make(spec.clone(), array.clock.now());
    let path = Spec::of(&image).path(&format!("/snap/{}/clone", encode(&snapshot.name)));
    let body = json!({"child_pool_name": spec.pool, "child_image_name": spec.name});
    array.client.change(Call::change(Method::POST, &path, body, "clone a snapshot", right::CREATE)).await
}
