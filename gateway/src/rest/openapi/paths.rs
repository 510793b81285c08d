//! One path and method of the document.

use super::{comment, schemas::Schemas};
use crate::rest::{
    bindings::{Binding, Fills},
    template::{Segment, Template},
};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Levels of fields that are listed as parameters of a query.
const DEPTH_MAX: usize = 3;

/// The path, the method in small letters, and what they do.
pub(super) fn operation(binding: &Binding, schemas: &mut Schemas) -> (String, String, Value) {
    let (rpc, input) = (&binding.rpc, binding.rpc.input());
    let (path, from_path) = shown(&binding.template);
    let bound: BTreeSet<&str> = binding.template.variables.iter().map(|variable| variable.field.as_str()).collect();
    let mut parameters: Vec<Value> = from_path
        .iter()
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } }))
        .collect();
    let mut body = Value::Null;
    match &binding.fills {
        Fills::All => body = schemas.without(&input, &bound),
        Fills::Field(name) => {
            if let Some(field) = input.get_field_by_name(name) {
                body = schemas.field(&field);
            }
            query(&input, "", &bound, Some(name), schemas, &mut parameters, DEPTH_MAX);
        }
        Fills::Nothing => query(&input, "", &bound, None, schemas, &mut parameters, DEPTH_MAX),
    }
    let mut operation = Map::new();
    operation.insert("operationId".into(), json!(format!("{}_{}", rpc.parent_service().name(), rpc.name())));
    operation.insert("tags".into(), json!([rpc.parent_service().name()]));
    operation.insert("description".into(), json!(comment(&rpc.parent_file(), rpc.path())));
    operation.insert("parameters".into(), Value::Array(parameters));
    if !body.is_null() {
        let content = json!({ "application/json": { "schema": body } });
        operation.insert("requestBody".into(), json!({ "required": false, "content": content }));
    }
    operation.insert("responses".into(), responses(binding, schemas));
    (path, binding.method.as_str().to_lowercase(), Value::Object(operation))
}

fn responses(binding: &Binding, schemas: &mut Schemas) -> Value {
    let output = schemas.message(&binding.rpc.output());
    let content = match binding.rpc.is_server_streaming() {
        true => json!({
            "application/x-ndjson": { "schema": { "type": "object", "properties": { "result": output } } },
            "text/event-stream": { "schema": { "type": "string" } },
        }),
        false => json!({ "application/json": { "schema": output } }),
    };
    let status = json!({ "$ref": "#/components/schemas/google.rpc.Status" });
    json!({
        "200": { "description": "Done, or accepted as an operation.", "content": content },
        "default": {
            "description": "Why not; `details` hold the reason, the object and what to do.",
            "content": { "application/json": { "schema": status } },
        },
    })
}

/// The path with one name a segment, `{vcenter}` for what follows `vcenters`, and the names.
fn shown(template: &Template) -> (String, Vec<String>) {
    let (mut path, mut names, mut before) = (String::new(), Vec::new(), "");
    for (at, segment) in template.segments.iter().enumerate() {
        path.push('/');
        match segment {
            Segment::Literal(text) => path.push_str(text),
            Segment::One | Segment::Rest => {
                let variable = template.variables.iter().find(|variable| (variable.from..variable.to).contains(&at));
                let plain = variable.map_or("id", |variable| variable.field.as_str());
                let name = before.strip_suffix('s').filter(|name| !name.is_empty()).unwrap_or(plain).to_owned();
                path.push_str(&format!("{{{name}}}"));
                names.push(name);
            }
        }
        before = if let Segment::Literal(text) = segment { text } else { "" };
    }
    if !template.verb.is_empty() {
        path.push(':');
        path.push_str(&template.verb);
    }
    (path, names)
}

/// What a query may hold: every field that is neither in the path nor the body.
fn query(
    message: &MessageDescriptor,
    prefix: &str,
    bound: &BTreeSet<&str>,
    body: Option<&str>,
    schemas: &mut Schemas,
    parameters: &mut Vec<Value>,
    depth: usize,
) {
    let free =
        |field: &FieldDescriptor| !prefix.is_empty() || (!bound.contains(field.name()) && Some(field.name()) != body);
    for field in message.fields().filter(free) {
        let name = format!("{prefix}{}", field.json_name());
        match field.kind() {
            Kind::Message(inner) if !inner.full_name().starts_with("google.protobuf.") => {
                if depth > 1 && !field.is_list() && !field.is_map() {
                    query(&inner, &format!("{name}."), bound, body, schemas, parameters, depth - 1);
                }
            }
            _ => parameters.push(json!({
                "name": name,
                "in": "query",
                "required": false,
                "description": comment(&field.parent_file(), field.path()),
                "schema": schemas.bare(&field),
            })),
        }
    }
}
