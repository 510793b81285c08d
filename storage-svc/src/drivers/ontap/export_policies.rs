//! Export policies of ours, one a clone and of its name. Those of others are read, never changed.

use super::{
    Ontap,
    client::literal,
    names, volumes,
    wire::{ExportPolicy, ExportRule, Named},
};
use crate::driver::{DriverError, Reason};
use http::Method;
use serde_json::json;
use std::{collections::BTreeSet, net::IpAddr};

const BASE: &str = "/protocols/nfs/export-policies";

/// Policies that fit the query, with their rules.
async fn list(array: &Ontap, query: &str) -> Result<Vec<ExportPolicy>, DriverError> {
    array.client.list(&format!("{BASE}?{query}&fields=id,name,rules"), "list its export policies").await
}

/// The policy of this name in an SVM.
pub(super) async fn find(array: &Ontap, svm: &Named, name: &str) -> Result<Option<ExportPolicy>, DriverError> {
    let found = list(array, &format!("svm.uuid={}&name={}", literal(&svm.uuid), literal(name))).await?;
    Ok(found.into_iter().find(|policy| policy.name == name))
}

/// The policy of this name; made, without a rule, where it is absent.
pub(super) async fn ensure(array: &Ontap, svm: &Named, name: &str) -> Result<ExportPolicy, DriverError> {
    if let Some(found) = find(array, svm, name).await? {
        return Ok(found);
    }
    let body = json!({"svm": {"name": svm.name}, "name": name});
    match array.client.change(Method::POST, BASE, Some(body), "make an export policy").await {
        Err(error) if error.reason != Reason::TargetExists => return Err(error),
        _ => {}
    }
    find(array, svm, name).await?.ok_or_else(|| {
        let text = format!("export policy '{name}' comes and goes while it is made; try again");
        DriverError::new(Reason::Busy, text)
    })
}

/// The same for a volume that is yet to be made: nobody may reach it, so that rules that an earlier try left are removed.
pub(super) async fn ensure_empty(array: &Ontap, svm: &Named, name: &str) -> Result<(), DriverError> {
    let policy = ensure(array, svm, name).await?;
    if policy.rules.is_empty() {
        return Ok(());
    }
    let query = format!("svm.uuid={}&nas.export_policy.name={}", literal(&svm.uuid), literal(name));
    if let Some(user) = volumes::list(array, &query).await?.first() {
        let text = format!("export policy '{name}' is used by volume '{}', which is not ours; rename it", user.name);
        return Err(DriverError::new(Reason::NotOurs, text));
    }
    set_clients(array, &policy, &BTreeSet::new()).await
}

/// Lets exactly these clients in: one rule each, read and write, root as root.
pub(super) async fn set_clients(
    array: &Ontap,
    policy: &ExportPolicy,
    clients: &BTreeSet<String>,
) -> Result<(), DriverError> {
    let rules = format!("{BASE}/{}/rules", policy.id);
    let mut there = BTreeSet::new();
    // Who must not get in any more goes first.
    for rule in &policy.rules {
        match client_of(rule).filter(|client| clients.contains(*client)) {
            Some(client) if there.insert(client.to_owned()) => {}
            _ => {
                let at = format!("{rules}/{}", rule.index);
                match array.client.change(Method::DELETE, &at, None, "remove a rule of an export policy").await {
                    Err(error) if error.reason != Reason::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
    }
    for client in clients.difference(&there) {
        let body = json!({
            "clients": [{"match": client}],
            "protocols": ["nfs"],
            "ro_rule": ["sys"],
            "rw_rule": ["sys"],
            "superuser": ["sys"],
        });
        match array.client.change(Method::POST, &rules, Some(body), "add a rule to an export policy").await {
            Err(error) if error.reason != Reason::TargetExists => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The one client of a rule of the form that we make.
fn client_of(rule: &ExportRule) -> Option<&str> {
    let full = |words: &[String]| words.iter().any(|word| matches!(word.as_str(), "sys" | "any"));
    match rule.clients.as_slice() {
        [one] if full(&rule.ro_rule) && full(&rule.rw_rule) && full(&rule.superuser) => Some(&one.matches),
        _ => None,
    }
}

/// Whom a policy lets in, for people.
pub(super) fn clients(policy: &ExportPolicy) -> Vec<String> {
    policy.rules.iter().flat_map(|rule| &rule.clients).map(|client| client.matches.clone()).collect()
}

/// Removes the policies that a clone's name was given, where they let nobody in and nothing uses them.
pub(super) async fn remove_of_key(array: &Ontap, key: &str) -> Result<(), DriverError> {
    let found = match list(array, &format!("name={}", names::volume_begins(key))).await {
        // A login for LUNs alone makes none.
        Err(error) if matches!(error.reason, Reason::RightMissing | Reason::NotSupported) => return Ok(()),
        other => other?,
    };
    for policy in found.iter().filter(|it| it.rules.is_empty() && names::is_volume_for_key(&it.name, key)) {
        let at = format!("{BASE}/{}", policy.id);
        match array.client.change(Method::DELETE, &at, None, "delete an export policy").await {
            Err(error) if !matches!(error.reason, Reason::NotFound | Reason::Exported) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// True where a policy surely lets a client not read: no rule names it, and none is of a kind that we cannot judge.
pub(super) fn surely_refuses(policy: &ExportPolicy, client: &str) -> bool {
    let reads = |rule: &ExportRule| rule.ro_rule.is_empty() || rule.ro_rule.iter().any(|word| word != "never");
    policy
        .rules
        .iter()
        .filter(|rule| reads(rule))
        .flat_map(|rule| &rule.clients)
        .all(|it| surely_other(&it.matches, client))
}

/// True where a rule's match is an address or a network that a client's address is surely not in.
fn surely_other(matches: &str, client: &str) -> bool {
    if matches.eq_ignore_ascii_case(client) {
        return false;
    }
    let Ok(client) = client.parse::<IpAddr>() else { return false };
    let (network, length) = matches.split_once('/').unwrap_or((matches, ""));
    let Ok(network) = network.parse::<IpAddr>() else { return false };
    let (network_bits, client_bits, width) = match (network, client) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
        _ => return true,
    };
    let length = match (length, length.parse::<u32>()) {
        ("", _) => width,
        (_, Ok(bits)) if bits <= width => bits,
        // A mask of other form.
        _ => return false,
    };
    length > 0 && (network_bits ^ client_bits) >> (width - length) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(matches: &[&str], ro_rule: &str) -> ExportPolicy {
        let rule = |text: &&str| serde_json::json!({"clients": [{"match": text}], "ro_rule": [ro_rule]});
        serde_json::from_value(serde_json::json!({"rules": matches.iter().map(rule).collect::<Vec<_>>()})).unwrap()
    }

    #[test]
    fn refused_is_told_only_where_it_is_sure() {
        let cases: [(&[&str], &str, &str, bool); 11] = [
            (&["0.0.0.0/0"], "any", "10.0.0.21", false),
            (&["10.0.0.0/24"], "sys", "10.0.0.21", false),
            (&["10.0.1.0/24"], "sys", "10.0.0.21", true),
            (&["10.0.1.0/24", "10.0.0.21"], "sys", "10.0.0.21", false),
            (&["0.0.0.0/0"], "never", "10.0.0.21", true),
            (&[], "any", "10.0.0.21", true),
            (&["@esx"], "any", "10.0.0.21", false),
            (&["esx-1"], "any", "10.0.0.21", false),
            (&["10.0.0.0/255.255.255.0"], "any", "10.1.0.1", false),
            (&["fd00::/16"], "any", "fd00::1", false),
            (&["fd00::/16"], "any", "10.0.0.21", true),
        ];
        for (matches, ro_rule, client, refused) in cases {
            assert_eq!(surely_refuses(&policy(matches, ro_rule), client), refused, "{matches:?} {ro_rule} {client}");
        }
    }
}
