//! A kind of object: its fields, which of them are keys, which are expensive, and where one of them is found.

use super::{super::refusal::Refusal, values};
use serde_json::{Value, json};

/// A kind of object as clients list it.
#[derive(Debug)]
pub(in super::super) struct Kind {
    /// Where one is found, with fields in braces: `/api/storage/volumes/{uuid}`.
    pub(in super::super) href: &'static str,
    /// What orders a list and names the start of a page.
    pub(in super::super) key: &'static [&'static str],
    /// What is shown when no fields are asked for.
    pub(in super::super) shown: &'static [&'static str],
    /// What `*` leaves out.
    pub(in super::super) expensive: &'static [&'static str],
    /// Every field there is: `a b{c,d{e}}`. Below one without braces any name passes.
    pub(in super::super) fields: &'static str,
}

impl Kind {
    /// Refuses a field or filter that the kind does not have (README.md: the code is a guess).
    pub(in super::super) fn check(&self, path: &str, refuse: fn(&str, &str) -> Refusal) -> Result<(), Refusal> {
        let mut grammar = self.fields;
        for part in path.split('.') {
            if part == "_links" {
                return Ok(());
            }
            match inside(grammar, part) {
                None => return Err(refuse(path, part)),
                Some("") => return Ok(()),
                Some(inner) => grammar = inner,
            }
        }
        Ok(())
    }

    /// A record's own address.
    pub(in super::super) fn href_of(&self, record: &Value) -> String {
        let mut out = String::new();
        let mut rest = self.href;
        while let Some((before, after)) = rest.split_once('{') {
            let (field, after) = after.split_once('}').unwrap_or((after, ""));
            out.push_str(before);
            let value = values(record, field).first().copied().cloned().unwrap_or_default();
            out.push_str(&super::super::params::encode(&plain(&value)));
            rest = after;
        }
        out.push_str(rest);
        out
    }

    /// `{"self":{"href":...}}`.
    pub(in super::super) fn links(&self, record: &Value) -> Value {
        json!({"self": {"href": self.href_of(record)}})
    }
}

/// A value as it stands in an address or a query.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What stands in the braces of a name, empty for a name without; `None` where the name is not there.
fn inside<'g>(grammar: &'g str, name: &str) -> Option<&'g str> {
    let bytes = grammar.as_bytes();
    let (mut at, mut found) = (0, None);
    while at < bytes.len() {
        let start = at;
        while at < bytes.len() && !matches!(bytes[at], b'{' | b' ' | b',' | b'\n') {
            at += 1;
        }
        let this = &grammar[start..at];
        if !this.is_empty() && this == name {
            found = Some("");
        }
        if at < bytes.len() && bytes[at] == b'{' {
            let open = at + 1;
            let mut depth = 0;
            while at < bytes.len() {
                match bytes[at] {
                    b'{' => depth += 1,
                    b'}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
                at += 1;
            }
            if found.is_some() {
                return grammar.get(open..at);
            }
        }
        if found.is_some() {
            return found;
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const THING: Kind = Kind {
        href: "/api/x/{owner.uuid}/things/{name}",
        key: &["name"],
        shown: &["name"],
        expensive: &[],
        fields: "name owner{uuid,name} size clone{parent{name,uuid},split} free",
    };

    #[test]
    fn fields_are_known_by_their_grammar() {
        for good in
            ["name", "owner", "owner.uuid", "size.any", "clone.parent.name", "clone.split", "free", "_links.self"]
        {
            assert!(THING.check(good, |_, _| Refusal::absent()).is_ok(), "{good}");
        }
        for bad in ["", "nam", "names", "owner.id", "clone.parent.x", "uuid", "split", "owner."] {
            assert!(THING.check(bad, |_, _| Refusal::absent()).is_err(), "{bad}");
        }
        let href = THING.href_of(&json!({"name": "a/b c", "owner": {"uuid": "7"}}));
        assert_eq!(href, "/api/x/7/things/a%2Fb%20c");
    }
}
