//! From file and environment to a typed value.

use super::{
    env,
    faults::{ConfigError, Fault},
    secret,
};
use serde::de::DeserializeOwned;
use std::{collections::BTreeMap, path::Path};
use toml::{Table, Value};

/// More faults than this are not looked for.
const FAULTS_MAX: usize = 50;

/// A configuration and what should be said about it.
#[derive(Debug)]
pub struct Loaded<T> {
    /// The configuration.
    pub value: T,
    /// For the log: secrets in the clear and the like.
    pub warnings: Vec<String>,
}

/// Reads a TOML file (none: all from the environment and defaults) and applies the overrides of `env`, which is
/// `std::env::vars()` in a binary.
///
/// # Errors
/// Everything that is wrong, each with the path of the field.
pub fn load<T: DeserializeOwned>(
    file: Option<&Path>,
    env: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded<T>, ConfigError> {
    let Some(file) = file else {
        return load_text("the environment", "", env);
    };
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| ConfigError {
        source_name: name.clone(),
        faults: vec![Fault { path: String::new(), reason: format!("cannot be read: {error}") }],
    })?;
    load_text(&name, &text, env)
}

/// As [`load`], from a text; `source_name` stands in messages.
///
/// # Errors
/// As [`load`].
pub fn load_text<T: DeserializeOwned>(
    source_name: &str,
    text: &str,
    env: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded<T>, ConfigError> {
    let fail = |faults| ConfigError { source_name: source_name.to_owned(), faults };
    let mut table: Table = text.parse().map_err(|error: toml::de::Error| {
        // Only message and line: the parser's own text quotes the line, which may hold a secret.
        let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
        let place = line.map(|line| format!("line {line}")).unwrap_or_default();
        fail(vec![Fault { path: place, reason: format!("no TOML: {}", error.message()) }])
    })?;
    let env: BTreeMap<String, String> = env.into_iter().collect();
    let (mut faults, mut warnings) = (Vec::new(), Vec::new());
    let overridden = env::apply(&mut table, &env, &mut faults);
    secret::resolve(&mut table, "", &env, &mut faults, &mut warnings);
    let mut tree = Value::Table(table);
    let mut removed: Vec<String> = Vec::new();
    // Serde stops at the first fault; so what is wrong is noted and taken out, until the rest reads or nothing is left.
    while faults.len() < FAULTS_MAX {
        let error = match serde_path_to_error::deserialize::<_, T>(tree.clone()) {
            Ok(value) if faults.is_empty() => return Ok(Loaded { value, warnings }),
            Ok(_) => break,
            Err(error) => error,
        };
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        let reason = error.inner().message().to_owned();
        if overridden.contains(&path)
            && let Some(Value::String(text)) = at(&mut tree, &path)
            && let Some(typed) = env::typed(text)
            && !typed.is_str()
        {
            if let Some(slot) = at(&mut tree, &path) {
                *slot = typed;
            }
            continue;
        }
        let unknown = quoted_after(&reason, "unknown field `");
        let missing = quoted_after(&reason, "missing field `");
        let victim = match (&unknown, &missing) {
            (Some(name), _) if !path.ends_with(name.as_str()) => join(&path, name),
            _ => path.clone(),
        };
        let named = missing.as_ref().map_or_else(|| victim.clone(), |name| join(&path, name));
        // A field that is missing because it was taken out was told already.
        let told = removed.iter().any(|gone| *gone == named || gone.starts_with(&format!("{named}.")));
        if !told {
            faults.push(Fault { path: named, reason });
        }
        if victim.is_empty() || !remove(&mut tree, &victim) {
            break;
        }
        removed.push(victim);
    }
    Err(fail(faults))
}

/// The name that serde quotes after `start`.
fn quoted_after(reason: &str, start: &str) -> Option<String> {
    Some(reason.strip_prefix(start)?.split('`').next()?.to_owned())
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// `a.b[0].c` as a, b, 0, c.
fn segments(path: &str) -> Vec<&str> {
    path.split(['.', '[', ']']).filter(|segment| !segment.is_empty()).collect()
}

fn at<'tree>(tree: &'tree mut Value, path: &str) -> Option<&'tree mut Value> {
    segments(path).into_iter().try_fold(tree, |value, segment| match value {
        Value::Table(table) => table.get_mut(segment),
        Value::Array(items) => items.get_mut(segment.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Takes a field out of its table; an entry of a list is emptied of the whole list instead, so that indexes stay right.
fn remove(tree: &mut Value, path: &str) -> bool {
    let mut parts = segments(path);
    while let Some(last) = parts.pop() {
        let parent = parts.iter().try_fold(&mut *tree, |value, segment| match value {
            Value::Table(table) => table.get_mut(*segment),
            Value::Array(items) => items.get_mut(segment.parse::<usize>().ok()?),
            _ => None,
        });
        if let Some(Value::Table(table)) = parent {
            return table.remove(last).is_some();
        }
    }
    false
}
