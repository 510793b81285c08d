//! Writes the arguments of a call. The caller gives them in the order of the WSDL; nothing is sorted here.

use super::{Element, MoRef};

/// XML under construction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct XmlWriter {
    out: String,
}

impl XmlWriter {
    /// An element with others inside.
    pub fn element(&mut self, name: &str, inside: impl FnOnce(&mut Self)) -> &mut Self {
        self.start(name, None);
        inside(self);
        self.end(name)
    }

    /// An element whose declared type is a base class: the `xsi:type` says which subclass it is.
    pub fn typed(&mut self, name: &str, xsi_type: &str, inside: impl FnOnce(&mut Self)) -> &mut Self {
        self.start(name, Some(xsi_type));
        inside(self);
        self.end(name)
    }

    /// An element with text.
    pub fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.start(name, None).escaped(value).end(name)
    }

    /// An element with text of a type that the declaration leaves open (`OptionValue.value`).
    pub fn typed_text(&mut self, name: &str, xsi_type: &str, value: &str) -> &mut Self {
        self.start(name, Some(xsi_type)).escaped(value).end(name)
    }

    /// An element with text, where there is one: unset fields are left out, never written as nil.
    pub fn text_where(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// `true` or `false`.
    pub fn flag(&mut self, name: &str, value: bool) -> &mut Self {
        self.text(name, if value { "true" } else { "false" })
    }

    /// A whole number.
    pub fn number(&mut self, name: &str, value: i64) -> &mut Self {
        self.text(name, &value.to_string())
    }

    /// A reference to a managed object.
    pub fn moref(&mut self, name: &str, value: &MoRef) -> &mut Self {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push_str(" type=\"");
        self.escaped(&value.kind);
        self.out.push_str("\">");
        self.escaped(&value.value).end(name)
    }

    /// A reference, where there is one.
    pub fn moref_where(&mut self, name: &str, value: Option<&MoRef>) -> &mut Self {
        match value {
            Some(value) => self.moref(name, value),
            None => self,
        }
    }

    /// Writes a value back as it was read, in its order, without elements of some names. Safe because the server wrote it
    /// in the version of the API that we announced.
    pub fn echo(&mut self, element: &Element, without: &[&str]) -> &mut Self {
        if !element.mo_type.is_empty() {
            return self.moref(&element.name, &MoRef::new(element.mo_type.clone(), element.text.clone()));
        }
        let xsi_type = (!element.xsi_type.is_empty()).then_some(element.xsi_type.as_str());
        self.start(&element.name, xsi_type);
        if element.children.is_empty() {
            self.escaped(&element.text);
        }
        for child in element.children.iter().filter(|child| !without.contains(&child.name.as_str())) {
            self.echo(child, without);
        }
        self.end(&element.name)
    }

    /// What was written.
    pub fn as_str(&self) -> &str {
        &self.out
    }

    fn start(&mut self, name: &str, xsi_type: Option<&str>) -> &mut Self {
        self.out.push('<');
        self.out.push_str(name);
        if let Some(xsi_type) = xsi_type {
            self.out.push_str(" xsi:type=\"");
            self.out.push_str(xsi_type);
            self.out.push('"');
        }
        self.out.push('>');
        self
    }

    fn end(&mut self, name: &str) -> &mut Self {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
        self
    }

    /// Escapes, and replaces what XML 1.0 cannot carry at all. Line ends are written as references, since a parser
    /// turns CR into LF.
    fn escaped(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            match character {
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '&' => self.out.push_str("&amp;"),
                '"' => self.out.push_str("&quot;"),
                '\r' => self.out.push_str("&#13;"),
                '\n' | '\t' => self.out.push(character),
                '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => self.out.push('\u{fffd}'),
                other => self.out.push(other),
            }
        }
        self
    }
}
