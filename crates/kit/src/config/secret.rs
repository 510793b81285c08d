//! A secret from the configuration, and where it comes from.

use super::faults::Fault;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer};
use std::{collections::BTreeMap, fmt, path::Path};
use toml::{Table, Value};

/// Names under which secrets stand; each also with `_file` and `_env`.
const NAMES: [&str; 3] = ["password", "token", "secret"];

/// A text that neither Debug nor an error shows.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// For tests and for secrets that come another way.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself. Say it to nobody but the peer.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The text, still wrapped.
    pub fn inner(&self) -> &SecretString {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Replaces each `*_file` and `*_env` by the secret itself, everywhere below `table`.
pub(super) fn resolve(
    table: &mut Table,
    path: &str,
    env: &BTreeMap<String, String>,
    faults: &mut Vec<Fault>,
    warnings: &mut Vec<String>,
) {
    for name in NAMES {
        let at = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        let keys = [name.to_owned(), format!("{name}_file"), format!("{name}_env")];
        let given: Vec<&String> = keys.iter().filter(|key| table.contains_key(*key)).collect();
        let [key] = given.as_slice() else {
            if let Some(first) = given.first() {
                let all: Vec<&str> = given.iter().map(|key| key.as_str()).collect();
                faults.push(Fault { path: at(first), reason: format!("give only one of {}", all.join(", ")) });
                keys.iter().for_each(|key| drop(table.remove(key)));
                table.insert(name.to_owned(), Value::String(String::new()));
            }
            continue;
        };
        // A table of that name is a section, not a secret.
        if matches!(table.get(*key), Some(Value::Table(_) | Value::Array(_))) {
            continue;
        }
        let found = match table.remove(*key) {
            Some(Value::String(text)) if key.ends_with("_file") => read_file(&text, &at(key), warnings),
            Some(Value::String(text)) if key.ends_with("_env") => {
                env.get(&text).cloned().ok_or_else(|| format!("the environment has no {text}"))
            }
            Some(Value::String(text)) => {
                let remedy = format!("{name}_file or {name}_env");
                warnings.push(format!("{} stands in the configuration as it is; use {remedy}", at(key)));
                Ok(text)
            }
            // Its value is not shown: it may be the secret.
            _ => Err("it must be a string".to_owned()),
        };
        let text = found.unwrap_or_else(|reason| {
            faults.push(Fault { path: at(key), reason });
            String::new()
        });
        table.insert(name.to_owned(), Value::String(text));
    }
    for (key, value) in table.iter_mut() {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            Value::Table(inner) => resolve(inner, &path, env, faults, warnings),
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    if let Value::Table(inner) = item {
                        resolve(inner, &format!("{path}[{index}]"), env, faults, warnings);
                    }
                }
            }
            _ => {}
        }
    }
}

fn read_file(file: &str, path: &str, warnings: &mut Vec<String>) -> Result<String, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("cannot read {file}: {error}"))?;
    if is_open_to_all(Path::new(file)) {
        warnings.push(format!("{path}: everybody on this machine can read {file}; chmod 600 it"));
    }
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(format!("{file} is empty"));
    }
    Ok(text.to_owned())
}

#[cfg(unix)]
fn is_open_to_all(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_open_to_all(_file: &Path) -> bool {
    false
}
