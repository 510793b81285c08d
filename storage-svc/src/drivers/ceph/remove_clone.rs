//! Removing clones. The dashboard's call removes an image's snapshots with it, so that one that has any is refused.

use super::{
    Ceph,
    client::{Call, Change, pending, right},
    clones::{by_key, check_ours, is_from, need_protection, protect},
    images::Spec,
    look,
    mark::Name,
    wire::Image,
};
use crate::{
    driver::{CloneRemoval, DriverError, Progress, Reason},
    naming,
};
use http::Method;
use serde_json::json;

pub(super) async fn remove(array: &Ceph, want: &CloneRemoval) -> Result<Progress<()>, DriverError> {
    naming::check_key(&want.mark.key)?;
    if let Some(waiting) = array.client.settle(want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let found = by_key(array, &want.mark.key, &want.targets).await?;
    for image in &found {
        let name = check_ours(array, image, &want.mark).await?;
        if !want.targets.is_empty() && !want.targets.iter().any(|target| is_from(array, image, &name, target)) {
            let text = format!("clone '{}' was made of another snapshot than asked; it is left alone", want.mark.key);
            return Err(DriverError::new(Reason::KeyReused, text));
        }
        check_unused(array, image)?;
    }
    for image in found {
        let (spec, id) = (Spec::of(&image), look::id_of(array, &image)?);
        let path = spec.path("");
        let call =
            Call { body: None, ..Call::change(Method::DELETE, &path, json!({}), "delete a clone", right::DELETE) };
        match array.client.change(call).await {
            Ok(Change::Done) => {}
            Ok(Change::Queued(task)) => return Ok(pending(&task)),
            Err(error) if error.reason == Reason::NotFound => {}
            Err(error) if error.reason == Reason::Busy => {
                let text = format!(
                    "clone '{spec}' is open somewhere (see rbd status {spec}); take it from its gateway or host first, and after a \
                     crash of that wait half a minute"
                );
                return Err(DriverError::new(Reason::Exported, text).because(error));
            }
            Err(error) => return Err(error),
        }
        array.seen().removed(id, array.clock.now());
        release(array, &image).await;
    }
    Ok(Progress::Ready(()))
}

fn check_unused(array: &Ceph, image: &Image) -> Result<(), DriverError> {
    let spec = Spec::of(image);
    if let Some(device) = look::to_lun(array, image).canonical_name {
        let text =
            format!("clone '{spec}' is configured as device {device}; take it from its gateway and the configuration");
        return Err(DriverError::new(Reason::Exported, text));
    }
    if image.snapshots.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = image.snapshots.iter().map(|snapshot| snapshot.name.as_str()).collect();
    let text =
        format!("clone '{spec}' has snapshots, which would go with it; remove these first: {}", names.join(", "));
    Err(DriverError::new(Reason::HasDependents, text))
}

/// Ends the protection that the last clone of a snapshot needed. Best effort: the snapshot's removal does it too.
async fn release(array: &Ceph, clone: &Image) {
    let released = async {
        let Some(from) = &clone.parent else { return Ok(()) };
        let Some(parent) = look::parent(array, from).await? else { return Ok(()) };
        let id = Name::read(&clone.name).and_then(|name| name.snapshot());
        let snapshot = parent.snapshots.iter().find(|snapshot| Some(snapshot.id) == id);
        match snapshot.filter(|it| it.is_protected == Some(true) && it.children.is_empty()) {
            // Only ours: another's snapshot may have been protected before.
            Some(snapshot)
                if Name::read(&snapshot.name).is_some_and(|name| name.image == parent.id)
                    && need_protection(array).await? =>
            {
                protect(array, &parent, snapshot, false).await
            }
            _ => Ok::<(), DriverError>(()),
        }
    };
    if let Err(error) = released.await {
        tracing::warn!(error = strata_kit::status::report(&error), clone = clone.name, "its snapshot stays protected");
    }
}
