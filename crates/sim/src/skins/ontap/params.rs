//! Query strings and request bodies as ONTAP takes them: words in any case and order, dotted keys, sizes with suffixes.

use super::refusal::Refusal;
use serde_json::{Map, Value};
use std::str::FromStr;
use uuid::Uuid;

/// Words that any call may carry and that say how to answer, not what.
const ANY_CALL: [&str; 9] = [
    "pretty",
    "ignore_unknown_fields",
    "continue_on_failure",
    "serial_records",
    "offset",
    "return_timeout",
    "return_records",
    "fields",
    "validate_only",
];
/// Words of a list that are no filters.
const LIST: [&str; 5] = ["max_records", "order_by", "query", "query_fields", "start"];

/// A decoded query string, in the order of the request.
#[derive(Debug, Clone, Default)]
pub(super) struct Params(Vec<(String, String)>);

/// Undoes percent-encoding; `None` where what results is no UTF-8 or an escape is cut short.
pub(super) fn decode(text: &str, plus_is_space: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' if plus_is_space => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Encodes everything but letters, digits and `-_.~*`, so that the text is one value of a query string.
pub(super) fn encode(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~' | b'*');
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

impl Params {
    pub(super) fn parse(query: &str) -> Result<Self, Refusal> {
        let mut all = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (decode(key, true), decode(value, true)) {
                (Some(key), Some(value)) => all.push((key, value)),
                _ => return Err(Refusal::invalid("query", pair)),
            }
        }
        Ok(Params(all))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Filters of a list: everything that is no word of the protocol.
    pub(super) fn filters(&self) -> impl Iterator<Item = (&str, &str)> {
        let word = |key: &str| ANY_CALL.contains(&key) || LIST.contains(&key) || key.starts_with("start.");
        self.0.iter().filter(move |(key, _)| !word(key)).map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Refuses what a change does not know (262179), unless told to overlook it.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        if self.flag("ignore_unknown_fields")? == Some(true) {
            return Ok(());
        }
        let known = |key: &str| ANY_CALL.contains(&key) || known.contains(&key);
        match self.0.iter().find(|(key, _)| !known(key)) {
            Some((key, _)) => Err(Refusal::unexpected(key)),
            None => Ok(()),
        }
    }

    /// Everything but these words and `start`, encoded again: what a link to the next page repeats.
    pub(super) fn repeated(&self, without: &[&str]) -> String {
        let kept = self.0.iter().filter(|(key, _)| !without.contains(&key.as_str()) && !key.starts_with("start."));
        kept.map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect::<Vec<_>>().join("&")
    }

    /// Where the page starts, as `start.<key>` says.
    pub(super) fn start(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| k.strip_prefix("start.") == Some(key)).map(|(_, value)| value.as_str())
    }

    pub(super) fn flag(&self, name: &'static str) -> Result<Option<bool>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(text) => Err(Refusal::bad_value(name, text)),
        }
    }

    pub(super) fn number<T: FromStr + PartialOrd>(
        &self,
        name: &'static str,
        (least, most): (T, T),
    ) -> Result<Option<T>, Refusal> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let parsed = text.parse::<T>().ok().filter(|number| *number >= least && *number <= most);
        parsed.map(Some).ok_or_else(|| Refusal::bad_value(name, text))
    }
}

/// A size in bytes as numbers or texts tell it: `1024`, `"1073741824"`, `"10GB"`, `"4T"`.
pub(super) fn size_bytes(value: &str) -> Option<u64> {
    let text = value.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let factor = match text[digits..].trim().to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" => 1,
        "M" | "MB" => 2,
        "G" | "GB" => 3,
        "T" | "TB" => 4,
        "P" | "PB" => 5,
        _ => return None,
    };
    text[..digits].parse::<u64>().ok()?.checked_mul(1024_u64.pow(factor))
}

/// A request's body: JSON whose dotted keys were put into their objects.
#[derive(Debug, Clone, Default)]
pub(super) struct Body(Map<String, Value>);

impl Body {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Body::default());
        }
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(map)) => Ok(Body(nested(map))),
            Ok(_) => Err(Refusal::new(400, "262200", "the body must be a JSON object")),
            Err(error) => Err(Refusal::new(400, "262199", &format!("the body is not JSON: {error}"))),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The value at a dotted path.
    pub(super) fn at(&self, path: &str) -> Option<&Value> {
        let mut parts = path.split('.');
        let mut value = self.0.get(parts.next()?)?;
        for part in parts {
            value = value.get(part)?;
        }
        Some(value).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, path: &'static str) -> Result<Option<&str>, Refusal> {
        match self.at(path) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(Refusal::bad_value(path, &other.to_string())),
        }
    }

    pub(super) fn required(&self, path: &'static str) -> Result<&str, Refusal> {
        self.text(path)?.ok_or_else(|| Refusal::missing(path))
    }

    pub(super) fn flag(&self, path: &'static str) -> Result<Option<bool>, Refusal> {
        match self.at(path) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(other) => Err(Refusal::bad_value(path, &other.to_string())),
        }
    }

    /// A number of bytes, with or without suffix.
    pub(super) fn size(&self, path: &'static str) -> Result<Option<u64>, Refusal> {
        let Some(value) = self.at(path) else { return Ok(None) };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        size_bytes(&text).map(Some).ok_or_else(|| Refusal::bad_value(path, &text))
    }

    pub(super) fn uuid(&self, path: &'static str) -> Result<Option<Uuid>, Refusal> {
        let parse = |text: &str| text.parse().map_err(|_| Refusal::bad_value(path, text));
        self.text(path)?.map(parse).transpose()
    }

    pub(super) fn list(&self, path: &'static str) -> Result<&[Value], Refusal> {
        match self.at(path) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(other) => Err(Refusal::bad_value(path, &other.to_string())),
        }
    }

    /// Refuses leaves outside of these paths (262179): what ONTAP would do with them is not simulated, and overlooking
    /// them would hide it.
    pub(super) fn only(&self, known: &[&str], params: &Params) -> Result<(), Refusal> {
        if params.flag("ignore_unknown_fields")? == Some(true) {
            return Ok(());
        }
        let mut leaves = Vec::new();
        leaves_of(&Value::Object(self.0.clone()), "", &mut leaves);
        let known = |leaf: &str| {
            known.iter().any(|k| leaf == *k || leaf.strip_prefix(*k).is_some_and(|rest| rest.starts_with('.')))
        };
        match leaves.iter().find(|leaf| !known(leaf)) {
            Some(leaf) => Err(Refusal::unexpected(leaf)),
            None => Ok(()),
        }
    }
}

fn leaves_of(value: &Value, path: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, inner) in map {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                leaves_of(inner, &path, out);
            }
        }
        _ if path.is_empty() => {}
        _ => out.push(path.to_owned()),
    }
}

/// Dotted keys as nested objects, at every depth.
fn nested(map: Map<String, Value>) -> Map<String, Value> {
    let mut out = Map::new();
    for (key, value) in map {
        let value = match value {
            Value::Object(inner) => Value::Object(nested(inner)),
            Value::Array(items) => Value::Array(items.into_iter().map(nested_item).collect()),
            other => other,
        };
        put(&mut out, &key, value);
    }
    out
}

/// Puts a value at a dotted key, together with what is there already.
fn put(map: &mut Map<String, Value>, key: &str, value: Value) {
    match key.split_once('.') {
        Some((first, rest)) => {
            let inner = map.entry(first).or_insert_with(|| Value::Object(Map::new()));
            if !inner.is_object() {
                *inner = Value::Object(Map::new());
            }
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
        None => match (map.get_mut(key), value) {
            (Some(Value::Object(held)), Value::Object(more)) => held.extend(more),
            (_, value) => {
                map.insert(key.to_owned(), value);
            }
        },
    }
}

fn nested_item(item: Value) -> Value {
    match item {
        Value::Object(inner) => Value::Object(nested(inner)),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dotted_keys_and_nested_ones_are_one() {
        let body =
            Body::parse(br#"{"svm.name":"vs0","clone":{"is_flexclone":"True"},"clone.parent_volume.name":"v1"}"#);
        let body = body.unwrap();
        let whole = json!({"svm": {"name": "vs0"}, "clone": {"is_flexclone": "True", "parent_volume": {"name": "v1"}}});
        assert_eq!(Value::Object(body.map().clone()), whole);
        assert_eq!(body.flag("clone.is_flexclone").unwrap(), Some(true));
        let known = ["svm.name", "clone.is_flexclone", "clone.parent_volume"];
        assert!(body.only(&known, &Params::default()).is_ok());
        assert_eq!(body.only(&["svm", "clone.is_flexclone"], &Params::default()).unwrap_err().code, "262179");
        assert!(Body::parse(b"").unwrap().is_empty() && Body::parse(b"[]").is_err() && Body::parse(b"{").is_err());
    }

    #[test]
    fn sizes_take_suffixes_and_nothing_else() {
        for (text, bytes) in [
            ("7", Some(7)),
            ("1KB", Some(1024)),
            ("2 g", Some(2 << 30)),
            ("1P", Some(1 << 50)),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(size_bytes(text), bytes, "{text}");
        }
        assert_eq!(size_bytes("99999999999PB"), None);
    }

    #[test]
    fn queries_decode_once() {
        let params = Params::parse("fields=%2A&name=a+b%2Bc&pretty&return_records=True").unwrap();
        assert_eq!((params.get("fields"), params.get("name")), (Some("*"), Some("a b+c")));
        assert_eq!(params.flag("return_records").unwrap(), Some(true));
        assert_eq!(params.filters().collect::<Vec<_>>(), [("name", "a b+c")]);
        assert_eq!(params.repeated(&["fields", "pretty"]), "name=a%20b%2Bc&return_records=True");
        assert!(Params::parse("a=%f").is_err() && Params::parse("a=%ff").is_err());
    }
}
