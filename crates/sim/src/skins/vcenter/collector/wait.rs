//! WaitForUpdates: what changed since a version.

use super::{
    super::{
        Face, codec,
        dispatch::{Done, there},
        envelope::Call,
        property::Reader,
    },
    Collector, Seen, Things, change, lock, select,
};
use crate::world::compute::{
    fault::Fault,
    state::State,
    value::{MoRef, Val},
};
use std::{collections::HashMap, fmt::Write as _, time::Duration};

/// How many objects one answer tells of when the client does not say.
const MAX_OBJECTS: usize = 100;

fn look(face: &Face, s: &State, things: &Things, secret: &str, collector: &str) -> HashMap<String, Seen> {
    let reader = Reader { s, things };
    let known =
        |r: &MoRef| there(face, s, secret, r) || things.views.contains_key(&r.id) || things.filters.contains_key(&r.id);
    let mut out = HashMap::new();
    for (id, filter) in things.filters.iter().filter(|(_, f)| f.collector == collector) {
        let mut seen = Seen::new();
        // A filter whose object is gone reports nothing: what it had shown leaves.
        let mut spec = filter.spec.clone();
        spec.set("reportMissingObjectsInResults", true);
        for (object, paths) in select::select(&reader, &spec, &known).unwrap_or_default() {
            if !known(&object) {
                continue;
            }
            let mut values = std::collections::BTreeMap::new();
            for read in reader.read(&object, &paths).unwrap_or_default() {
                let mut xml = String::new();
                codec::encode_property(&mut xml, "val", &read.field, &read.value);
                values.insert(read.path, xml);
            }
            seen.insert(object, values);
        }
        out.insert(id.clone(), seen);
    }
    out
}

/// The updates of one filter as XML; `room` counts down, and what was told moves from `now` to `told`.
fn updates(old: &Seen, now: &Seen, told: &mut Seen, room: &mut usize) -> String {
    let mut out = String::new();
    for object in old.keys().filter(|o| !now.contains_key(*o)) {
        if *room == 0 {
            return out;
        }
        *room -= 1;
        told.remove(object);
        out.push_str("<objectSet><kind>leave</kind>");
        codec::encode(&mut out, "obj", "ref", &object.into());
        out.push_str("</objectSet>");
    }
    for (object, values) in now {
        let before = old.get(object);
        if before == Some(values) {
            continue;
        }
        if *room == 0 {
            return out;
        }
        *room -= 1;
        told.insert(object.clone(), values.clone());
        let kind = if before.is_none() { "enter" } else { "modify" };
        let _ = write!(out, "<objectSet><kind>{kind}</kind>");
        codec::encode(&mut out, "obj", "ref", &object.into());
        let change = |out: &mut String, path: &str, xml: &str| {
            let path = quick_xml::escape::escape(path);
            let _ = write!(out, "<changeSet><name>{path}</name><op>assign</op>{xml}</changeSet>");
        };
        for (path, xml) in values.iter().filter(|(p, x)| before.and_then(|b| b.get(*p)) != Some(*x)) {
            change(&mut out, path, xml);
        }
        for path in before.into_iter().flat_map(|b| b.keys()).filter(|p| !values.contains_key(*p)) {
            change(&mut out, path, "");
        }
        out.push_str("</objectSet>");
    }
    out
}

/// Looks once: the answer where something changed.
fn once(face: &Face, secret: &str, collector: &str, max: usize) -> Result<Option<String>, Fault> {
    face.vc.with(|s| {
        let mut all = lock(face);
        let things = std::mem::take(all.of(secret));
        drop(all);
        let now = look(face, s, &things, secret, collector);
        let mut all = lock(face);
        *all.of(secret) = things;
        let things = all.of(secret);
        let c = things.collectors.entry(collector.to_owned()).or_default();
        let mut room = max;
        let mut sets = String::new();
        let mut told = c.base.clone();
        told.retain(|id, _| now.contains_key(id));
        for (id, seen) in &now {
            let old = c.base.get(id).cloned().unwrap_or_default();
            let told = told.entry(id.clone()).or_default();
            let xml = updates(&old, seen, told, &mut room);
            if !xml.is_empty() {
                let _ = write!(sets, "<filterSet><filter type=\"PropertyFilter\">{id}</filter>{xml}</filterSet>");
            }
        }
        if sets.is_empty() {
            return Ok(None);
        }
        let truncated = if told == now { "" } else { "<truncated>true</truncated>" };
        c.delivered = told;
        c.version += 1;
        Ok(Some(format!("<returnval><version>{}</version>{sets}{truncated}</returnval>", c.version)))
    })
}

/// Takes the client's word on what it knows.
fn start(
    face: &Face,
    secret: &str,
    collector: &str,
    version: &str,
) -> Result<std::sync::Arc<tokio::sync::Notify>, Fault> {
    change(face, secret, |things| begin(things.collectors.entry(collector.to_owned()).or_default(), version))
}

fn begin(c: &mut Collector, version: &str) -> Result<std::sync::Arc<tokio::sync::Notify>, Fault> {
    if version.is_empty() {
        c.base.clear();
    } else if version == c.version.to_string() {
        c.base.clone_from(&c.delivered);
    } else if c.version == 0 || version != (c.version - 1).to_string() {
        return Err(Fault::new("InvalidCollectorVersion", "The version is not known"));
    }
    Ok(c.cancel.clone())
}

/// WaitForUpdatesEx, WaitForUpdates, CheckForUpdates.
pub async fn wait(face: &Face, call: &Call, secret: &str) -> Result<Done, Fault> {
    let collector = call.this.id.as_str();
    let options = call.args.get("options");
    let limit = match (call.method.as_str(), options.int("maxWaitSeconds")) {
        ("CheckForUpdates", _) => Some(0),
        (_, Some(n)) if n < 0 => return Err(Fault::invalid_argument("options.maxWaitSeconds")),
        (_, n) => n.and_then(|n| u64::try_from(n).ok()),
    };
    let max = options.int("maxObjectUpdates").and_then(|n| usize::try_from(n).ok()).unwrap_or(MAX_OBJECTS);
    let cancelled = start(face, secret, collector, call.args.str("version").unwrap_or_default())?;
    let mut changed = face.vc.watch();
    let clock = face.vc.clock().clone();
    let deadline = async {
        match limit {
            Some(seconds) => clock.sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(deadline);
    loop {
        // Registered before looking, so that nothing is missed between the look and the wait.
        changed.mark_unchanged();
        let cancel = cancelled.notified();
        tokio::pin!(cancel);
        cancel.as_mut().enable();
        if let Some(raw) = once(face, secret, collector, max.max(1))? {
            return Ok(Done { raw, ..Done::default() });
        }
        if limit == Some(0) {
            return Ok(Done::default());
        }
        tokio::select! {
            () = &mut deadline => return Ok(Done::default()),
            () = &mut cancel => return Err(Fault::new("RequestCanceled", "The wait was canceled")),
            _ = changed.changed() => {}
        }
        if face.vc.with(|s| !s.sessions.open.contains_key(secret)) {
            return Err(Fault::new("NotAuthenticated", "The session is not authenticated.")
                .with("object", &call.this)
                .with("privilegeId", "System.View"));
        }
    }
}

/// CancelWaitForUpdates.
pub fn cancel(face: &Face, call: &Call, secret: &str) -> Result<Done, Fault> {
    change(face, secret, |t| t.collectors.get(&call.this.id).map(|c| c.cancel.notify_waiters()));
    Ok(Done { value: Val::Unset, ..Done::default() })
}
