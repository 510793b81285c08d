//! Reading properties by path, judged by the schema: a path that no type has is an InvalidProperty for the whole call.

use super::{
    collector::Things,
    objects,
    schema::{Field, SCHEMA},
};
use crate::world::compute::{
    fault::Fault,
    state::State,
    value::{MoRef, Val},
};
use std::collections::HashMap;

/// Reads properties for one session.
pub struct Reader<'a> {
    /// The vCenter.
    pub s: &'a State,
    /// The session's views and filters.
    pub things: &'a Things,
}

/// A property that was read.
pub struct Read {
    /// Path as asked.
    pub path: String,
    /// Its declared type.
    pub field: Field,
    /// Its value.
    pub value: Val,
}

fn invalid(path: &str) -> Fault {
    Fault::new("InvalidProperty", format!("The property '{path}' does not exist")).with("name", path)
}

/// One step of a path: name and key, when it has one.
fn step(part: &str) -> (&str, Option<&str>) {
    match part.split_once('[') {
        Some((name, key)) => (name, Some(key.trim_end_matches(']').trim_matches('"'))),
        None => (part, None),
    }
}

/// Splits at dots outside brackets.
fn steps(path: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, c) in path.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            '.' if depth == 0 => {
                out.push(&path[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    out.push(&path[start..]);
    out
}

/// The declared field at the end of a path.
pub fn declared(object: &str, path: &str) -> Result<Field, Fault> {
    let bad = || invalid(path);
    let all = SCHEMA.properties(object).ok_or_else(bad)?;
    let mut parts = steps(path).into_iter();
    let (name, key) = step(parts.next().unwrap_or_default());
    let mut field = all.into_iter().find(|f| f.name == name).ok_or_else(bad)?.clone();
    field.many &= key.is_none();
    for part in parts {
        if field.ty == "any" {
            return Ok(field);
        }
        if field.many {
            return Err(bad());
        }
        let (name, key) = step(part);
        field = SCHEMA.field_of(&field.ty, name).ok_or_else(bad)?.clone();
        field.many &= key.is_none();
    }
    Ok(field)
}

fn pick(list: &Val, key: &str) -> Val {
    let matches = |v: &Val| match v.get("key") {
        Val::Int(n) | Val::Long(n) => n.to_string() == key,
        Val::Str(s) => s == key,
        _ => false,
    };
    match list {
        Val::List(all) => all.iter().find(|v| matches(v)).cloned().unwrap_or_default(),
        _ => Val::Unset,
    }
}

impl Reader<'_> {
    /// The value of one path; the path must be valid.
    pub fn value(&self, object: &MoRef, path: &str, cache: &mut HashMap<String, Val>) -> Val {
        let mut parts = steps(path).into_iter();
        let (name, key) = step(parts.next().unwrap_or_default());
        let top = cache.entry(name.to_owned()).or_insert_with(|| objects::property(self, object, name));
        let mut at = &*top;
        let mut picked;
        if let Some(key) = key {
            picked = pick(at, key);
            at = &picked;
        }
        for part in parts {
            let (name, key) = step(part);
            let next = at.get(name);
            match key {
                Some(key) => {
                    picked = pick(next, key);
                    at = &picked;
                }
                None => at = next,
            }
        }
        at.clone()
    }

    /// The references that a property holds.
    pub fn refs(&self, object: &MoRef, path: &str) -> Vec<MoRef> {
        match self.value(object, path, &mut HashMap::new()) {
            Val::Ref(r) => vec![r],
            Val::List(all) => all.iter().filter_map(Val::as_ref).cloned().collect(),
            _ => Vec::new(),
        }
    }

    /// All properties asked for that have a value.
    pub fn read(&self, object: &MoRef, paths: &[String]) -> Result<Vec<Read>, Fault> {
        let mut cache = HashMap::new();
        let mut out = Vec::new();
        for path in paths {
            let field = declared(&object.ty, path)?;
            let value = self.value(object, path, &mut cache);
            if !value.is_unset() {
                out.push(Read { path: path.clone(), field, value });
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_judged() {
        for (object, path, good) in [
            ("VirtualMachine", "config.hardware.device", true),
            ("VirtualMachine", "config.hardware.device[2000]", true),
            ("VirtualMachine", "config.hardware.nothing", false),
            ("VirtualMachine", "nothing", false),
            ("Datastore", "info.nas", true),
            ("Datastore", "summary.url", true),
            ("HostSystem", "summary.hardware.uuid", true),
        ] {
            assert_eq!(declared(object, path).is_ok(), good, "{object} {path}");
        }
    }
}
