//! Export policies.

use super::{
    super::{
        Face, Release,
        call::Call,
        dispatch::Route,
        query::Kind,
        refusal::Refusal,
        reply::Reply,
        state::{ExportPolicy, ExportRule},
    },
    export_rules, svm, without_empty,
};
use serde_json::{Value, json};

pub(super) const ROUTES: &[Route] = &[
    (Release::V9_8, "GET", "protocols/nfs/export-policies", list),
    (Release::V9_8, "POST", "protocols/nfs/export-policies", post),
    (Release::V9_8, "GET", "protocols/nfs/export-policies/{}", get),
    (Release::V9_8, "PATCH", "protocols/nfs/export-policies/{}", patch),
    (Release::V9_8, "DELETE", "protocols/nfs/export-policies/{}", delete),
    (Release::V9_8, "GET", "protocols/nfs/services", services),
];

const POLICY: Kind = Kind {
    href: "/api/protocols/nfs/export-policies/{id}",
    key: &["id"],
    shown: &["id", "name"],
    expensive: &[],
    fields: "id name are_rules_truncated svm{name,uuid} rules{index,clients{match},protocols,ro_rule,rw_rule,superuser,\
        anonymous_user,allow_suid,allow_device_creation,chown_mode,ntfs_unix_security}",
};
const SERVICE: Kind = Kind {
    href: "/api/protocols/nfs/services/{svm.uuid}",
    key: &["svm.uuid"],
    shown: &["svm.uuid", "svm.name"],
    expensive: &[],
    fields: "enabled state svm{name,uuid} vstorage_enabled showmount_enabled protocol{v3_enabled,v40_enabled,v41_enabled,\
        v4_id_domain,v3_features,v40_features,v41_features} transport qtree rquota_enabled root security exports metric \
        statistics extended_groups_limit windows access_cache_config",
};

impl Face {
    pub(super) fn policy_record(&self, policy: &ExportPolicy) -> Value {
        let rules: Vec<Value> = policy.rules.iter().map(export_rules::shown).collect();
        let rules = if rules.is_empty() { Value::Null } else { json!(rules) };
        without_empty(json!({"id": policy.id, "name": policy.name, "svm": svm(self, &policy.svm), "rules": rules}))
    }
}

impl Call {
    /// A policy that the account sees.
    pub(super) fn policy(&self, id: &str) -> Result<ExportPolicy, Refusal> {
        let number: u64 = id.parse().map_err(|_| Refusal { status: 404, ..Refusal::invalid("id", id) })?;
        let found = self.face.with(|state| state.policy(number).cloned());
        found.filter(|policy| self.sees(&policy.svm)).ok_or_else(Refusal::absent)
    }
}

fn list(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    let policies = call.face.with(|state| state.policies.clone());
    let seen = policies.iter().filter(|policy| call.sees(&policy.svm));
    Ok(Reply::List(&POLICY, seen.map(|policy| call.face.policy_record(policy)).collect()))
}

fn get(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    Ok(Reply::One(&POLICY, call.face.policy_record(&call.policy(ids[0])?)))
}

fn rules(call: &Call) -> Result<Option<Vec<ExportRule>>, Refusal> {
    if call.body.at("rules").is_none() {
        return Ok(None);
    }
    let mut rules = Vec::new();
    for (n, rule) in call.body.list("rules")?.iter().enumerate() {
        rules.push(export_rules::read(rule, n as u64 + 1)?);
    }
    Ok(Some(rules))
}

fn post(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    call.params.only(&[])?;
    call.body.only(&["name", "svm", "rules"], &call.params)?;
    let (svm, name, rules) = (call.svm_for_new()?, call.body.required("name")?, rules(call)?.unwrap_or_default());
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || name.len() > 256 || !name.chars().all(legal) {
        return Err(Refusal::bad_value("name", name));
    }
    let made = call.face.with(|state| {
        if state.policy_named(&svm, name).is_some() {
            return None;
        }
        let id = state.add_policy(&svm, name, rules);
        state.policy(id).cloned()
    });
    // The manual's table has no code of its own for a name that is taken.
    let made = made.ok_or_else(|| Refusal::code("1", "duplicate entry").target("name"))?;
    Ok(Reply::Made(&POLICY, call.face.policy_record(&made)))
}

fn patch(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let policy = call.policy(ids[0])?;
    call.params.only(&[])?;
    call.body.only(&["id", "name", "rules", "svm"], &call.params)?;
    let (name, rules) = (call.body.text("name")?.map(str::to_owned), rules(call)?);
    let done = call.face.with(|state| {
        if let Some(name) = &name
            && state.policy_named(&policy.svm, name).is_some_and(|other| other.id != policy.id)
        {
            return Err(Refusal::code("1", "duplicate entry").target("name"));
        }
        let held = state.policies.iter_mut().find(|p| p.id == policy.id).ok_or_else(Refusal::absent)?;
        held.name = name.unwrap_or_else(|| held.name.clone());
        held.rules = rules.unwrap_or_else(|| held.rules.clone());
        Ok(())
    });
    done?;
    call.face.export_again()?;
    Ok(Reply::Done(json!({})))
}

fn delete(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let policy = call.policy(ids[0])?;
    call.params.only(&[])?;
    let done = call.face.with(|state| {
        let used = state.volumes.values().any(|facts| facts.policy == policy.id);
        if used || policy.name == "default" {
            let message = format!("Export policy \"{}\" is in use or the default and cannot be deleted.", policy.name);
            return Err(Refusal::code("1703945", &message));
        }
        state.policies.retain(|p| p.id != policy.id);
        Ok(())
    });
    done?;
    Ok(Reply::Done(json!({})))
}

fn services(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    let svms = call.face.settings().svms.into_iter().filter(|svm| call.sees(svm));
    let shown = |name: String| {
        json!({
            "svm": svm(&call.face, &name),
            "enabled": true,
            "state": "online",
            "vstorage_enabled": true,
            "protocol": {"v3_enabled": true, "v40_enabled": false, "v41_enabled": true},
        })
    };
    Ok(Reply::List(&SERVICE, svms.map(shown).collect()))
}
