//! Resource names, `vcenters/{vc}/vms/{uuid}` and the like (AIP-122): the one place that builds and splits them.
//!
//! A segment that came from outside (a volume's native name may hold `/`) is percent-encoded, so that a name always
//! splits back into what it was built from.

/// Builds `a/b/c/d` from pairs of collection and id: `join(&[("arrays", "filer"), ("volumes", "ds1")])`.
pub fn join(pairs: &[(&str, &str)]) -> String {
    pairs.iter().map(|(collection, id)| format!("{collection}/{}", encode(id))).collect::<Vec<_>>().join("/")
}

/// Splits a name by its collections: `split("arrays/filer/volumes/ds1", &["arrays", "volumes"])` gives the two ids.
///
/// # Errors
/// A sentence that says which form was expected.
pub fn split(name: &str, collections: &[&str]) -> Result<Vec<String>, String> {
    let wrong = || {
        let form: Vec<String> = collections.iter().map(|c| format!("{c}/{{{}}}", c.trim_end_matches('s'))).collect();
        format!("'{name}' is not of the form {}", form.join("/"))
    };
    let parts: Vec<&str> = name.split('/').collect();
    if parts.len() != collections.len() * 2 {
        return Err(wrong());
    }
    parts
        .chunks(2)
        .zip(collections)
        .map(|(pair, collection)| match (pair[0] == *collection, decode(pair[1])) {
            (true, Some(id)) if !id.is_empty() => Ok(id),
            _ => Err(wrong()),
        })
        .collect()
}

/// Percent-encodes everything but letters, digits and `-._~`.
pub fn encode(id: &str) -> String {
    let mut out = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// Undoes [`encode`]; `None` where the text is no encoding of UTF-8.
pub fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_split_into_what_they_were_built_from() {
        for id in ["plain", "a/b", "x@y:z%#", "größe", "..", "%2f", " "] {
            let name = join(&[("arrays", id), ("volumes", id)]);
            assert_eq!(split(&name, &["arrays", "volumes"]), Ok(vec![id.to_owned(), id.to_owned()]), "{name}");
        }
    }

    #[test]
    fn wrong_forms_say_what_was_expected() {
        for name in [
            "",
            "arrays",
            "arrays/",
            "volumes/a/arrays/b",
            "arrays/a/volumes",
            "arrays/a/volumes/%zz",
            "/arrays/a/volumes/b",
        ] {
            let error = split(name, &["arrays", "volumes"]).unwrap_err();
            assert!(error.contains("arrays/{array}/volumes/{volume}"), "{error}");
        }
    }
}
