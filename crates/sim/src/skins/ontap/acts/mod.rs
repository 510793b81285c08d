//! What each call does, a file for each kind of object or change.

mod aggregates;
mod cluster;
mod export_policies;
mod export_rules;
mod file_clone;
mod files;
mod interfaces;
mod private_cli;
mod qtrees;
mod snapshot_change;
mod snapshot_make;
mod snapshots;
mod svms;
mod volume_change;
mod volume_clone;
mod volume_delete;
mod volume_make;
mod volume_restore;
mod volumes;

use super::{Face, dispatch::Route, refusal::Refusal};
use jiff::Timestamp;
use serde_json::{Value, json};

/// All calls but those of jobs.
pub(super) const ROUTES: &[&[Route]] = &[
    aggregates::ROUTES,
    cluster::ROUTES,
    export_policies::ROUTES,
    export_rules::ROUTES,
    file_clone::ROUTES,
    files::ROUTES,
    interfaces::ROUTES,
    private_cli::ROUTES,
    qtrees::ROUTES,
    snapshots::ROUTES,
    svms::ROUTES,
    volumes::ROUTES,
];

/// A time as ONTAP writes it: whole seconds and an offset.
pub(super) fn time(at: Timestamp) -> String {
    let whole = Timestamp::from_second(at.as_second()).unwrap_or(at);
    whole.to_string().replace('Z', "+00:00")
}

/// An SVM as objects refer to it.
fn svm(face: &Face, name: &str) -> Value {
    json!({"name": name, "uuid": face.id_of(&format!("svm {name}"))})
}

/// A time with an offset out of a body.
fn moment(field: &'static str, text: &str) -> Result<Timestamp, Refusal> {
    text.parse().map_err(|_| Refusal::bad_value(field, text))
}

/// Removes what is empty or null: ONTAP leaves out what is not set.
fn without_empty(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().map(|(key, inner)| (key, without_empty(inner)));
            let empty = |value: &Value| {
                value.is_null()
                    || value.as_str().is_some_and(str::is_empty)
                    || value.as_object().is_some_and(serde_json::Map::is_empty)
            };
            Value::Object(kept.filter(|(_, inner)| !empty(inner)).collect())
        }
        other => other,
    }
}
