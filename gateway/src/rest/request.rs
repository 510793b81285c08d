//! From path, query and body to the request message.

use super::{
    bindings::{Binding, Fills},
    template::decode,
};
use prost_reflect::{DeserializeOptions, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value};
use strata_kit::status::StatusBuilder;
use strata_model::ErrorKind;
use tonic::Status;

/// Levels of fields that a query may name, as in `request.vm`.
const DEPTH_MAX: usize = 8;

/// Puts the message together.
///
/// # Errors
/// INVALID_ARGUMENT with the field that is wrong.
pub fn assemble(
    binding: &Binding,
    from_path: Vec<(String, String)>,
    query: &str,
    body: &[u8],
) -> Result<DynamicMessage, Status> {
    let input = binding.rpc.input();
    let mut json = from_body(binding, body)?;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let wrong = || invalid("query", format!("'{pair}' is not percent-encoded UTF-8"));
        let (name, value) = (decode(name, true).ok_or_else(wrong)?, decode(value, true).ok_or_else(wrong)?);
        if binding.fills == Fills::All {
            return Err(invalid(&name, format!("'{name}' belongs into the body; this path takes no query")));
        }
        put(&mut json, &input, &name, &value)?;
    }
    for (field, value) in from_path {
        let given = ours(&json, &input, &field);
        if given.is_some_and(|given| given.as_str() != Some(value.as_str())) {
            return Err(invalid(&field, format!("the body says another {field} than the path, which says '{value}'")));
        }
        let known = field_of(&input, &field)?;
        json.remove(known.name());
        json.insert(known.json_name().to_owned(), Value::String(value));
    }
    read(&input, Value::Object(json))
}

/// What the body gives under either of a field's names.
fn ours<'a>(json: &'a Map<String, Value>, input: &MessageDescriptor, field: &str) -> Option<&'a Value> {
    let known = input.get_field_by_name(field)?;
    json.get(known.json_name()).or_else(|| json.get(known.name()))
}

fn from_body(binding: &Binding, body: &[u8]) -> Result<Map<String, Value>, Status> {
    let nothing = body.iter().all(u8::is_ascii_whitespace);
    let parsed = || {
        let read: Result<Value, _> = serde_json::from_slice(body);
        read.map_err(|error| invalid("body", format!("the body is not JSON: {error}")))
    };
    match &binding.fills {
        Fills::Nothing if nothing => Ok(Map::new()),
        Fills::Nothing => Err(invalid("body", "this path takes no body; use the query".to_owned())),
        _ if nothing => Ok(Map::new()),
        Fills::All => match parsed()? {
            Value::Object(fields) => Ok(fields),
            _ => Err(invalid("body", "the body must be a JSON object".to_owned())),
        },
        Fills::Field(field) => Ok(Map::from_iter([(field.clone(), parsed()?)])),
    }
}

fn read(input: &MessageDescriptor, json: Value) -> Result<DynamicMessage, Status> {
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(json, &mut track);
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    DynamicMessage::deserialize_with_options(input.clone(), tracked, &options).map_err(|error| {
        let path = track.path().to_string();
        let field = if path == "." { "body".to_owned() } else { path };
        invalid(&field, format!("{field}: {error}"))
    })
}

/// Sets what a query names: `page_size=5`, `request.vm=...`, a list by repeating its name.
fn put(json: &mut Map<String, Value>, input: &MessageDescriptor, name: &str, text: &str) -> Result<(), Status> {
    let (mut at, mut message) = (json, input.clone());
    let mut parts = name.split('.').peekable();
    for _ in 0..DEPTH_MAX {
        let Some(part) = parts.next() else { break };
        let field = field_of(&message, part).map_err(|_| invalid(name, format!("there is no field '{name}'")))?;
        let key = field.json_name().to_owned();
        if parts.peek().is_none() {
            let value =
                value_of(&field, text).ok_or_else(|| invalid(name, format!("{name}: '{text}' does not fit")))?;
            if field.is_list() {
                let list = at.entry(key).or_insert_with(|| Value::Array(Vec::new()));
                list.as_array_mut().into_iter().for_each(|list| list.push(value.clone()));
            } else if at.insert(key, value).is_some() {
                return Err(invalid(name, format!("{name} stands twice in the query")));
            }
            return Ok(());
        }
        let Kind::Message(inner) = field.kind() else { break };
        let inside = at.entry(key).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(inside) = inside else { break };
        (at, message) = (inside, inner);
    }
    Err(invalid(name, format!("there is no field '{name}'")))
}

/// A query's text in proto3 JSON; `None` where the field cannot hold it.
fn value_of(field: &FieldDescriptor, text: &str) -> Option<Value> {
    match field.kind() {
        Kind::Bool => text.parse::<bool>().ok().map(Value::Bool),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Uint32 | Kind::Fixed32 => {
            text.parse::<i64>().ok().map(Value::from)
        }
        Kind::Enum(_) => Some(text.parse::<i32>().map_or_else(|_| Value::from(text), Value::from)),
        // Times and durations are text in JSON; other messages are named by their fields.
        Kind::Message(message) if !message.full_name().starts_with("google.protobuf.") => None,
        _ => Some(Value::from(text)),
    }
}

fn field_of(message: &MessageDescriptor, name: &str) -> Result<FieldDescriptor, Status> {
    let found = message.get_field_by_name(name).or_else(|| message.get_field_by_json_name(name));
    found.ok_or_else(|| invalid(name, format!("there is no field '{name}'")))
}

fn invalid(field: &str, message: String) -> Status {
    StatusBuilder::new(ErrorKind::InvalidArgument, "FIELD_INVALID", message.clone())
        .metadata("field", field)
        .violation(field, message)
        .build()
}
