//! Overrides from the environment: `STRATA__SERVER__LISTEN=127.0.0.1:7000`, `STRATA__ARRAY__0__NAME=filer`.

use super::faults::Fault;
use std::collections::{BTreeMap, BTreeSet};
use toml::{Table, Value};

const PREFIX: &str = "STRATA__";

/// Writes each override into the table, as a string for now: what type it has only the reader knows. Returns their paths.
pub(super) fn apply(table: &mut Table, env: &BTreeMap<String, String>, faults: &mut Vec<Fault>) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for (name, text) in env {
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        let segments: Vec<String> = rest.split("__").map(str::to_lowercase).collect();
        let mut target = Value::Table(std::mem::take(table));
        match set(&mut target, &segments, Value::String(text.clone())) {
            Ok(()) => drop(paths.insert(path_of(&segments))),
            Err(reason) => faults.push(Fault { path: name.clone(), reason }),
        }
        if let Value::Table(changed) = target {
            *table = changed;
        }
    }
    paths
}

/// What an override's text means where no string is wanted: a number, a truth, a list, else still the text.
pub(super) fn typed(text: &str) -> Option<Value> {
    let mut table: Table = format!("value = {text}").parse().ok()?;
    table.remove("value").filter(|_| table.is_empty())
}

/// As serde_path_to_error writes paths.
fn path_of(segments: &[String]) -> String {
    let mut path = String::new();
    for segment in segments {
        if segment.bytes().all(|byte| byte.is_ascii_digit()) {
            path.push_str(&format!("[{segment}]"));
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(segment);
        }
    }
    path
}

/// Puts a value at a path, making what is missing on the way.
fn set(target: &mut Value, segments: &[String], value: Value) -> Result<(), String> {
    let Some((segment, rest)) = segments.split_first() else {
        *target = value;
        return Ok(());
    };
    if segment.is_empty() {
        return Err("a part of the name is empty".to_owned());
    }
    match target {
        Value::Table(table) => {
            let is_index = rest.first().is_some_and(|next| next.bytes().all(|byte| byte.is_ascii_digit()));
            let empty = if is_index { Value::Array(Vec::new()) } else { Value::Table(Table::new()) };
            set(table.entry(segment).or_insert(empty), rest, value)
        }
        Value::Array(items) => {
            let index: usize = segment.parse().map_err(|_| format!("'{segment}' is no index of a list"))?;
            if index > items.len() {
                return Err(format!("the list has {} entries; the next index is {}", items.len(), items.len()));
            }
            if index == items.len() {
                items.push(Value::Table(Table::new()));
            }
            set(&mut items[index], rest, value)
        }
        _ => Err(format!("'{segment}' would lie inside a value that is no section")),
    }
}
