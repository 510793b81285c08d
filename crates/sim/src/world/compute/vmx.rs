//! Text files of `key = "value"` lines: .vmx, .vmsd and the data base of descriptors.

/// Keys in file order; keys compare without case, as in the real files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vmx(Vec<(String, String)>);

impl Vmx {
    /// Reads a file; comments and lines without `=` are skipped.
    pub fn parse(text: &str) -> Self {
        let mut out = Vmx::default();
        for line in text.lines() {
            let line = line.trim();
            if line.starts_with('#') {
                continue;
            }
            if let Some((key, value)) = line.split_once('=') {
                let value = value.trim();
                let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
                out.set(key.trim(), &unescape(value));
            }
        }
        out
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let mut out = String::from(".encoding = \"UTF-8\"\n");
        for (key, value) in self.0.iter().filter(|(k, _)| k != ".encoding") {
            out.push_str(&format!("{key} = \"{}\"\n", escape(value)));
        }
        out
    }

    /// A value.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, v)| v.as_str())
    }

    /// True where the value says so.
    pub fn is_true(&self, key: &str) -> bool {
        self.get(key).is_some_and(|v| v.eq_ignore_ascii_case("true") || v == "1")
    }

    /// Sets a value in place, or at the end.
    pub fn set(&mut self, key: &str, value: &str) {
        match self.0.iter_mut().find(|(k, _)| k.eq_ignore_ascii_case(key)) {
            Some((_, v)) => value.clone_into(v),
            None => self.0.push((key.to_owned(), value.to_owned())),
        }
    }

    /// Takes a value out.
    pub fn take(&mut self, key: &str) -> Option<String> {
        let at = self.0.iter().position(|(k, _)| k.eq_ignore_ascii_case(key))?;
        Some(self.0.remove(at).1)
    }

    /// Takes out all keys that begin so.
    pub fn take_prefix(&mut self, prefix: &str) -> Vec<(String, String)> {
        let prefix = prefix.to_ascii_lowercase();
        let (taken, kept) =
            std::mem::take(&mut self.0).into_iter().partition(|(k, _)| k.to_ascii_lowercase().starts_with(&prefix));
        self.0 = kept;
        taken
    }

    /// All keys and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }
}

/// Quotes and line ends are written as `|` and two hex digits.
fn escape(value: &str) -> String {
    value.replace('|', "|7C").replace('"', "|22").replace('\n', "|0A")
}

fn unescape(value: &str) -> String {
    value.replace("|0A", "\n").replace("|22", "\"").replace("|7C", "|")
}

/// A uuid as a .vmx writes it: `56 4d 11 22 33 44 55 66-77 ...`.
pub fn spaced(uuid: &str) -> String {
    let hex: String = uuid.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_ascii_lowercase();
    let bytes: Vec<String> = hex.as_bytes().chunks(2).map(|c| String::from_utf8_lossy(c).into_owned()).collect();
    match bytes.len() {
        16 => format!("{}-{}", bytes[..8].join(" "), bytes[8..].join(" ")),
        _ => uuid.to_owned(),
    }
}

/// A uuid as vCenter shows it, from what a .vmx holds.
pub fn dashed(text: &str) -> Option<String> {
    let hex: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    uuid::Uuid::parse_str(&hex).ok().map(|u| u.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_unknown_keys() {
        let mut v = Vmx::parse("#!/usr/bin/vmware\ndisplayName = \"a |22b|22\"\nfoo.bar = \"1\"\n");
        assert_eq!(v.get("DISPLAYNAME"), Some("a \"b\""));
        v.set("displayname", "c");
        assert_eq!(Vmx::parse(&v.text()).get("displayName"), Some("c"));
        assert_eq!(v.get("foo.bar"), Some("1"));
    }

    #[test]
    fn uuids_both_ways() {
        let u = "564d1122-3344-5566-7788-99aabbccddee";
        assert_eq!(spaced(u), "56 4d 11 22 33 44 55 66-77 88 99 aa bb cc dd ee");
        assert_eq!(dashed(&spaced(u)).as_deref(), Some(u));
    }
}
