//! RetrieveProperties and its pages.

use super::{
    super::{
        Face, codec,
        dispatch::{Done, there},
        envelope::Call,
        property::{Reader, declared},
    },
    change, lock, select,
};
use crate::world::compute::{
    fault::Fault,
    state::State,
    value::{MoRef, Val},
};
use std::{collections::HashMap, fmt::Write as _};

/// How many objects a page has when the client does not say.
const PAGE: usize = 100;

/// An object's content as XML inside `<name>`.
fn content(reader: &Reader<'_>, name: &str, object: &MoRef, paths: &[String]) -> Result<String, Fault> {
    let mut out = format!("<{name}>");
    codec::encode(&mut out, "obj", "ref", &object.into());
    if reader.s.lacks("System.Read", object) {
        let fault = Fault::new("NoPermission", "Permission to perform this operation was denied.")
            .with("object", object)
            .with("privilegeId", "System.Read");
        for path in paths {
            let _ = write!(out, "<missingSet><path>{path}</path>");
            codec::encode(&mut out, "fault", "LocalizedMethodFault", &fault.localized());
            out.push_str("</missingSet>");
        }
    } else {
        for read in reader.read(object, paths)? {
            let _ = write!(out, "<propSet><name>{}</name>", quick_xml::escape::escape(&read.path));
            codec::encode_property(&mut out, "val", &read.field, &read.value);
            out.push_str("</propSet>");
        }
    }
    let _ = write!(out, "</{name}>");
    Ok(out)
}

fn all(face: &Face, s: &State, call: &Call, secret: &str, name: &str) -> Result<Vec<String>, Fault> {
    let things = std::mem::take(lock(face).of(secret));
    let outcome = (|| {
        let reader = Reader { s, things: &things };
        let known = |r: &MoRef| {
            there(face, s, secret, r)
                || things.views.contains_key(&r.id)
                || things.filters.contains_key(&r.id)
                || things.collectors.contains_key(&r.id)
        };
        let mut out = Vec::new();
        for spec in call.args.list("specSet") {
            for (object, paths) in select::select(&reader, spec, &known)? {
                out.push(content(&reader, name, &object, &paths)?);
            }
        }
        Ok(out)
    })();
    *lock(face).of(secret) = things;
    outcome
}

fn page(face: &Face, secret: &str, mut objects: Vec<String>, max: usize) -> Done {
    let mut raw = String::new();
    if objects.is_empty() {
        return Done::default();
    }
    raw.push_str("<returnval>");
    if objects.len() > max {
        let rest = objects.split_off(max);
        let token = face.vc.with(|s| s.uuid());
        let _ = write!(raw, "<token>{token}:{max}</token>");
        change(face, secret, |t| t.pages.insert(format!("{token}:{max}"), rest));
    }
    objects.iter().for_each(|o| raw.push_str(o));
    raw.push_str("</returnval>");
    Done { raw, ..Done::default() }
}

/// RetrievePropertiesEx, RetrieveProperties.
pub fn retrieve(face: &Face, call: &Call, secret: &str) -> Result<Done, Fault> {
    if call.method == "RetrieveProperties" {
        let objects = face.vc.with(|s| all(face, s, call, secret, "returnval"))?;
        return Ok(Done { raw: objects.concat(), ..Done::default() });
    }
    let max = match call.args.get("options").int("maxObjects") {
        Some(n) if n < 1 => return Err(Fault::invalid_argument("options.maxObjects")),
        Some(n) => usize::try_from(n).unwrap_or(PAGE),
        None => PAGE,
    };
    let objects = face.vc.with(|s| all(face, s, call, secret, "objects"))?;
    Ok(page(face, secret, objects, max))
}

/// Fetch: one property of one object, as pyvmomi asks for it.
pub fn fetch(face: &Face, call: &Call, secret: &str) -> Result<Done, Fault> {
    let path = call.args.str("prop").unwrap_or_default();
    let field = declared(&call.this.ty, path)?;
    face.vc.with(|s| {
        if s.lacks("System.Read", &call.this) {
            return Err(Fault::new("NoPermission", "Permission to perform this operation was denied.")
                .with("object", &call.this)
                .with("privilegeId", "System.Read"));
        }
        let mut all = lock(face);
        let value = Reader { s, things: all.of(secret) }.value(&call.this, path, &mut HashMap::new());
        let mut raw = String::new();
        codec::encode_property(&mut raw, "returnval", &field, &value);
        Ok(Done { raw, ..Done::default() })
    })
}

/// ContinueRetrievePropertiesEx: a token is good once.
pub fn next_page(face: &Face, call: &Call, secret: &str) -> Result<Done, Fault> {
    let token = call.args.str("token").unwrap_or_default();
    let rest = change(face, secret, |t| t.pages.remove(token));
    let rest = rest.ok_or_else(|| Fault::new("InvalidProperty", "The token is not valid").with("name", "token"))?;
    let max = token.rsplit_once(':').and_then(|(_, n)| n.parse().ok()).unwrap_or(PAGE);
    Ok(page(face, secret, rest, max))
}

/// CancelRetrievePropertiesEx.
pub fn cancel(face: &Face, call: &Call, secret: &str) -> Result<Done, Fault> {
    let token = call.args.str("token").unwrap_or_default();
    match change(face, secret, |t| t.pages.remove(token)) {
        Some(_) => Ok(Done { value: Val::Unset, ..Done::default() }),
        None => Err(Fault::new("InvalidProperty", "The token is not valid").with("name", "token")),
    }
}
