//! One request, taken apart: who asks, for which SVM, for what.

use super::{
    Face, Release,
    params::{Body, Params, decode},
    refusal::Refusal,
    settings::{Account, Scope, covers},
};
use crate::{fault::EffectLater, world::storage::Volume};
use axum::extract::Request;
use http::{HeaderMap, Method, header};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// The largest body that is read, in bytes.
const BODY_MAX_BYTES: usize = 16 << 20;

/// A request of an account that may make it.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) face: Arc<Face>,
    pub(super) user: String,
    /// The only SVM that the account sees, or that the request is meant for.
    pub(super) svm: Option<String>,
    pub(super) method: Method,
    /// The path without doubled and trailing slashes.
    pub(super) path: String,
    /// Its parts after `/api`, decoded.
    pub(super) parts: Vec<String>,
    pub(super) params: Params,
    pub(super) body: Body,
    /// A fault rule wants the effect to come so much later.
    pub(super) later: Option<Duration>,
    /// The answer carries links.
    pub(super) with_links: bool,
    /// The caller wants a file's bytes as a form.
    pub(super) wants_form: bool,
}

/// Slashes made single, dots removed as RFC 3986 says. An encoded dot or slash is data and stays.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Basic or bearer credentials against the accounts.
fn account_of(face: &Face, headers: &HeaderMap) -> Result<Account, Refusal> {
    let refused = || Refusal::new(401, "6691623", "User is not authorized.");
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(refused)?;
    let settings = face.settings();
    let spec = face.array()?.info()?.spec;
    let mut accounts = settings.accounts;
    accounts.push(Account::new(&spec.user, &spec.password, Scope::Cluster));
    let (kind, secret) = given.split_once(' ').ok_or_else(refused)?;
    let found = if kind.eq_ignore_ascii_case("bearer") && settings.release >= Release::V9_14_1 {
        accounts.into_iter().find(|a| a.token.as_deref() == Some(secret.trim()))
    } else if kind.eq_ignore_ascii_case("basic") {
        let bytes = base64(secret.trim()).ok_or_else(refused)?;
        let text = String::from_utf8(bytes).map_err(|_| refused())?;
        let (user, password) = text.split_once(':').ok_or_else(refused)?;
        accounts.into_iter().find(|a| a.user == user && a.password == password)
    } else {
        None
    };
    found.ok_or_else(refused)
}

/// Standard base64; nothing where a character is none of its own.
fn base64(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => Some(c - b'A'),
        b'a'..=b'z' => Some(c - b'a' + 26),
        b'0'..=b'9' => Some(c - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let mut out = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for c in text.trim_end_matches('=').bytes() {
        held = (held << 6) | u32::from(digit(c)?);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from((held >> bits) & 0xff).ok()?);
        }
    }
    Some(out)
}

impl Call {
    /// Reads a request and refuses callers who are nobody or may not.
    pub(super) async fn read(face: Arc<Face>, request: Request) -> Result<Self, Refusal> {
        let (head, body) = request.into_parts();
        let bytes = axum::body::to_bytes(body, BODY_MAX_BYTES).await;
        let bytes = bytes.map_err(|_| Refusal::new(413, "262198", "the body is too large or broke off"))?;
        let path = normal(head.uri.path());
        let account = account_of(&face, &head.headers)?;
        let method = if head.method == Method::HEAD { Method::GET } else { head.method };
        let denied = face.array()?.info()?.spec.behaviour.denied;
        let taken_away = denied.iter().filter_map(|entry| entry.split_once(' '));
        let taken_away = taken_away.into_iter().any(|(m, pattern)| m == method.as_str() && covers(pattern, &path));
        if taken_away || !account.may(method.as_str(), &path) {
            return Err(Refusal::new(403, "6", "not authorized for that command"));
        }
        let raw = path.strip_prefix("/api").filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let raw = raw.ok_or_else(Refusal::no_such_api)?;
        let decoded = raw.split('/').filter(|part| !part.is_empty()).map(|part| decode(part, false));
        let parts = decoded.collect::<Option<Vec<String>>>().ok_or_else(|| Refusal::invalid("path", raw))?;
        let body = Body::parse(&bytes)?;
        if !body.is_empty() && (method == Method::GET || method == Method::DELETE) {
            return Err(Refusal::new(400, "262198", "Field \"body\" is not allowed in this request."));
        }
        let svm = svm_of(&face, &account, &head.headers, &body)?;
        let accept = head.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
        Ok(Call {
            user: account.user,
            svm,
            method,
            path,
            parts,
            params: Params::parse(head.uri.query().unwrap_or_default())?,
            body,
            later: head.extensions.get::<EffectLater>().map(|later| later.0),
            with_links: !accept.starts_with("application/json"),
            wants_form: accept.starts_with("multipart/form-data"),
            face,
        })
    }

    /// True where the account sees this SVM.
    pub(super) fn sees(&self, svm: &str) -> bool {
        self.svm.as_deref().is_none_or(|mine| mine == svm)
    }

    /// The SVM that a new object is for: the account's, the body's, or none of these (262177).
    pub(super) fn svm_for_new(&self) -> Result<String, Refusal> {
        if let Some(svm) = &self.svm {
            return Ok(svm.clone());
        }
        let svms = self.face.settings().svms;
        if let Some(name) = self.body.text("svm.name")? {
            let known = svms.iter().any(|svm| svm == name);
            return if known { Ok(name.to_owned()) } else { Err(no_svm(name)) };
        }
        let Some(id) = self.body.uuid("svm.uuid")? else { return Err(Refusal::missing("svm.name")) };
        let found = svms.into_iter().find(|svm| self.face.id_of(&format!("svm {svm}")) == id);
        found.ok_or_else(|| no_svm(&id.to_string()))
    }

    /// An id in a path: malformed is a 404 with code 2, as captured from a real one.
    pub(super) fn id(&self, text: &str) -> Result<Uuid, Refusal> {
        text.parse().map_err(|_| Refusal { status: 404, ..Refusal::invalid("uuid", text) })
    }

    /// A volume that the account sees and that is not in the recovery queue.
    pub(super) fn volume(&self, text: &str) -> Result<Volume, Refusal> {
        let id = self.id(text)?;
        let volume = self.face.array()?.volume(id).map_err(|_| Refusal::absent())?;
        self.visible(&volume).then_some(volume).ok_or_else(Refusal::absent)
    }

    /// True where lists show the volume to the account.
    pub(super) fn visible(&self, volume: &Volume) -> bool {
        let facts = self.face.with(|state| state.volumes.get(&volume.id).map(|f| (f.svm.clone(), f.queued_until)));
        facts.is_some_and(|(svm, queued)| queued.is_none() && self.sees(&svm))
    }

    /// The volumes that lists show to the account.
    pub(super) fn volumes(&self) -> Result<Vec<Volume>, Refusal> {
        let mut volumes = self.face.array()?.volumes()?;
        volumes.retain(|volume| self.visible(volume));
        Ok(volumes)
    }

    /// The volume that a body names by uuid, by name, or by both (918243 where they differ); 262177 where by neither.
    pub(super) fn named_volume(&self, reference: Option<&Value>, field: &str, absent: &str) -> Result<Volume, Refusal> {
        let text = |part: &str| reference.and_then(|r| r.get(part)).and_then(Value::as_str);
        let (id, name) = (text("uuid"), text("name"));
        if id.is_none() && name.is_none() {
            return Err(Refusal::missing(&format!("{field}.name")));
        }
        let fits = |v: &Volume| id.is_none_or(|id| v.id.to_string() == id) && name.is_none_or(|name| v.name == name);
        let volumes = self.volumes()?;
        if let Some(found) = volumes.iter().find(|v| fits(v)) {
            return Ok(found.clone());
        }
        let shown = name.or(id).unwrap_or_default();
        if let (Some(id), Some(name)) = (id, name)
            && volumes.iter().any(|v| v.id.to_string() == id || v.name == name)
        {
            let message = format!("The volume UUID {id} does not match the volume name \"{name}\".");
            return Err(Refusal::code("918243", &message).target(field));
        }
        Err(Refusal::code(absent, &format!("Volume \"{shown}\" does not exist.")).target(field))
    }
}

fn no_svm(name: &str) -> Refusal {
    Refusal::code("2621462", &format!("The specified SVM \"{name}\" does not exist.")).target("svm.name")
}

/// The account's SVM, or the one that a cluster account's headers say.
fn svm_of(face: &Face, account: &Account, headers: &HeaderMap, body: &Body) -> Result<Option<String>, Refusal> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let by_uuid = header("X-Dot-SVM-UUID");
    let tunnel = header("X-Dot-SVM-Name").or(by_uuid);
    let svm = match (&account.scope, tunnel) {
        (Scope::Svm(_), Some(_)) => {
            return Err(Refusal::new(400, "2", "an SVM's account cannot be sent on to an SVM"));
        }
        (Scope::Svm(svm), None) => svm.clone(),
        (Scope::Cluster, None) => return Ok(None),
        (Scope::Cluster, Some(wanted)) => {
            let fits = |svm: &String| svm == wanted || face.id_of(&format!("svm {svm}")).to_string() == wanted;
            face.settings().svms.into_iter().find(fits).ok_or_else(|| no_svm(wanted))?
        }
    };
    let other = body.text("svm.name")?.is_some_and(|named| named != svm);
    let other = other || body.uuid("svm.uuid")?.is_some_and(|id| id != face.id_of(&format!("svm {svm}")));
    if other { Err(Refusal::bad_value("svm.name", "another SVM than the request's")) } else { Ok(Some(svm)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_dots_that_were_not_encoded() {
        for (given, kept) in [
            ("//api/storage//volumes/", "/api/storage/volumes"),
            ("/api/storage/volumes/7/files/..", "/api/storage/volumes/7"),
            ("/api/storage/volumes/7/files/%2E%2E", "/api/storage/volumes/7/files/%2E%2E"),
            ("/api/./cluster", "/api/cluster"),
            ("/../..", "/"),
        ] {
            assert_eq!(normal(given), kept, "{given}");
        }
    }

    #[test]
    fn base64_of_the_rfc() {
        for (text, plain) in [("Zg==", "f"), ("Zm8=", "fo"), ("Zm9vYmFy", "foobar"), ("", "")] {
            assert_eq!(base64(text).unwrap(), plain.as_bytes());
        }
        assert!(base64("!").is_none());
    }
}
