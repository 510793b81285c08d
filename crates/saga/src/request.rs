//! Request ids: the same caller, id and request is the same operation.

use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// SHA-256 over kind and parameters, hex. Object keys are taken in order of their names, so that the hash does not depend
/// on how the JSON was built.
pub(crate) fn params_hash(kind: &str, params: &Value) -> String {
    let mut text = format!("{kind}\n");
    canonical(params, &mut text);
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<_> = fields.keys().collect();
            names.sort();
            text.push('{');
            for name in names {
                let _ = write!(text, "{}:", Value::from(name.as_str()));
                canonical(&fields[name], text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                canonical(item, text);
                text.push(',');
            }
            text.push(']');
        }
        scalar => {
            let _ = write!(text, "{scalar}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_hash_sees_meaning_and_not_order() {
        let one = params_hash("k", &json!({"a": 1, "b": [1, 2]}));
        assert_eq!(one, params_hash("k", &json!({"b": [1, 2], "a": 1})));
        for other in [json!({"a": 1, "b": [2, 1]}), json!({"a": "1", "b": [1, 2]}), json!({"a": 1, "b": [[1], 2]})] {
            assert_ne!(one, params_hash("k", &other), "{other}");
        }
        assert_ne!(one, params_hash("other", &json!({"a": 1, "b": [1, 2]})));
    }
}
