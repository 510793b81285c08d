//! A whole volume rolled back. ONTAP deletes all newer snapshots with it, so that it is refused while there is one (S1), and under
//! hosts that have not let go (S21).

use super::{
    Ontap,
    client::{Change, WAIT},
    export_policies,
    job::{pending, settle_restore},
    luns, snapshots, volumes,
    wire::{self, time},
};
use crate::driver::{DriverError, Progress, Reason, RestoreRequest};
use http::Method;
use serde_json::json;

pub(super) async fn restore(array: &Ontap, want: &RestoreRequest) -> Result<Progress<()>, DriverError> {
    crate::naming::check_key(&want.mark.key)?;
    if let Some(told) = settle_restore(array, want.resume.as_deref()).await? {
        return Ok(told);
    }
    let volume = volumes::get(array, &want.volume).await?;
    volumes::check_uuid(&volume, want.expected_uuid.as_ref())?;
    volumes::check_read_write(array, &volume).await?;
    let snapshot = snapshots::get(array, &want.volume, &want.snapshot).await?;
    check_newest(array, &volume, &snapshot).await?;
    check_mounts_released(array, &volume, want).await?;
    let all = luns::tell(array, luns::of_volume(array, &volume.uuid).await?).await?;
    want.check_released(&all)?;
    // Without it the LUNs come back under other numbers.
    let keep = if all.is_empty() { "" } else { "preserve_lun_ids=true&" };
    let path = format!("/storage/volumes/{}?{keep}{WAIT}", volume.uuid);
    let body = json!({"restore_to": {"snapshot": {"uuid": snapshot.uuid}}});
    match array.client.change(Method::PATCH, &path, Some(body), "restore a volume").await? {
        Change::Done => Ok(Progress::Ready(())),
        Change::Queued(job) => Ok(pending(&job)),
    }
}

/// Every host that the volume's export policy lets in must have let go: the array itself looks at nobody's mounts.
async fn check_mounts_released(array: &Ontap, volume: &wire::Volume, want: &RestoreRequest) -> Result<(), DriverError> {
    let Some(path) = &volume.nas.path else { return Ok(()) };
    let name = &volume.nas.export_policy.name;
    let clients = match export_policies::find(array, &volume.svm, name).await? {
        Some(policy) => export_policies::clients(&policy),
        None => vec![format!("whoever policy '{name}' lets in")],
    };
    let has_let_go =
        |client: &str| want.released_initiators.iter().any(|released| released.eq_ignore_ascii_case(client));
    match clients.iter().find(|client| !has_let_go(client)) {
        None => Ok(()),
        Some(client) => {
            let text = format!(
                "volume '{}' may be mounted at '{path}' by '{client}', which nobody has seen to let go; revert by file",
                volume.name
            );
            Err(DriverError::new(Reason::InUse, text))
        }
    }
}

/// Of two snapshots of one second nobody knows which is newer: it counts as newer.
async fn check_newest(array: &Ontap, volume: &wire::Volume, to: &wire::Snapshot) -> Result<(), DriverError> {
    let all = snapshots::list(array, &volume.uuid, "").await?;
    let newer = all.iter().filter(|it| it.uuid != to.uuid && time(&it.create_time) >= time(&to.create_time));
    let names: Vec<&str> = newer.map(|it| it.name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let text = format!(
        "rolling volume '{}' back to '{}' would delete {} newer snapshots ({}); remove them first, or revert by file, LUN or clone",
        volume.name,
        to.name,
        names.len(),
        names.join(", ")
    );
    Err(DriverError::new(Reason::NewerSnapshots, text))
}
