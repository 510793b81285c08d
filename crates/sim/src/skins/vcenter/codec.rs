//! Between XML and values, by the schema. Reading a request is strict, as the real one is: unknown elements, wrong order,
//! missing required elements, an abstract type without `xsi:type`, and unknown enumeration values are refused.

use super::{
    schema::{Field, SCHEMA},
    xml::Node,
};
use crate::world::compute::{
    fault::Fault,
    value::{MoRef, Obj, Val},
};
use quick_xml::escape::escape;
use std::fmt::Write as _;

/// Types that a request may never name alone: a real server cannot make one without `xsi:type` of a derived type.
const ABSTRACT: &[&str] = &[
    "VirtualDevice",
    "VirtualDeviceBackingInfo",
    "VirtualMachineGuestQuiesceSpecBase",
    "VirtualMachineProfileSpec",
    "CustomFieldValue",
];

/// Reads the arguments of a call.
pub fn decode_fields(owner: &str, fields: &[&Field], children: &[Node]) -> Result<Vec<(String, Val)>, Fault> {
    let mut out: Vec<(String, Val)> = Vec::new();
    let mut at = 0;
    for child in children {
        let found = fields.iter().enumerate().skip(at).find(|(_, f)| f.name == child.name);
        let Some((index, field)) = found else {
            let what = if fields.iter().any(|f| f.name == child.name) { "out of order" } else { "unexpected" };
            return Err(Fault::invalid_request(format!(
                "Element tag \"{}\" is {what}, while parsing serialized DataObject of type {owner}",
                child.name
            )));
        };
        for skipped in fields.iter().take(index).skip(at) {
            require(owner, skipped, &out)?;
        }
        at = index;
        let value = decode(field, child)?;
        match out.iter_mut().find(|(n, _)| *n == field.name) {
            Some((_, Val::List(list))) if field.many => list.push(value),
            Some(_) => {
                return Err(Fault::invalid_request(format!("Element \"{}\" of {owner} is repeated", field.name)));
            }
            None if field.many => out.push((field.name.clone(), Val::List(vec![value]))),
            None => out.push((field.name.clone(), value)),
        }
    }
    for field in fields.iter().skip(at) {
        require(owner, field, &out)?;
    }
    Ok(out)
}

fn require(owner: &str, field: &Field, out: &[(String, Val)]) -> Result<(), Fault> {
    // The real one takes empty arrays where a list is required.
    if field.required && !field.many && !out.iter().any(|(n, _)| *n == field.name) {
        return Err(Fault::invalid_request(format!(
            "Required property \"{}\" is missing from data object of type {owner}",
            field.name
        )));
    }
    Ok(())
}

fn decode(field: &Field, node: &Node) -> Result<Val, Fault> {
    if node.nil {
        return Err(Fault::invalid_request(format!("xsi:nil is not allowed on \"{}\"", node.name)));
    }
    let bad = || Fault::invalid_request(format!("'{}' is not a valid {} for \"{}\"", node.text, field.ty, node.name));
    match field.ty.as_str() {
        "string" => Ok(Val::Str(node.text.clone())),
        "bool" => match node.text.trim() {
            "true" | "1" => Ok(Val::Bool(true)),
            "false" | "0" => Ok(Val::Bool(false)),
            _ => Err(bad()),
        },
        "int" => node.text.trim().parse::<i32>().map(|n| Val::Int(n.into())).map_err(|_| bad()),
        "long" => node.text.trim().parse::<i64>().map(Val::Long).map_err(|_| bad()),
        "time" => node.text.trim().parse().map(Val::Time).map_err(|_| bad()),
        "binary" => Ok(Val::Binary(node.text.trim().to_owned())),
        "ref" => reference(node).map(Val::Ref),
        "any" | "Fault" => decode_any(node),
        ty => match SCHEMA.values(ty) {
            Some(values) if values.contains(&node.text) => Ok(Val::Str(node.text.clone())),
            Some(_) => Err(bad()),
            None => decode_object(ty, node),
        },
    }
}

fn reference(node: &Node) -> Result<MoRef, Fault> {
    match &node.ref_type {
        Some(ty) => Ok(MoRef::new(ty, node.text.trim())),
        None => Err(Fault::invalid_request(format!("Reference \"{}\" has no type attribute", node.name))),
    }
}

fn decode_object(declared: &str, node: &Node) -> Result<Val, Fault> {
    let ty = match node.xsi_type.as_deref() {
        Some(ty) if !SCHEMA.knows_type(ty) => {
            return Err(Fault::invalid_request(format!("Unknown type {ty} of \"{}\"", node.name)));
        }
        Some(ty) if !SCHEMA.is_a(ty, declared) => {
            return Err(Fault::invalid_request(format!("\"{}\" is a {ty}, wanted {declared}", node.name)));
        }
        Some(ty) => ty,
        None if ABSTRACT.contains(&declared) => {
            return Err(Fault::invalid_request(format!(
                "\"{}\" of abstract type {declared} has no xsi:type",
                node.name
            )));
        }
        None => declared,
    };
    let Some(fields) = SCHEMA.fields(ty) else {
        // A type outside the tables: kept as text.
        return Ok(Val::Str(node.text.clone()));
    };
    Ok(Val::Obj(Obj { ty: ty.to_owned(), fields: decode_fields(ty, &fields, &node.children)? }))
}

fn decode_any(node: &Node) -> Result<Val, Fault> {
    let simple = |ty: &str| Field { name: node.name.clone(), ty: ty.to_owned(), many: false, required: false };
    match node.xsi_type.as_deref() {
        None if node.children.is_empty() && node.ref_type.is_some() => reference(node).map(Val::Ref),
        None if node.name == "value" => {
            Err(Fault::invalid_request(format!("\"{}\" of type anyType has no xsi:type", node.name)))
        }
        None => Ok(Val::Str(node.text.clone())),
        Some("string") => Ok(Val::Str(node.text.clone())),
        Some("boolean") => decode(&simple("bool"), node),
        Some("int" | "short" | "byte") => decode(&simple("int"), node),
        Some("long") => decode(&simple("long"), node),
        Some("dateTime") => decode(&simple("time"), node),
        Some("ManagedObjectReference") => reference(node).map(Val::Ref),
        Some(ty) if SCHEMA.knows_type(ty) => decode_object(ty, node),
        Some(_) => Ok(Val::Str(node.text.clone())),
    }
}

/// Writes `<name>` with a value whose declared type is known; a list repeats the element.
pub fn encode(out: &mut String, name: &str, ty: &str, value: &Val) {
    match value {
        Val::Unset => {}
        // A list where anything may stand has to name its type.
        Val::List(list) if ty == "any" => {
            let ty = match list.first() {
                Some(Val::Obj(o)) => o.ty.clone(),
                Some(Val::Ref(_)) => "ref".to_owned(),
                _ => "string".to_owned(),
            };
            let field = Field { name: name.to_owned(), ty, many: true, required: false };
            encode_property(out, name, &field, value);
        }
        Val::List(list) => list.iter().for_each(|v| encode(out, name, ty, v)),
        Val::Ref(r) => {
            let xsi = if ty == "any" { " xsi:type=\"ManagedObjectReference\"" } else { "" };
            let _ = write!(out, "<{name} type=\"{}\"{xsi}>{}</{name}>", escape(&r.ty), escape(&r.id));
        }
        Val::Obj(o) => {
            let xsi = if o.ty == ty { String::new() } else { format!(" xsi:type=\"{}\"", o.ty) };
            let _ = write!(out, "<{name}{xsi}>");
            encode_fields(out, o);
            let _ = write!(out, "</{name}>");
        }
        scalar => {
            let xsi = if ty == "any" { format!(" xsi:type=\"{}\"", xsd(scalar)) } else { String::new() };
            let _ = write!(out, "<{name}{xsi}>{}</{name}>", escape(text(scalar)));
        }
    }
}

fn encode_fields(out: &mut String, o: &Obj) {
    for field in SCHEMA.fields(&o.ty).unwrap_or_default() {
        if let Some((_, v)) = o.fields.iter().find(|(n, _)| *n == field.name) {
            encode(out, &field.name, &field.ty, v);
        }
    }
}

/// Writes a property's value, where the element is declared anyType but the property's own type is known.
pub fn encode_property(out: &mut String, name: &str, field: &Field, value: &Val) {
    if value.is_unset() {
        return;
    }
    if let (true, Val::List(list)) = (field.many, value) {
        let (array, element) = match field.ty.as_str() {
            "string" => ("ArrayOfString", "string"),
            "int" => ("ArrayOfInt", "int"),
            "bool" => ("ArrayOfBoolean", "boolean"),
            "ref" => ("ArrayOfManagedObjectReference", "ManagedObjectReference"),
            "any" => ("ArrayOfAnyType", "anyType"),
            ty => (ty, ty),
        };
        let prefix = if array == element { "ArrayOf" } else { "" };
        let _ = write!(out, "<{name} xsi:type=\"{prefix}{array}\">");
        list.iter().for_each(|v| encode(out, element, &field.ty, v));
        let _ = write!(out, "</{name}>");
        return;
    }
    match value {
        Val::Ref(_) | Val::Obj(_) | Val::List(_) => encode(out, name, "any", value),
        scalar => {
            let ty = match field.ty.as_str() {
                "long" => "xsd:long",
                ty if SCHEMA.values(ty).is_some() => ty,
                _ => xsd(scalar),
            };
            let _ = write!(out, "<{name} xsi:type=\"{ty}\">{}</{name}>", escape(text(scalar)));
        }
    }
}

fn xsd(value: &Val) -> &'static str {
    match value {
        Val::Bool(_) => "xsd:boolean",
        Val::Int(_) => "xsd:int",
        Val::Long(_) => "xsd:long",
        Val::Time(_) => "xsd:dateTime",
        Val::Binary(_) => "xsd:base64Binary",
        _ => "xsd:string",
    }
}

fn text(value: &Val) -> String {
    match value {
        Val::Bool(b) => b.to_string(),
        Val::Int(n) | Val::Long(n) => n.to_string(),
        Val::Str(s) | Val::Binary(s) => s.clone(),
        Val::Time(t) => t.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
        _ => String::new(),
    }
}

/// Names of fields that the schema does not know, for tests.
#[cfg(test)]
pub fn unknown_fields(value: &Val, out: &mut Vec<String>) {
    match value {
        Val::List(list) => list.iter().for_each(|v| unknown_fields(v, out)),
        Val::Obj(o) => {
            let known = SCHEMA.fields(&o.ty);
            for (name, v) in &o.fields {
                if !known.as_ref().is_some_and(|k| k.iter().any(|f| f.name == *name)) {
                    out.push(format!("{}.{name}", o.ty));
                }
                unknown_fields(v, out);
            }
        }
        _ => {}
    }
}
