//! One value of an answer as a small tree. An answer is never held as one tree: the reader hands these out one by one.

use super::MoRef;

/// An XML element without its namespaces' prefixes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Local name.
    pub name: String,
    /// Local name of the `xsi:type`; empty where there is none. Types of XML Schema are written `xsd:string`.
    pub xsi_type: String,
    /// The attribute `type` without a namespace: the type of a managed object.
    pub mo_type: String,
    /// All text directly inside, entities resolved.
    pub text: String,
    /// Elements inside, in their order.
    pub children: Vec<Element>,
}

impl Element {
    /// The first child of this name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Follows `a.b.c` by first children.
    pub fn at(&self, path: &str) -> Option<&Element> {
        path.split('.').try_fold(self, |element, name| element.child(name))
    }

    /// Text at a path; `None` where the path does not exist or is empty (servers write empty elements for "not set").
    pub fn text_at(&self, path: &str) -> Option<&str> {
        self.at(path).map(Element::value).filter(|text| !text.is_empty())
    }

    /// This element's text as it stands; white space around it belongs to indentation only where there are children.
    pub fn value(&self) -> &str {
        if self.children.is_empty() { &self.text } else { self.text.trim() }
    }

    /// `true` or `1`.
    pub fn is_true(&self) -> bool {
        matches!(self.text.trim(), "true" | "1")
    }

    /// Whether the element at a path says true.
    pub fn true_at(&self, path: &str) -> bool {
        self.at(path).is_some_and(Element::is_true)
    }

    /// A number at a path; `None` where there is none.
    pub fn number_at<N: std::str::FromStr>(&self, path: &str) -> Option<N> {
        self.at(path)?.text.trim().parse().ok()
    }

    /// This element as a reference; `None` where its text is empty.
    pub fn moref(&self) -> Option<MoRef> {
        if self.text.is_empty() {
            return None;
        }
        let kind = if self.mo_type.is_empty() { &self.xsi_type } else { &self.mo_type };
        Some(MoRef::new(kind.clone(), self.text.clone()))
    }

    /// The reference at a path.
    pub fn moref_at(&self, path: &str) -> Option<MoRef> {
        self.at(path)?.moref()
    }

    /// All children as references: an `ArrayOfManagedObjectReference`.
    pub fn morefs(&self) -> Vec<MoRef> {
        self.children.iter().filter_map(Element::moref).collect()
    }
}
