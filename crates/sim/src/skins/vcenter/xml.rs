//! XML of requests into a small tree, by namespace and never by prefix.

use quick_xml::{
    NsReader,
    events::{BytesStart, Event},
    name::ResolveResult,
};

/// An element.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// Local name.
    pub name: String,
    /// Namespace, empty where none.
    pub ns: String,
    /// The `type` attribute without namespace (a reference's type).
    pub ref_type: Option<String>,
    /// The local part of `xsi:type`, when its prefix is bound.
    pub xsi_type: Option<String>,
    /// True where `xsi:nil="true"`.
    pub nil: bool,
    /// Text.
    pub text: String,
    /// Child elements.
    pub children: Vec<Node>,
}

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Reads one document.
pub fn parse(bytes: &[u8]) -> Result<Node, String> {
    let text = std::str::from_utf8(bytes).map_err(|e| e.to_string())?;
    let mut reader = NsReader::from_str(text.trim_start_matches('\u{feff}'));
    let mut stack: Vec<Node> = vec![Node::default()];
    loop {
        let event = reader.read_event().map_err(|e| e.to_string())?;
        match event {
            Event::Start(e) => stack.push(open(&reader, &e)?),
            Event::Empty(e) => {
                let node = open(&reader, &e)?;
                stack.last_mut().ok_or("no parent")?.children.push(node);
            }
            Event::End(_) => {
                let node = stack.pop().ok_or("unbalanced")?;
                stack.last_mut().ok_or("unbalanced")?.children.push(node);
            }
            Event::Text(t) => {
                stack.last_mut().ok_or("no parent")?.text.push_str(&t);
            }
            Event::CData(t) => {
                stack.last_mut().ok_or("no parent")?.text.push_str(&t);
            }
            Event::GeneralRef(r) => {
                let text = match r.resolve_char_ref().map_err(|e| e.to_string())? {
                    Some(c) => c.to_string(),
                    None => quick_xml::escape::resolve_predefined_entity(&r).ok_or("unknown entity")?.to_owned(),
                };
                stack.last_mut().ok_or("no parent")?.text.push_str(&text);
            }
            Event::DocType(_) => return Err("a document type is not allowed".to_owned()),
            Event::Eof => break,
            _ => {}
        }
    }
    if stack.len() != 1 {
        return Err("the document ends early".to_owned());
    }
    stack.pop().and_then(|mut top| top.children.pop()).ok_or_else(|| "an empty document".to_owned())
}

fn open(reader: &NsReader<&[u8]>, e: &BytesStart<'_>) -> Result<Node, String> {
    let (ns, local) = reader.resolver().resolve_element(e.name());
    let mut node = Node { name: local.as_ref().to_owned(), ns: bound(&ns)?, ..Node::default() };
    for attribute in e.attributes() {
        let attribute = attribute.map_err(|e| e.to_string())?;
        let (ns, local) = reader.resolver().resolve_attribute(attribute.key);
        let value = quick_xml::escape::unescape(&attribute.value).map_err(|e| e.to_string())?.into_owned();
        match (ns, local.as_ref()) {
            (ResolveResult::Bound(n), "type") if n.as_ref() == XSI => {
                // A QName. Its prefix is not looked at: govmomi sends `xsd:string` without binding `xsd`, and the real
                // one takes it.
                node.xsi_type = Some(value.rsplit(':').next().unwrap_or_default().to_owned());
            }
            (ResolveResult::Bound(n), "nil") if n.as_ref() == XSI => node.nil = value == "true" || value == "1",
            (ResolveResult::Unbound, "type") => node.ref_type = Some(value),
            _ => {}
        }
    }
    Ok(node)
}

fn bound(ns: &ResolveResult<'_>) -> Result<String, String> {
    match ns {
        ResolveResult::Bound(n) => Ok(n.as_ref().to_owned()),
        ResolveResult::Unbound => Ok(String::new()),
        ResolveResult::Unknown(p) => Err(format!("prefix '{}' is not bound", p)),
    }
}

impl Node {
    /// The first child of this name.
    pub fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|c| c.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_and_types_by_namespace() {
        let n = parse(
            br#"<a xmlns="urn:vim25" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><b type="VirtualMachine" i:type="ManagedObjectReference">vm-1</b><c>x &amp; &#65;</c></a>"#,
        )
        .unwrap();
        assert_eq!(n.ns, "urn:vim25");
        assert_eq!(n.children[0].ref_type.as_deref(), Some("VirtualMachine"));
        assert_eq!(n.children[0].xsi_type.as_deref(), Some("ManagedObjectReference"));
        assert_eq!(n.children[1].text, "x & A");
        assert!(parse(b"<a><b></a>").is_err());
    }
}
