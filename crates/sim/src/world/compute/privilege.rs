//! Privileges that a test took away.

use super::{state::State, value::MoRef};

impl State {
    /// Takes a privilege away from everyone, on one object or on all.
    pub fn revoke(&mut self, privilege: &str, on: Option<MoRef>) {
        self.revoked.insert((privilege.to_owned(), on));
        self.touch();
    }

    /// Gives it back.
    pub fn grant(&mut self, privilege: &str, on: Option<MoRef>) {
        self.revoked.remove(&(privilege.to_owned(), on));
        self.touch();
    }

    /// True where the privilege was taken away on the object or on something above it.
    pub fn lacks(&self, privilege: &str, on: &MoRef) -> bool {
        if self.revoked.is_empty() {
            return false;
        }
        let hit = |on: Option<&MoRef>| self.revoked.contains(&(privilege.to_owned(), on.cloned()));
        let mut at = Some(on.clone());
        while let Some(here) = at {
            if hit(Some(&here)) {
                return true;
            }
            at = self.parent_of(&here);
        }
        hit(None)
    }
}
