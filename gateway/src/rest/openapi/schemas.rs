//! JSON schemas of messages, by the proto3 JSON mapping.

use super::comment;
use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value as Reflected};
use serde_json::{Map, Value, json};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// The schemas that the document's paths need, by the messages' full names.
#[derive(Debug, Default)]
pub(super) struct Schemas(BTreeMap<String, Value>);

impl Schemas {
    /// All of them.
    pub(super) fn into_json(self) -> Value {
        Value::Object(self.0.into_iter().collect())
    }

    /// A message: in place for those with a JSON of their own, else a reference.
    pub(super) fn message(&mut self, message: &MessageDescriptor) -> Value {
        if let Some(known) = well_known(message.full_name()) {
            return known;
        }
        let name = message.full_name().to_owned();
        if !self.0.contains_key(&name) {
            // Its place is taken first, since messages may hold themselves.
            self.0.insert(name.clone(), Value::Null);
            let schema = self.without(message, &BTreeSet::new());
            self.0.insert(name.clone(), schema);
        }
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    /// A message's schema in place, without these fields.
    pub(super) fn without(&mut self, message: &MessageDescriptor, absent: &BTreeSet<&str>) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in message.fields().filter(|field| !absent.contains(field.name())) {
            properties.insert(field.json_name().to_owned(), self.field(&field));
            if is_required(&field) {
                required.push(json!(field.json_name()));
            }
        }
        let mut schema = Map::from_iter([
            ("type".to_owned(), json!("object")),
            ("description".to_owned(), json!(comment(&message.parent_file(), message.path()))),
            ("properties".to_owned(), Value::Object(properties)),
        ]);
        if !required.is_empty() {
            schema.insert("required".to_owned(), Value::Array(required));
        }
        Value::Object(schema)
    }

    /// A field with its comment.
    pub(super) fn field(&mut self, field: &FieldDescriptor) -> Value {
        let mut schema = self.bare(field);
        let text = comment(&field.parent_file(), field.path());
        if let (Value::Object(schema), false) = (&mut schema, text.is_empty()) {
            schema.insert("description".to_owned(), Value::String(text));
        }
        schema
    }

    /// A field without its comment.
    pub(super) fn bare(&mut self, field: &FieldDescriptor) -> Value {
        if field.is_map() {
            let Kind::Message(entry) = field.kind() else { return json!({ "type": "object" }) };
            let value = entry.map_entry_value_field();
            return json!({ "type": "object", "additionalProperties": self.one(&value) });
        }
        match field.is_list() {
            true => json!({ "type": "array", "items": self.one(field) }),
            false => self.one(field),
        }
    }

    fn one(&mut self, field: &FieldDescriptor) -> Value {
        match field.kind() {
            Kind::Message(message) => self.message(&message),
            Kind::Enum(kind) => enumeration(&kind),
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::String => json!({ "type": "string" }),
            Kind::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
            Kind::Double | Kind::Float => json!({ "type": "number" }),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => json!({ "type": "integer", "format": "int32" }),
            Kind::Uint32 | Kind::Fixed32 => json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => json!({ "type": "string", "pattern": "^-?[0-9]{1,18}$" }),
            Kind::Uint64 | Kind::Fixed64 => json!({ "type": "string", "pattern": "^[0-9]{1,19}$" }),
        }
    }
}

fn enumeration(kind: &EnumDescriptor) -> Value {
    let names: Vec<String> = kind.values().map(|value| value.name().to_owned()).collect();
    json!({ "type": "string", "enum": names })
}

/// Messages that are no objects in JSON.
fn well_known(name: &str) -> Option<Value> {
    Some(match name {
        "google.protobuf.Timestamp" => json!({ "type": ["string", "null"], "format": "date-time" }),
        "google.protobuf.Duration" => json!({ "type": ["string", "null"], "pattern": "^[0-9]{1,9}(\\.[0-9]{1,9})?s$" }),
        "google.protobuf.FieldMask" => json!({ "type": ["string", "null"] }),
        "google.protobuf.Empty" => json!({ "type": "object", "maxProperties": 0 }),
        "google.protobuf.Any" => json!({ "type": ["object", "null"], "properties": { "@type": { "type": "string" } } }),
        "google.protobuf.Struct" => json!({ "type": ["object", "null"] }),
        _ => return None,
    })
}

/// By google.api.field_behavior.
fn is_required(field: &FieldDescriptor) -> bool {
    const REQUIRED: i32 = 2;
    let Some(behavior) = field.parent_pool().get_extension_by_name("google.api.field_behavior") else { return false };
    let options = field.options();
    let listed = options.get_extension(&behavior);
    let listed: Cow<'_, Reflected> = listed;
    listed.as_list().is_some_and(|all| all.iter().any(|one| one.as_enum_number() == Some(REQUIRED)))
}
