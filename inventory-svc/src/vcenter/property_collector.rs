//! Reads properties of many objects in one call. vCenter cuts every answer, asked to or not: the token is always followed.

use super::{
    Client, Error,
    property_spec::{Properties, Start, write_filter},
};
use crate::soap::{
    Element, Fault, MoRef, Request,
    connection::read_failed,
    reader::{Pick, read_answer},
};

use std::collections::HashMap;

/// Objects per answer: small enough for an answer of a few MB.
const PAGE_OBJECTS_MAX: i64 = 250;

/// One object's properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectProperties {
    /// The object.
    pub object: MoRef,
    properties: Vec<(String, Element)>,
    /// Properties that could not be read, and why. A property that is merely not set is in neither list.
    pub missing: Vec<(String, Fault)>,
}

impl ObjectProperties {
    /// From an `ObjectContent`.
    pub fn from_element(mut content: Element) -> Option<Self> {
        let object = content.moref_at("obj")?;
        let mut properties = Vec::new();
        let mut missing = Vec::new();
        for child in &mut content.children {
            match child.name.as_str() {
                "propSet" => {
                    let name = child.text_at("name").unwrap_or_default().to_owned();
                    if let Some(value) = child.children.iter_mut().find(|child| child.name == "val") {
                        properties.push((name, std::mem::take(value)));
                    }
                }
                "missingSet" => {
                    let fault = child.child("fault").map(Fault::from_localized);
                    let path = child.text_at("path").unwrap_or_default().to_owned();
                    missing.extend(fault.map(|fault| (path, fault)));
                }
                _ => {}
            }
        }
        Some(Self { object, properties, missing })
    }

    /// An object of which nothing is known yet.
    pub fn blank(object: MoRef) -> Self {
        Self { object, properties: Vec::new(), missing: Vec::new() }
    }

    /// Sets a property, or takes it away.
    pub fn assign(&mut self, path: &str, value: Option<Element>) {
        let at = self.properties.iter().position(|(name, _)| name == path);
        match (at, value) {
            (Some(at), Some(value)) => self.properties[at].1 = value,
            (Some(at), None) => drop(self.properties.remove(at)),
            (None, Some(value)) => self.properties.push((path.to_owned(), value)),
            (None, None) => {}
        }
    }

    /// A property by the path that it was asked for by.
    pub fn get(&self, path: &str) -> Option<&Element> {
        self.properties.iter().find(|(name, _)| name == path).map(|(_, value)| value)
    }

    /// Text of a property; empty where it is not set.
    pub fn text(&self, path: &str) -> &str {
        self.get(path).map(Element::value).unwrap_or_default()
    }

    /// Whether a property says true.
    pub fn is_true(&self, path: &str) -> bool {
        self.get(path).is_some_and(Element::is_true)
    }

    /// A reference.
    pub fn moref(&self, path: &str) -> Option<MoRef> {
        self.get(path)?.moref()
    }

    /// Elements of an array.
    pub fn items(&self, path: &str) -> &[Element] {
        self.get(path).map(|array| array.children.as_slice()).unwrap_or_default()
    }

    /// Whether vCenter answered for this object as it does without a session.
    fn lacks_session(&self) -> bool {
        self.missing.iter().any(|(_, fault)| fault.is("NotAuthenticated"))
    }
}

impl Client {
    /// Reads properties of all objects that the starts lead to.
    ///
    /// # Errors
    /// The call failed. An object that vanished meanwhile fails a start at it, but is left out when a step leads to it.
    pub async fn retrieve(
        &self,
        properties: &[Properties],
        starts: &[Start],
        object: &str,
    ) -> Result<Vec<ObjectProperties>, Error> {
        self.retrieve_by(&[(properties, starts)], object).await
    }

    /// As [`Client::retrieve`], with more than one set of properties and starts in the same call. An object that more than
    /// one set reaches is given once, as the set that tells most of it tells it.
    ///
    /// # Errors
    /// As [`Client::retrieve`].
    pub async fn retrieve_by(
        &self,
        sets: &[(&[Properties], &[Start])],
        object: &str,
    ) -> Result<Vec<ObjectProperties>, Error> {
        if sets.iter().all(|(_, starts)| starts.is_empty()) {
            return Ok(Vec::new());
        }
        let generation = self.generation();
        let found = self.retrieve_once(sets, object).await?;
        // Without a session property reads do not fail: each object comes back with a list of faults.
        if !found.is_empty() && found.iter().all(ObjectProperties::lacks_session) {
            self.log_in_again(generation).await?;
            return Ok(fullest(self.retrieve_once(sets, object).await?));
        }
        Ok(fullest(found))
    }

    /// Reads properties of one object.
    ///
    /// # Errors
    /// The call failed; `ManagedObjectNotFound` where the object is gone.
    pub async fn retrieve_one(
        &self,
        properties: Properties,
        of: &MoRef,
        object: &str,
    ) -> Result<ObjectProperties, Error> {
        let found = self.retrieve(&[properties], &[Start::only(of)], object).await?;
        found.into_iter().next().ok_or_else(|| self.incomplete("RetrievePropertiesEx", object))
    }

    async fn retrieve_once(
        &self,
        sets: &[(&[Properties], &[Start])],
        object: &str,
    ) -> Result<Vec<ObjectProperties>, Error> {
        let content = self.content().await?;
        let collector = self.manager(content.property_collector.as_ref(), "property collector")?;
        let mut request = Request::with("RetrievePropertiesEx", &collector, |body| {
            for (properties, starts) in sets {
                write_filter("specSet", properties, starts, body);
            }
            body.element("options", |body| {
                body.number("maxObjects", PAGE_OBJECTS_MAX);
            });
        });
        let mut found = Vec::new();
        loop {
            let body = self.post(&request, object).await?;
            let mut token = None;
            read_answer(&body, Pick::Parts, |part| match part.name.as_str() {
                "token" => token = Some(part.text),
                "objects" => found.extend(ObjectProperties::from_element(part)),
                _ => {}
            })
            .map_err(|error| self.call_error(object, read_failed(request.method, error)))?;
            match token.filter(|token| !token.is_empty()) {
                None => return Ok(found),
                Some(token) => {
                    request = Request::with("ContinueRetrievePropertiesEx", &collector, |body| {
                        body.text("token", &token);
                    });
                }
            }
        }
    }
}

/// Each object once, in the order of first sight, with the most properties that were told of it.
fn fullest(found: Vec<ObjectProperties>) -> Vec<ObjectProperties> {
    let mut places: HashMap<MoRef, usize> = HashMap::new();
    let mut kept: Vec<ObjectProperties> = Vec::with_capacity(found.len());
    for one in found {
        let told = |object: &ObjectProperties| object.properties.len() + object.missing.len();
        match places.get(&one.object) {
            Some(&at) if told(&kept[at]) >= told(&one) => {}
            Some(&at) => kept[at] = one,
            None => {
                places.insert(one.object.clone(), kept.len());
                kept.push(one);
            }
        }
    }
    kept
}
