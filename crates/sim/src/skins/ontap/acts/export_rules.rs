//! Rules of export policies; a rule's index is its key.

use super::super::{
    Release, call::Call, dispatch::Route, query::Kind, refusal::Refusal, reply::Reply, state::ExportRule,
};
use serde_json::{Value, json};

pub(super) const ROUTES: &[Route] = &[
    (Release::V9_8, "GET", "protocols/nfs/export-policies/{}/rules", list),
    (Release::V9_8, "POST", "protocols/nfs/export-policies/{}/rules", post),
    (Release::V9_8, "GET", "protocols/nfs/export-policies/{}/rules/{}", get),
    (Release::V9_8, "PATCH", "protocols/nfs/export-policies/{}/rules/{}", patch),
    (Release::V9_8, "DELETE", "protocols/nfs/export-policies/{}/rules/{}", delete),
];

const RULE: Kind = Kind {
    href: "/api/protocols/nfs/export-policies/{policy.id}/rules/{index}",
    key: &["index"],
    shown: &["index", "policy.id"],
    expensive: &[],
    fields: "index clients{match} protocols ro_rule rw_rule superuser anonymous_user allow_suid allow_device_creation \
        chown_mode ntfs_unix_security allow_nfs_tls_only policy{id,name} svm{name,uuid}",
};

const KNOWN: [&str; 11] = [
    "index",
    "clients",
    "protocols",
    "ro_rule",
    "rw_rule",
    "superuser",
    "anonymous_user",
    "allow_suid",
    "allow_device_creation",
    "policy",
    "svm",
];

pub(super) fn shown(rule: &ExportRule) -> Value {
    let clients: Vec<Value> = rule.clients.iter().map(|client| json!({"match": client})).collect();
    json!({
        "index": rule.index,
        "clients": clients,
        "protocols": rule.protocols,
        "ro_rule": rule.ro_rule,
        "rw_rule": rule.rw_rule,
        "superuser": rule.superuser,
        "anonymous_user": rule.anonymous_user,
    })
}

fn words(rule: &Value, field: &'static str, allowed: &[&str], usual: &str) -> Result<Vec<String>, Refusal> {
    let Some(value) = rule.get(field) else { return Ok(vec![usual.to_owned()]) };
    let words: Option<Vec<String>> =
        value.as_array().and_then(|items| items.iter().map(|item| item.as_str().map(str::to_owned)).collect());
    match words {
        Some(words) if words.iter().all(|word| allowed.contains(&word.as_str())) => Ok(words),
        _ => Err(Refusal::bad_value(field, &value.to_string())),
    }
}

/// A rule out of a body.
pub(super) fn read(rule: &Value, index: u64) -> Result<ExportRule, Refusal> {
    let keys = rule.as_object().map(|map| map.keys().map(String::as_str).collect::<Vec<_>>()).unwrap_or_default();
    if let Some(unknown) = keys.iter().find(|key| !KNOWN.contains(key)) {
        return Err(Refusal::unexpected(unknown));
    }
    let clients = rule.get("clients").and_then(Value::as_array).ok_or_else(|| Refusal::missing("clients"))?;
    let mut matches = Vec::new();
    for client in clients {
        let text = client.get("match").and_then(Value::as_str).unwrap_or_default();
        if text.is_empty() || text.chars().any(char::is_whitespace) {
            let message = format!("The client match \"{text}\" is invalid.");
            return Err(Refusal::code("1704039", &message).target("clients.match"));
        }
        // ONTAP takes several in one text too.
        matches.extend(text.split(',').map(str::to_owned));
    }
    if matches.is_empty() {
        return Err(Refusal::missing("clients"));
    }
    let methods = ["any", "none", "never", "krb5", "krb5i", "krb5p", "ntlm", "sys"];
    Ok(ExportRule {
        index,
        clients: matches,
        protocols: words(rule, "protocols", &["any", "nfs", "nfs3", "nfs4", "cifs", "flexcache"], "any")?,
        ro_rule: words(rule, "ro_rule", &methods, "any")?,
        rw_rule: words(rule, "rw_rule", &methods, "any")?,
        superuser: words(rule, "superuser", &methods, "any")?,
        anonymous_user: rule.get("anonymous_user").and_then(Value::as_str).unwrap_or("65534").to_owned(),
    })
}

fn record(call: &Call, policy: u64, rule: &ExportRule) -> Value {
    let mut record = shown(rule);
    let named = call.face.with(|state| state.policy(policy).map(|p| (p.name.clone(), p.svm.clone())));
    if let Some((name, svm)) = named {
        record["policy"] = json!({"id": policy, "name": name});
        record["svm"] = super::svm(&call.face, &svm);
    }
    record
}

fn index(text: &str) -> Result<u64, Refusal> {
    text.parse().map_err(|_| Refusal { status: 404, ..Refusal::invalid("index", text) })
}

fn list(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let policy = call.policy(ids[0])?;
    Ok(Reply::List(&RULE, policy.rules.iter().map(|rule| record(call, policy.id, rule)).collect()))
}

fn get(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let (policy, index) = (call.policy(ids[0])?, index(ids[1])?);
    let rule = policy.rules.iter().find(|rule| rule.index == index).ok_or_else(Refusal::absent)?;
    Ok(Reply::One(&RULE, record(call, policy.id, rule)))
}

fn post(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let policy = call.policy(ids[0])?;
    call.params.only(&[])?;
    let next = policy.rules.iter().map(|rule| rule.index).max().unwrap_or(0) + 1;
    let wanted = call.body.at("index").and_then(Value::as_u64).unwrap_or(next);
    let rule = read(&Value::Object(call.body.map().clone()), wanted)?;
    let made = call.face.with(|state| {
        let held = state.policies.iter_mut().find(|p| p.id == policy.id).ok_or_else(Refusal::absent)?;
        if held.rules.iter().any(|r| r.index == rule.index) {
            return Err(Refusal::code("1704070", "A rule with this index exists.").target("index"));
        }
        if held.rules.iter().any(|r| ExportRule { index: rule.index, ..r.clone() } == rule) {
            return Err(Refusal::code("1704070", "The same rule exists."));
        }
        held.rules.push(rule.clone());
        held.rules.sort_by_key(|r| r.index);
        Ok(rule)
    })?;
    call.face.export_again()?;
    Ok(Reply::Made(&RULE, record(call, policy.id, &made)))
}

fn patch(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let (policy, index) = (call.policy(ids[0])?, index(ids[1])?);
    call.params.only(&["new_index"])?;
    let held = policy.rules.iter().find(|rule| rule.index == index).ok_or_else(Refusal::absent)?;
    let mut merged = shown(held);
    if let Value::Object(map) = &mut merged {
        map.extend(call.body.map().clone());
    }
    let rule = read(&merged, index)?;
    call.face.with(|state| {
        let rules = state.policies.iter_mut().filter(|p| p.id == policy.id).flat_map(|p| &mut p.rules);
        rules.filter(|r| r.index == index).for_each(|r| r.clone_from(&rule));
    });
    call.face.export_again()?;
    Ok(Reply::Done(json!({})))
}

fn delete(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let (policy, index) = (call.policy(ids[0])?, index(ids[1])?);
    call.params.only(&[])?;
    if !policy.rules.iter().any(|rule| rule.index == index) {
        return Err(Refusal::absent());
    }
    call.face.with(|state| {
        state.policies.iter_mut().filter(|p| p.id == policy.id).for_each(|p| p.rules.retain(|r| r.index != index));
    });
    call.face.export_again()?;
    Ok(Reply::Done(json!({})))
}
