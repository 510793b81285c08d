//! What a method's code is given.

use crate::world::compute::{
    fault::Fault,
    session::Session,
    state::State,
    value::{MoRef, Val},
};

/// One call.
pub(crate) struct Ctx<'a> {
    /// The vCenter's state, locked.
    pub s: &'a mut State,
    /// The object that is called.
    pub this: &'a MoRef,
    /// Arguments by name.
    pub args: &'a Val,
    /// The caller's session and the secret of its cookie; none before login.
    pub session: Option<(String, Session)>,
    /// A secret to set as the cookie, from a login.
    pub cookie: Option<String>,
}

/// What a method returns.
pub(crate) type Answer = Result<Val, Fault>;

impl Ctx<'_> {
    /// The caller's name.
    pub fn user(&self) -> String {
        self.session.as_ref().map(|s| s.1.user.clone()).unwrap_or_default()
    }

    /// A text argument; empty where it was not given.
    pub fn text(&self, name: &str) -> &str {
        self.args.str(name).unwrap_or_default()
    }

    /// Id of the object called.
    pub fn id(&self) -> String {
        self.this.id.clone()
    }

    /// The datacenter argument, when given.
    pub fn datacenter(&self, name: &str) -> Result<Option<String>, Fault> {
        match self.args.moref(name) {
            Some(dc) if self.s.has(dc) && dc.ty == "Datacenter" => Ok(Some(dc.id.clone())),
            Some(dc) => Err(Fault::gone(dc)),
            None => Ok(None),
        }
    }

    /// Refuses where a privilege was taken away.
    pub fn need(&self, privilege: &str, on: &MoRef) -> Result<(), Fault> {
        let gone = self.s.lacks(privilege, on);
        if gone {
            return Err(Fault::new("NoPermission", "Permission to perform this operation was denied.")
                .with("object", on)
                .with("privilegeId", privilege));
        }
        Ok(())
    }
}
