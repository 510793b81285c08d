//! The query language: `*` wildcards, `<5`, `>=5`, `a..b`, `!x`, `a|b`, `null`, `"literal"`, `{literal}`.

use super::super::params::size_bytes;
use serde_json::Value;
use std::cmp::Ordering;

/// True where one of the values fits the expression; `null` fits where there is none.
pub(super) fn fits(found: &[&Value], expression: &str) -> bool {
    alternatives(expression).iter().any(|one| fits_one(found, one))
}

/// Parts between `|` that stand outside of quotes and braces.
fn alternatives(expression: &str) -> Vec<&str> {
    let (mut parts, mut start, mut closing) = (Vec::new(), 0, None);
    for (at, c) in expression.char_indices() {
        match (closing, c) {
            (None, '"') => closing = Some('"'),
            (None, '{') => closing = Some('}'),
            (None, '|') => {
                parts.push(&expression[start..at]);
                start = at + 1;
            }
            (Some(end), c) if c == end => closing = None,
            _ => {}
        }
    }
    parts.push(&expression[start..]);
    parts
}

fn literal(text: &str) -> Option<&str> {
    let quoted = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    quoted.or_else(|| text.strip_prefix('{').and_then(|t| t.strip_suffix('}')))
}

fn fits_one(found: &[&Value], one: &str) -> bool {
    if let Some(rest) = one.strip_prefix('!') {
        return !fits_one(found, rest);
    }
    if one == "null" {
        return found.is_empty();
    }
    found.iter().any(|value| fits_value(value, one))
}

fn fits_value(value: &Value, one: &str) -> bool {
    if let Some(text) = literal(one) {
        return order(value, text) == Some(Ordering::Equal);
    }
    for (sign, wanted) in [
        ("<=", [Ordering::Less, Ordering::Equal].as_slice()),
        (">=", &[Ordering::Greater, Ordering::Equal]),
        ("<", &[Ordering::Less]),
        (">", &[Ordering::Greater]),
    ] {
        if let Some(bound) = one.strip_prefix(sign) {
            return order(value, literal(bound).unwrap_or(bound)).is_some_and(|o| wanted.contains(&o));
        }
    }
    if let Some((from, to)) = one.split_once("..").filter(|(from, to)| !from.is_empty() && !to.is_empty()) {
        let at_least = order(value, from).is_some_and(Ordering::is_ge);
        return at_least && order(value, to).is_some_and(Ordering::is_le);
    }
    match value {
        Value::String(text) if one.contains('*') => like(text, one),
        _ if one == "*" => true,
        _ => order(value, one) == Some(Ordering::Equal),
    }
}

/// How a field's value stands to a text; `None` where they cannot be compared.
fn order(value: &Value, text: &str) -> Option<Ordering> {
    match value {
        Value::Number(number) => match (number.as_u64(), size_bytes(text)) {
            (Some(number), Some(wanted)) => Some(number.cmp(&wanted)),
            _ => number.as_f64()?.partial_cmp(&text.parse::<f64>().ok()?),
        },
        Value::Bool(flag) if text.eq_ignore_ascii_case("true") => Some(flag.cmp(&true)),
        Value::Bool(flag) if text.eq_ignore_ascii_case("false") => Some(flag.cmp(&false)),
        Value::String(held) => Some(held.as_str().cmp(text)),
        _ => None,
    }
}

/// A text and a pattern whose `*` stand for anything.
fn like(text: &str, pattern: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn expressions_of_the_manual() {
        let (name, size, flag) = (json!("vol|a*1"), json!(2048), json!(true));
        for (value, expression, fit) in [
            (&name, "vol*", true),
            (&name, "*1", true),
            (&name, "*|a*", true),
            (&name, "v*x*1", false),
            (&name, "vol|a*1", false),
            (&name, "\"vol|a*1\"", true),
            (&name, "{vol|a*1}", true),
            (&name, "x|\"vol|a*1\"", true),
            (&name, "\"vol*\"", false),
            (&name, "!\"vol|a*1\"", false),
            (&name, "!x", true),
            (&size, "2048", true),
            (&size, "2KB", true),
            (&size, "<2K", false),
            (&size, "<=2K", true),
            (&size, ">2047", true),
            (&size, "1KB..1MB", true),
            (&size, "1..5", false),
            (&size, "1|2048", true),
            (&size, "*", true),
            (&flag, "True", true),
            (&flag, "!true", false),
            (&flag, "null", false),
            (&flag, "!null", true),
        ] {
            assert_eq!(fits(&[value], expression), fit, "{value} {expression}");
        }
        assert!(fits(&[], "null") && !fits(&[], "!null") && !fits(&[], "*") && fits(&[], "!x"));
        assert!(fits(&[&json!("a"), &json!("b")], "b"), "any item of a list counts");
    }
}
