//! Which objects a filter's specification means, and which properties of each.

use super::super::{
    property::{Reader, declared},
    schema::SCHEMA,
};
use crate::world::compute::{
    fault::Fault,
    value::{MoRef, Val},
};
use std::collections::{HashMap, HashSet};

/// An object and the paths wanted of it.
pub type Selected = Vec<(MoRef, Vec<String>)>;

/// Checks a specification without looking at objects.
pub fn check(spec: &Val) -> Result<(), Fault> {
    for prop in spec.list("propSet") {
        let ty = prop.str("type").unwrap_or_default();
        if !SCHEMA.knows_object(ty) {
            return Err(Fault::invalid_argument("specSet.propSet.type"));
        }
        for path in prop.list("pathSet").iter().filter_map(Val::as_str) {
            declared(ty, path)?;
        }
    }
    Ok(())
}

/// The objects of one specification, in the order in which they are met, each once.
pub fn select(reader: &Reader<'_>, spec: &Val, known: &dyn Fn(&MoRef) -> bool) -> Result<Selected, Fault> {
    check(spec)?;
    let missing_ok = spec.bool("reportMissingObjectsInResults") == Some(true);
    let mut walk =
        Walk { reader, named: HashMap::new(), seen: HashSet::new(), visited: HashSet::new(), out: Vec::new() };
    for start in spec.list("objectSet") {
        let Some(object) = start.moref("obj") else { continue };
        if !known(object) {
            if missing_ok {
                continue;
            }
            return Err(Fault::gone(object));
        }
        walk.named.clear();
        walk.visited.clear();
        collect_names(start.list("selectSet"), &mut walk.named);
        if start.bool("skip") != Some(true) {
            walk.take(object);
        }
        walk.follow(object, start.list("selectSet"))?;
    }
    let props = spec.list("propSet");
    let mut out = Vec::new();
    for object in walk.out {
        let mut paths: Vec<String> = Vec::new();
        let mut matched = false;
        for prop in props.iter().filter(|p| SCHEMA.object_is_a(&object.ty, p.str("type").unwrap_or_default())) {
            matched = true;
            if prop.bool("all") == Some(true) {
                paths.extend(SCHEMA.properties(&object.ty).unwrap_or_default().iter().map(|f| f.name.clone()));
            }
            paths.extend(prop.list("pathSet").iter().filter_map(Val::as_str).map(str::to_owned));
        }
        if matched {
            let mut seen = HashSet::new();
            paths.retain(|p| seen.insert(p.clone()));
            out.push((object, paths));
        }
    }
    Ok(out)
}

fn collect_names(specs: &[Val], named: &mut HashMap<String, Val>) {
    for spec in specs.iter().filter(|s| s.type_name() == "TraversalSpec") {
        if let Some(name) = spec.str("name") {
            named.insert(name.to_owned(), spec.clone());
        }
        collect_names(spec.list("selectSet"), named);
    }
}

struct Walk<'a> {
    reader: &'a Reader<'a>,
    named: HashMap<String, Val>,
    seen: HashSet<MoRef>,
    visited: HashSet<(MoRef, String)>,
    out: Vec<MoRef>,
}

impl Walk<'_> {
    fn take(&mut self, object: &MoRef) {
        if self.seen.insert(object.clone()) {
            self.out.push(object.clone());
        }
    }

    fn follow(&mut self, object: &MoRef, specs: &[Val]) -> Result<(), Fault> {
        for spec in specs {
            let named;
            let spec = if spec.type_name() == "TraversalSpec" {
                spec
            } else {
                let name = spec.str("name").unwrap_or_default();
                named = self.named.get(name).cloned().ok_or_else(|| {
                    Fault::new("InvalidArgument", format!("undefined TraversalSpec name \"{name}\""))
                        .with("invalidProperty", "selectSet.name")
                })?;
                &named
            };
            let (ty, path) = (spec.str("type").unwrap_or_default(), spec.str("path").unwrap_or_default());
            if !SCHEMA.object_is_a(&object.ty, ty) {
                continue;
            }
            declared(ty, path)?;
            if let Some(name) = spec.str("name")
                && !self.visited.insert((object.clone(), name.to_owned()))
            {
                continue;
            }
            for child in self.reader.refs(object, path) {
                if spec.bool("skip") != Some(true) {
                    self.take(&child);
                }
                self.follow(&child, spec.list("selectSet"))?;
            }
        }
        Ok(())
    }
}
