//! Lines of `key = "value"`. Keys ignore case; where one stands twice, the last counts, as for VMware.

use super::encoding::{Encoding, decode, encode};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    Entry { key: String, value: String, as_written: String },
    Other(String),
}

/// A .vmx file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vmx {
    lines: Vec<Line>,
    encoding: Encoding,
    line_end: &'static str,
}

impl Vmx {
    /// Reads a file.
    ///
    /// # Errors
    /// The bytes are no text, or hold no entry at all.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let (text, encoding) = decode(bytes)?;
        let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let lines: Vec<Line> = text.lines().map(parse_line).collect();
        if !lines.iter().any(|line| matches!(line, Line::Entry { .. })) {
            return Err("it holds no setting".to_owned());
        }
        Ok(Self { lines, encoding, line_end })
    }

    /// The file's bytes; lines that were not changed are as they were.
    ///
    /// # Errors
    /// A new value cannot be written in the file's encoding.
    pub fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let mut text = String::new();
        for line in &self.lines {
            text.push_str(match line {
                Line::Entry { as_written, .. } => as_written,
                Line::Other(line) => line,
            });
            text.push_str(self.line_end);
        }
        encode(&text, self.encoding)
    }

    /// A key's value.
    pub fn get(&self, wanted: &str) -> Option<&str> {
        self.entries().filter(|(key, _)| key.eq_ignore_ascii_case(wanted)).last().map(|(_, value)| value)
    }

    /// All keys and values in their order.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.iter().filter_map(|line| match line {
            Line::Entry { key, value, .. } => Some((key.as_str(), value.as_str())),
            Line::Other(_) => None,
        })
    }

    /// Sets a key where it stands, or at the end.
    pub fn set(&mut self, key: &str, value: &str) {
        let written = Line::Entry {
            key: key.to_owned(),
            value: value.to_owned(),
            as_written: format!("{key} = \"{}\"", escape(value)),
        };
        let is_key = |line: &Line| matches!(line, Line::Entry { key: own, .. } if own.eq_ignore_ascii_case(key));
        match self.lines.iter().position(is_key) {
            Some(at) => {
                self.lines[at] = written;
                let mut number = 0;
                self.lines.retain(|line| {
                    number += 1;
                    number <= at + 1 || !is_key(line)
                });
            }
            None => self.lines.push(written),
        }
    }

    /// Takes out every key that `unwanted` says so of; gives the count.
    pub fn remove(&mut self, unwanted: impl Fn(&str) -> bool) -> usize {
        let before = self.lines.len();
        self.lines.retain(|line| !matches!(line, Line::Entry { key, .. } if unwanted(&key.to_ascii_lowercase())));
        before - self.lines.len()
    }

    /// What a rewriting for a clone took out, as it left it in the file.
    pub fn stripped(&self) -> Vec<String> {
        let list = self.get(super::STRIPPED_KEY).unwrap_or_default();
        list.split('\n').filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }
}

fn parse_line(line: &str) -> Line {
    let other = || Line::Other(line.to_owned());
    let trimmed = line.trim();
    if trimmed.starts_with('#') {
        return other();
    }
    let Some((key, value)) = trimmed.split_once('=') else { return other() };
    let value = value.trim();
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    let key = key.trim();
    if key.is_empty() {
        return other();
    }
    Line::Entry { key: key.to_owned(), value: unescape(value), as_written: line.to_owned() }
}

/// `|22` and the like stand for characters that a value cannot hold.
fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('|') {
        out.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code.filter(u8::is_ascii) {
            Some(code) => {
                out.push(char::from(code));
                rest = &rest[at + 3..];
            }
            None => {
                out.push('|');
                rest = &rest[at + 1..];
            }
        }
    }
    out + rest
}

fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '"' | '|' | '#' | '\0'..='\u{1f}' | '\u{7f}' => out.push_str(&format!("|{:02X}", u32::from(character))),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_changed_stays_byte_for_byte() {
        for file in [
            ".encoding = \"UTF-8\"\nconfig.version=\"8\"\n\n# note\nodd line\nGuestOS   =  \"größe\"\n",
            ".encoding = \"UTF-8\"\r\na = \"1\"\r\n",
        ] {
            assert_eq!(Vmx::parse(file.as_bytes()).unwrap().to_bytes().unwrap(), file.as_bytes());
        }
        let latin: &[u8] = b".encoding = \"windows-1252\"\ndisplayName = \"gr\xf6\x80\"\n";
        let mut vmx = Vmx::parse(latin).unwrap();
        assert_eq!(vmx.to_bytes().unwrap(), latin);
        vmx.set("displayName", "日本");
        assert!(vmx.to_bytes().is_err());
        assert!(Vmx::parse(b".encoding = \"GBK\"\na = \"\xff\xfe\"\n").is_err());
        for nothing in [&b""[..], b"<html>", b"\n\n"] {
            assert!(Vmx::parse(nothing).is_err());
        }
    }

    #[test]
    fn sets_gets_and_removes_without_regard_to_case() {
        let mut vmx = Vmx::parse(b"displayName = \"a\"\nx = \"1\"\nDISPLAYNAME = \"b\"\ny = \"2\"\n").unwrap();
        assert_eq!(vmx.get("displayname"), Some("b"));
        vmx.set("displayName", "c|\"d\"#\n");
        assert_eq!(vmx.get("DisplayName"), Some("c|\"d\"#\n"));
        assert_eq!(vmx.remove(|key| key == "x"), 1);
        let text = String::from_utf8(vmx.to_bytes().unwrap()).unwrap();
        assert_eq!(text, "displayName = \"c|7C|22d|22|23|0A\"\ny = \"2\"\n");
        assert_eq!(Vmx::parse(text.as_bytes()).unwrap().get("displayName"), Some("c|\"d\"#\n"));
    }
}
