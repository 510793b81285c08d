//! Holds every request against the order that VMware's own pyvmomi knows: vcsim takes requests in any order, vCenter does
//! not. `wsdl_order.json` comes from `tests/interop/pyvmomi/pyvmomi_order.py`.

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::Value;
use std::sync::{Arc, LazyLock, Mutex};
use strata_inventory_svc::soap::{Element, reader::read_values};
use strata_kit::http::{HttpClient, HttpError, SharedHttp};

static ORDER: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../interop/pyvmomi/wsdl_order.json")).expect("JSON"));

/// Simple types and references, which hold no fields.
const LEAVES: &[&str] = &["string", "boolean", "int", "long", "short", "anyType", "TypeName", "PropertyPath"];

/// Passes requests on and notes what is wrong with them.
#[derive(Debug, Clone)]
pub struct Checked {
    inner: SharedHttp,
    /// What is wrong, a line each.
    pub faults: Arc<Mutex<Vec<String>>>,
}

impl Checked {
    /// Around a client.
    pub fn new(inner: SharedHttp) -> Self {
        Self { inner, faults: Arc::default() }
    }
}

#[async_trait]
impl HttpClient for Checked {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        if request.uri().path() == "/sdk" {
            self.faults.lock().expect("no panic").extend(faults(request.body()));
        }
        self.inner.send(request).await
    }
}

/// What is wrong with an envelope.
pub fn faults(envelope: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(envelope);
    let method = text.split("Body><").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    let Some(params) = ORDER["methods"][method].as_array() else {
        return vec![format!("{method} is not in wsdl_order.json; add it to pyvmomi_order.py")];
    };
    let mut arguments = match read_values(envelope) {
        Ok(arguments) => arguments,
        Err(error) => return vec![format!("{method}: {error}")],
    };
    if arguments.first().is_none_or(|first| first.name != "_this" || first.mo_type.is_empty()) {
        return vec![format!("{method}: _this is not first")];
    }
    arguments.remove(0);
    let mut found = Vec::new();
    check(method, &arguments, params, &mut found);
    found
}

fn check(place: &str, children: &[Element], fields: &[Value], found: &mut Vec<String>) {
    let fields: Vec<(&str, &str)> =
        fields.iter().filter_map(Value::as_str).filter_map(|field| field.split_once(' ')).collect();
    let mut at = 0;
    let mut seen = vec![0; fields.len()];
    for child in children {
        let Some(index) = fields.iter().position(|(name, _)| *name == child.name) else {
            found.push(format!("{place}: there is no {}", child.name));
            continue;
        };
        if index < at {
            found.push(format!("{place}: {} comes too late", child.name));
        }
        at = at.max(index);
        seen[index] += 1;
        let declared = fields[index].1;
        if seen[index] > 1 && !declared.contains("[]") {
            found.push(format!("{place}: {} comes twice", child.name));
        }
        if declared.ends_with('!') {
            found.push(format!("{place}: {} is newer than the oldest version", child.name));
        }
        check_value(&format!("{place}.{}", child.name), child, declared.trim_end_matches(['?', '!']), found);
    }
    for ((name, declared), count) in fields.iter().zip(seen) {
        if count == 0 && !declared.trim_end_matches('!').ends_with('?') && !declared.contains("[]") {
            found.push(format!("{place}: {name} is missing"));
        }
    }
}

fn check_value(place: &str, value: &Element, declared: &str, found: &mut Vec<String>) {
    let declared = declared.trim_end_matches("[]");
    if !value.mo_type.is_empty() || LEAVES.contains(&declared) {
        if !value.children.is_empty() {
            found.push(format!("{place} must be a simple value"));
        }
        if declared == "anyType" && !value.xsi_type.starts_with("xsd:") {
            found.push(format!("{place} needs an xsi:type"));
        }
        return;
    }
    let actual = if value.xsi_type.is_empty() { declared } else { value.xsi_type.as_str() };
    let known = &ORDER["types"][actual];
    let Some(fields) = known["fields"].as_array() else {
        // An enumeration: a word.
        if !value.children.is_empty() {
            found.push(format!("{place}: {actual} is not in wsdl_order.json; add it to pyvmomi_order.py"));
        }
        return;
    };
    if actual != declared && !known["bases"].as_array().is_some_and(|bases| bases.iter().any(|base| base == declared)) {
        found.push(format!("{place}: {actual} is no {declared}"));
    }
    check(place, &value.children, fields, found);
}
