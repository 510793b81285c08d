//! What ONTAP lets a GET ask: filters, fields, order and pages, the same for every kind of object.

mod fields;
mod filter;
mod kind;
mod page;

pub(super) use fields::select;
pub(super) use kind::Kind;
pub(super) use page::{Cut, list};

use serde_json::Value;

/// The values at a dotted path; arrays on the way count with each of their items.
fn values<'a>(record: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = vec![record];
    for part in path.split('.') {
        let inner = found.into_iter().flat_map(|value| match value {
            Value::Array(items) => items.iter().filter_map(|item| item.get(part)).collect(),
            other => other.get(part).into_iter().collect::<Vec<_>>(),
        });
        found = inner.collect();
    }
    let spread = found.into_iter().flat_map(|value| match value {
        Value::Array(items) if items.iter().all(|item| !item.is_object()) => items.iter().collect(),
        other => vec![other],
    });
    spread.collect()
}
