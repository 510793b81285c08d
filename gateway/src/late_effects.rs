//! What was removed before its making was known to have ended may have come after all: a call whose answer was lost goes on
//! in the array. The ledger keeps such entries as `AbsentUnconfirmed`; at every start they are removed once more, by key,
//! and struck out. Until the next start what came late is listed in the ledger and nowhere else.

use crate::{
    catalog::{CloneIntent, SnapshotIntent},
    deps::Deps,
    error::{GatewayError, Result},
    ledger::{OwnedEntry, OwnedKind, Stage},
    operations::{CreateClone, CreateSnapshot, RevertVm, SwapVm},
    plan::{RevertIntent, SwapIntent},
    steps::{array_clone, array_snapshot},
};
use serde::de::DeserializeOwned;
use std::time::Duration;
use strata_kit::status::report;
use strata_saga::{Engine, Operation as _, Progress, engine::Filter};

/// How long a start waits for this; the rest is done at the next one.
const PATIENCE: Duration = Duration::from_secs(30);

/// Removes what may have come late, and says what it did. It fails nothing: what it cannot do stays in the ledger.
pub async fn sweep(deps: &Deps, engine: &Engine) {
    tokio::select! {
        () = sweep_all(deps, engine) => {}
        () = deps.clock.sleep(PATIENCE) => {
            tracing::warn!("what may have come late on the arrays was not looked for to the end; the next start goes on");
        }
    }
}

async fn sweep_all(deps: &Deps, engine: &Engine) {
    let entries = match deps.ledger.entries().await {
        Ok(entries) => entries,
        Err(error) => return tracing::warn!(error = %report(&error), "the ledger cannot be read for late effects"),
    };
    for entry in entries.iter().filter(|entry| entry.stage == Stage::AbsentUnconfirmed) {
        let (array, key) = (&entry.array, &entry.key);
        match remove(deps, engine, entry).await {
            Ok(true) => tracing::info!(array, key, "made sure that nothing came late, and struck it out of the ledger"),
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(array, key, error = %report(&error), "not known whether it came late; asked at the next start");
            }
        }
    }
}

/// True where it is surely gone; false where it is not ours to decide now.
async fn remove(deps: &Deps, engine: &Engine, entry: &OwnedEntry) -> Result<bool> {
    let all = engine.list(&Filter::default());
    let maker = all.iter().find(|status| status.history.id.to_string() == entry.operation);
    // One that still runs, or waits for a person, removes by itself.
    let Some(maker) = maker.filter(|status| status.history.outcome.is_some()) else { return Ok(false) };
    let accepted = &maker.history.accepted;
    let progress = match (entry.kind, accepted.kind.as_str()) {
        (OwnedKind::Snapshot, CreateSnapshot::KIND) => {
            remove_snapshot(deps, entry, &params::<SnapshotIntent>(&accepted.params)?).await?
        }
        (OwnedKind::Snapshot, RevertVm::KIND) => {
            remove_snapshot(deps, entry, &params::<RevertIntent>(&accepted.params)?.safety).await?
        }
        (OwnedKind::Snapshot, SwapVm::KIND) => {
            remove_snapshot(deps, entry, &params::<SwapIntent>(&accepted.params)?.safety).await?
        }
        // A VM may live on it: only a revert that was undone left nothing there.
        (OwnedKind::VolumeClone | OwnedKind::LunClone, SwapVm::KIND)
            if maker.history.outcome != Some(strata_saga::Outcome::Succeeded) =>
        {
            let intent: SwapIntent = params(&accepted.params)?;
            array_clone::undo(deps, &entry.operation, &intent.copy, None, true).await?
        }
        (OwnedKind::VolumeClone | OwnedKind::FileClone | OwnedKind::LunClone, CreateClone::KIND) => {
            let intent: CloneIntent = params(&accepted.params)?;
            if deps.catalog.clone_record(&intent.clone_id)?.is_some() {
                return Ok(false);
            }
            array_clone::undo(deps, &entry.operation, &intent, None, true).await?
        }
        _ => return Ok(false),
    };
    Ok(!matches!(progress, Progress::Pending { .. }))
}

/// Only this key: another of the same intent may be the cut that stands.
async fn remove_snapshot(deps: &Deps, entry: &OwnedEntry, intent: &SnapshotIntent) -> Result<Progress> {
    if deps.catalog.points()?.iter().any(|point| point.cut.key == entry.key) {
        let message = format!("{} is in the catalog and in the ledger as absent; it is left alone", entry.key);
        return Err(GatewayError::unexpected(message));
    }
    array_snapshot::remove(deps, &entry.operation, intent, &entry.key, None).await
}

fn params<T: DeserializeOwned>(value: &serde_json::Value) -> Result<T> {
    serde_json::from_value(value.clone()).map_err(|error| GatewayError::unexpected(error.to_string()))
}
