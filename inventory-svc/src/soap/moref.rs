//! References to managed objects.

use std::fmt;

/// A managed object: its type and vCenter's id. The id is opaque: nothing is assumed of its characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MoRef {
    /// `VirtualMachine`, `Datastore`, as the server wrote it.
    pub kind: String,
    /// `vm-42`.
    pub value: String,
}

impl MoRef {
    /// Of a type and an id.
    pub fn new(kind: impl Into<String>, value: impl Into<String>) -> Self {
        Self { kind: kind.into(), value: value.into() }
    }
}

impl fmt::Display for MoRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.value)
    }
}
