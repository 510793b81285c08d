//! Which fields of a record an answer shows.

use super::{super::refusal::Refusal, kind::Kind};
use serde_json::{Map, Value};

/// A parsed `fields=`.
#[derive(Debug, Default)]
struct Asked {
    cheap: bool,
    all: bool,
    named: Vec<String>,
    without: Vec<String>,
}

/// `a,b.{c,d},!e` taken apart.
fn parse(kind: &Kind, text: &str) -> Result<Asked, Refusal> {
    let mut asked = Asked::default();
    for item in spread(text, "") {
        match item.as_str() {
            "*" => asked.cheap = true,
            "**" => asked.all = true,
            other => {
                let (path, excluded) = other.strip_prefix('!').map_or((other, false), |path| (path, true));
                kind.check(path, |path, _| Refusal::bad_value("fields", path))?;
                if excluded { &mut asked.without } else { &mut asked.named }.push(path.to_owned());
            }
        }
    }
    if !asked.without.is_empty() && asked.named.is_empty() && !asked.all {
        asked.cheap = true;
    }
    Ok(asked)
}

/// Items between commas, with those in braces given their prefix.
fn spread(text: &str, prefix: &str) -> Vec<String> {
    let (mut items, mut depth, mut start) = (Vec::new(), 0, 0);
    let mut ends: Vec<usize> = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => ends.push(at),
            _ => {}
        }
    }
    ends.push(text.len());
    for end in ends {
        let item = text[start..end].trim();
        start = (end + 1).min(text.len());
        match item.split_once('{') {
            Some((before, inner)) => {
                let inner = inner.strip_suffix('}').unwrap_or(inner);
                items.extend(spread(inner, &format!("{prefix}{before}")));
            }
            None if item.is_empty() => {}
            None => items.push(format!("{prefix}{item}")),
        }
    }
    items
}

/// The record as `fields` asks for it. Keys, and what the query filters by, are always there.
pub(in super::super) fn select(
    kind: &Kind,
    record: &Value,
    fields: Option<&str>,
    filtered_by: &[&str],
    is_instance: bool,
) -> Result<Value, Refusal> {
    let asked = parse(kind, fields.unwrap_or(if is_instance { "*" } else { "" }))?;
    let mut out = if asked.all || asked.cheap { record.clone() } else { Value::Object(Map::new()) };
    if !asked.all {
        for path in kind.expensive {
            remove(&mut out, path);
        }
    }
    for path in &asked.without {
        remove(&mut out, path);
    }
    let always = kind.shown.iter().copied().chain(filtered_by.iter().copied());
    for path in always.chain(asked.named.iter().map(String::as_str)) {
        copy(record, &mut out, path);
    }
    Ok(out)
}

/// Takes a field away, in every item of lists on the way.
fn remove(value: &mut Value, path: &str) {
    let (part, rest) = path.split_once('.').map_or((path, None), |(part, rest)| (part, Some(rest)));
    match (value, rest) {
        (Value::Array(items), _) => items.iter_mut().for_each(|item| remove(item, path)),
        (Value::Object(map), None) => {
            map.remove(part);
        }
        (Value::Object(map), Some(rest)) => {
            if let Some(inner) = map.get_mut(part) {
                remove(inner, rest);
                if inner.as_object().is_some_and(Map::is_empty) {
                    map.remove(part);
                }
            }
        }
        _ => {}
    }
}

/// Copies a field, through lists too.
fn copy(from: &Value, to: &mut Value, path: &str) {
    let (part, rest) = path.split_once('.').map_or((path, None), |(part, rest)| (part, Some(rest)));
    match (from, to) {
        (Value::Object(source), Value::Object(target)) => {
            let Some(inner) = source.get(part) else { return };
            let Some(rest) = rest else {
                target.insert(part.to_owned(), inner.clone());
                return;
            };
            let empty = match inner {
                Value::Array(items) => Value::Array(vec![Value::Object(Map::new()); items.len()]),
                _ => Value::Object(Map::new()),
            };
            let place = target.entry(part).or_insert(empty);
            copy(inner, place, rest);
            if place.as_object().is_some_and(Map::is_empty) {
                target.remove(part);
            }
        }
        (Value::Array(sources), Value::Array(targets)) => {
            sources.iter().zip(targets).for_each(|(source, target)| copy(source, target, path));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const THING: Kind = Kind {
        href: "/api/things/{uuid}",
        key: &["uuid"],
        shown: &["uuid", "name"],
        expensive: &["clone.parent", "dear"],
        fields: "uuid name size dear clone{parent{name,uuid},flag} list{a,b}",
    };

    #[test]
    fn each_form_of_fields() {
        let record = json!({
            "uuid": "1", "name": "n", "size": 5, "dear": 1,
            "clone": {"flag": true, "parent": {"name": "p", "uuid": "2"}},
            "list": [{"a": 1, "b": 2}, {"a": 3}],
        });
        for (fields, instance, expected) in [
            (None, false, json!({"uuid": "1", "name": "n"})),
            (Some("size"), false, json!({"uuid": "1", "name": "n", "size": 5})),
            (
                Some("clone.{parent.name,flag}"),
                false,
                json!({"uuid": "1", "name": "n", "clone": {"flag": true, "parent": {"name": "p"}}}),
            ),
            (Some("list.a"), false, json!({"uuid": "1", "name": "n", "list": [{"a": 1}, {"a": 3}]})),
            (
                Some("*"),
                false,
                json!({"uuid": "1", "name": "n", "size": 5, "clone": {"flag": true}, "list": [{"a": 1, "b": 2}, {"a": 3}]}),
            ),
            (
                None,
                true,
                json!({"uuid": "1", "name": "n", "size": 5, "clone": {"flag": true}, "list": [{"a": 1, "b": 2}, {"a": 3}]}),
            ),
            (
                Some("*,dear"),
                false,
                json!({"uuid": "1", "name": "n", "size": 5, "dear": 1, "clone": {"flag": true}, "list": [{"a": 1, "b": 2}, {"a": 3}]}),
            ),
            (Some("**"), false, record.clone()),
            (Some("!list,!clone,!size"), false, json!({"uuid": "1", "name": "n"})),
        ] {
            assert_eq!(select(&THING, &record, fields, &[], instance).unwrap(), expected, "{fields:?}");
        }
        let filtered = select(&THING, &record, None, &["clone.parent.uuid"], false).unwrap();
        assert_eq!(filtered["clone"]["parent"], json!({"uuid": "2"}), "what is filtered by is shown");
        assert_eq!(select(&THING, &record, Some("nothing"), &[], false).unwrap_err().code, "262197");
    }
}
