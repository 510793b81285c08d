//! What to read of which objects: the arguments of the property collector.

use crate::soap::{MoRef, XmlWriter};

/// Properties of one type of object. A type stands for its subtypes too.
#[derive(Debug, Clone, Copy)]
pub struct Properties {
    /// `VirtualMachine`.
    pub kind: &'static str,
    /// Paths: `runtime.powerState`.
    pub paths: &'static [&'static str],
}

/// Where to start, and how to go on.
#[derive(Debug, Clone)]
pub struct Start {
    /// First object.
    pub object: MoRef,
    /// True: only go on from it, do not read it.
    pub skip: bool,
    /// How to go on.
    pub steps: Vec<Step>,
}

impl Start {
    /// Reads this object only.
    pub fn only(object: &MoRef) -> Self {
        Self { object: object.clone(), skip: false, steps: Vec::new() }
    }
}

/// From an object of a type along one of its properties.
#[derive(Debug, Clone)]
pub struct Step {
    /// Type that has the property.
    pub kind: &'static str,
    /// The property that holds references.
    pub path: &'static str,
    /// How to go on from there.
    pub steps: Vec<Step>,
}

impl Step {
    /// Along one property, and no further.
    pub fn along(kind: &'static str, path: &'static str) -> Self {
        Self { kind, path, steps: Vec::new() }
    }

    /// And then on along others.
    #[must_use]
    pub fn then(mut self, steps: Vec<Step>) -> Self {
        self.steps = steps;
        self
    }

    fn write(&self, name: &str, number: &mut u32, out: &mut XmlWriter) {
        *number += 1;
        let own = format!("s{number}");
        out.typed(name, "TraversalSpec", |out| {
            out.text("name", &own).text("type", self.kind).text("path", self.path).flag("skip", false);
            for step in &self.steps {
                step.write("selectSet", number, out);
            }
        });
    }
}

/// Writes a `PropertyFilterSpec` under a name.
pub fn write_filter(name: &str, properties: &[Properties], starts: &[Start], out: &mut XmlWriter) {
    let mut number = 0;
    out.element(name, |out| {
        for set in properties {
            out.element("propSet", |out| {
                out.text("type", set.kind).flag("all", false);
                for path in set.paths {
                    out.text("pathSet", path);
                }
            });
        }
        for start in starts {
            out.element("objectSet", |out| {
                out.moref("obj", &start.object).flag("skip", start.skip);
                for step in &start.steps {
                    step.write("selectSet", &mut number, out);
                }
            });
        }
    });
}
