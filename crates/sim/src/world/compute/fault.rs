//! What a vCenter answers instead of a result: a typed fault with a message.

use super::value::{MoRef, Obj, Val};

/// A fault of vim25.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// The fault object: its type decides what a client does.
    pub detail: Obj,
    /// Text for people.
    pub message: String,
}

impl Fault {
    /// A fault of a type, with a message.
    pub fn new(ty: &str, message: impl Into<String>) -> Self {
        Fault { detail: Obj { ty: ty.to_owned(), fields: Vec::new() }, message: message.into() }
    }

    /// Sets a field of the fault object.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Val>) -> Self {
        self.detail.fields.push((name.to_owned(), value.into()));
        self
    }

    /// The type name.
    pub fn ty(&self) -> &str {
        &self.detail.ty
    }

    /// The wrapper in which a fault lies inside other objects.
    pub fn localized(&self) -> Val {
        crate::vim_obj!("LocalizedMethodFault",
            "fault" => Val::Obj(self.detail.clone()), "localizedMessage" => self.message.as_str())
    }

    /// An argument is wrong.
    pub fn invalid_argument(property: &str) -> Self {
        Fault::new("InvalidArgument", format!("A specified parameter was not correct: {property}"))
            .with("invalidProperty", property)
    }

    /// The request cannot be understood.
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Fault::new("InvalidRequest", message)
    }

    /// The object is gone.
    pub fn gone(object: &MoRef) -> Self {
        Fault::new(
            "ManagedObjectNotFound",
            format!(
                "The object '{}:{}' has already been deleted or has not been completely created",
                object.ty, object.id
            ),
        )
        .with("obj", object)
    }

    /// A file is not there.
    pub fn file_not_found(file: &str) -> Self {
        Fault::new("FileNotFound", format!("File {file} was not found")).with("file", file)
    }

    /// A file is in use by a running VM.
    pub fn file_locked(file: &str) -> Self {
        Fault::new("FileLocked", format!("Unable to access file {file} since it is locked")).with("file", file)
    }

    /// A file exists already.
    pub fn file_exists(file: &str) -> Self {
        Fault::new("FileAlreadyExists", format!("The file {file} already exists")).with("file", file)
    }

    /// The power state does not allow this.
    pub fn power_state(wanted: Option<&str>, is: &str) -> Self {
        Fault::new(
            "InvalidPowerState",
            format!("The attempted operation cannot be performed in the current state ({is})"),
        )
        .with("requestedState", wanted)
        .with("existingState", is)
    }
}
