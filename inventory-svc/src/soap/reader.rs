//! Reads answers event by event and hands out one value at a time, so that an answer of 100 MB needs the memory of one VM.

use super::{Element, Fault, VIM25, XSD, XSI};
use quick_xml::{
    NsReader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
    name::{Namespace, QName, ResolveResult},
};

/// No element of the SDK nests deeper; a chain of 200 delta disks nests 200 deep in `backing.parent`.
const DEPTH_MAX: usize = 600;

/// Why bytes are no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not XML.
    #[error("not well-formed XML: {0}")]
    Xml(String),
    /// XML, and no SOAP envelope with an answer in it.
    #[error("no SOAP answer: {0}")]
    NotSoap(&'static str),
    /// The call failed: the server's own fault.
    #[error("{}", .0.describe())]
    Fault(Box<Fault>),
}

/// Which elements are handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// Each `returnval` as a whole.
    Values,
    /// Each child of each `returnval`.
    Parts,
    /// Of an UpdateSet: each child of each `filterSet`, and the other children of the `returnval`.
    Updates,
}

/// Calls `each` for every picked element of an answer.
///
/// # Errors
/// The bytes are no whole SOAP answer, or they carry a fault.
pub fn read_answer(body: &[u8], pick: Pick, mut each: impl FnMut(Element)) -> Result<(), ReadError> {
    let text = std::str::from_utf8(body).map_err(|_| ReadError::Xml("not UTF-8".to_owned()))?;
    let mut reader = NsReader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut place = Place { pick, depth: 0, in_body: false, answered: false, open: Vec::new() };
    loop {
        let event = reader.read_event().map_err(|error| ReadError::Xml(error.to_string()))?;
        match event {
            Event::Start(start) => place.enter(&reader, &start)?,
            Event::End(_) => {
                if let Some(done) = place.leave() {
                    if place.depth == 2 {
                        return Err(ReadError::Fault(Box::new(Fault::from_soap(&done))));
                    }
                    each(done);
                }
            }
            Event::Text(text) => place.add_text(&text.xml10_content()),
            Event::CData(text) => place.add_text(&text.xml10_content()),
            Event::GeneralRef(entity) => {
                let wrong = || ReadError::Xml(format!("unknown entity &{};", &*entity));
                match entity.resolve_char_ref().map_err(|_| wrong())? {
                    Some(character) => place.add_text(character.encode_utf8(&mut [0; 4])),
                    None => place.add_text(resolve_predefined_entity(&entity).ok_or_else(wrong)?),
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    match (place.depth, place.answered) {
        (0, true) => Ok(()),
        (0, false) => Err(ReadError::NotSoap("the body holds no response")),
        _ => Err(ReadError::Xml("the answer ends too early".to_owned())),
    }
}

/// All `returnval`s of an answer.
///
/// # Errors
/// As [`read_answer`].
pub fn read_values(body: &[u8]) -> Result<Vec<Element>, ReadError> {
    let mut values = Vec::new();
    read_answer(body, Pick::Values, |value| values.push(value))?;
    Ok(values)
}

struct Place {
    pick: Pick,
    depth: usize,
    in_body: bool,
    answered: bool,
    open: Vec<Element>,
}

impl Place {
    fn enter(&mut self, reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<(), ReadError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(ReadError::Xml("nested too deeply".to_owned()));
        }
        let name = start.local_name();
        let name = name.as_ref();
        let wanted = match self.depth {
            _ if !self.open.is_empty() => true,
            1 if name != "Envelope" => return Err(ReadError::NotSoap("the root is no envelope")),
            2 => {
                self.in_body = name == "Body";
                false
            }
            3 if self.in_body => {
                self.answered = true;
                name == "Fault"
            }
            4 => self.in_body && self.pick == Pick::Values,
            5 => self.in_body && (self.pick == Pick::Parts || self.pick == Pick::Updates && name != "filterSet"),
            6 => self.in_body && self.pick == Pick::Updates,
            _ => false,
        };
        if wanted {
            self.open.push(element(reader, start, name)?);
        }
        Ok(())
    }

    fn leave(&mut self) -> Option<Element> {
        self.depth -= 1;
        let done = self.open.pop()?;
        match self.open.last_mut() {
            Some(parent) => {
                parent.children.push(done);
                None
            }
            None => Some(done),
        }
    }

    fn add_text(&mut self, text: &str) {
        if let Some(element) = self.open.last_mut() {
            element.text.push_str(text);
        }
    }
}

fn element(reader: &NsReader<&[u8]>, start: &BytesStart<'_>, name: &str) -> Result<Element, ReadError> {
    let mut element = Element { name: name.to_owned(), ..Element::default() };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| ReadError::Xml(error.to_string()))?;
        let (namespace, local) = reader.resolver().resolve_attribute(attribute.key);
        if local.as_ref() != "type" {
            continue;
        }
        let value =
            attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| ReadError::Xml(error.to_string()))?;
        match namespace {
            ResolveResult::Bound(Namespace(XSI)) => element.xsi_type = type_name(reader, &value),
            ResolveResult::Unbound => element.mo_type = value.into_owned(),
            _ => {}
        }
    }
    Ok(element)
}

/// A qualified name in an attribute's value, without its prefix.
fn type_name(reader: &NsReader<&[u8]>, value: &str) -> String {
    let (namespace, local) = reader.resolver().resolve_element(QName(value));
    match namespace {
        ResolveResult::Bound(Namespace(XSD)) => format!("xsd:{}", local.as_ref()),
        ResolveResult::Bound(Namespace(uri)) if uri != VIM25 => {
            tracing::trace!(uri, value, "a type of another namespace");
            local.as_ref().to_owned()
        }
        _ => local.as_ref().to_owned(),
    }
}
