//! A restore point by its short name (`web-01@1004`), its id, or its resource name.

use super::{ambiguous, is_id};
use crate::{
    connect::{Gateway, call},
    failure::Failure,
};
use strata_model::{ErrorKind, names};
use strata_proto::strata::gateway::v1::{GetSnapshotRequest, ListSnapshotsRequest, Snapshot};

/// Finds the one restore point that is meant.
///
/// # Errors
/// None or more than one fits.
pub async fn find_snapshot(gateway: &Gateway, typed: &str) -> Result<Snapshot, Failure> {
    if names::split(typed, &["snapshots"]).is_ok() {
        return get(gateway, typed.to_owned()).await;
    }
    if is_id(typed, "s-") {
        return get(gateway, names::join(&[("snapshots", typed)])).await;
    }
    let request = ListSnapshotsRequest {
        parent: "vcenters/-/vms/-".to_owned(),
        display_name: typed.to_owned(),
        ..ListSnapshotsRequest::default()
    };
    let mut found = call!(gateway, snapshots.list_snapshots(request))?.snapshots;
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(absent(typed)),
        _ => {
            let names = found.into_iter().map(|snapshot| snapshot.name).collect();
            Err(ambiguous("restore points", typed, names, "use one of the full names above"))
        }
    }
}

async fn get(gateway: &Gateway, name: String) -> Result<Snapshot, Failure> {
    let request = GetSnapshotRequest { name };
    call!(gateway, snapshots.get_snapshot(request))
}

fn absent(typed: &str) -> Failure {
    let failure =
        Failure::new(ErrorKind::NotFound, "SNAPSHOT_NOT_FOUND", format!("no restore point is called '{typed}'"));
    match typed.split_once('@') {
        Some((vm, _)) => failure.hint(format!("`strata snapshot list {vm}` shows those of {vm}")),
        None => failure.hint("a restore point is named like web-01@1004; `strata snapshot list` shows all"),
    }
}
