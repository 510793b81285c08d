//! Which privileges our account has (AuthorizationManager).

use super::{Client, Error};
use crate::soap::{Element, MoRef, Request};

/// One privilege on one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The object.
    pub entity: MoRef,
    /// `VirtualMachine.State.CreateSnapshot`.
    pub privilege: String,
    /// Whether we have it.
    pub granted: bool,
}

impl Client {
    /// Asks for all privileges on all objects at once (HasPrivilegeOnEntities, for our own session).
    ///
    /// # Errors
    /// The call failed.
    pub async fn privileges(&self, entities: &[MoRef], privileges: &[&str]) -> Result<Vec<Grant>, Error> {
        let content = self.content().await?;
        let manager = self.manager(content.authorization_manager.as_ref(), "authorization manager")?;
        let session = self.session_key().await?;
        let request = privilege_request(&manager, entities, &session, privileges);
        let values = self.call(&request, "privileges").await?;
        let mut grants = Vec::new();
        for value in &values {
            let Some(entity) = value.moref_at("entity") else { continue };
            for one in value.all("privAvailability") {
                grants.push(Grant {
                    entity: entity.clone(),
                    privilege: one.text_at("privId").unwrap_or_default().to_owned(),
                    granted: one.true_at("isGranted"),
                });
            }
        }
        Ok(grants)
    }

    async fn session_key(&self) -> Result<String, Error> {
        let content = self.content().await?;
        let manager = self.manager(content.session_manager.as_ref(), "session manager")?;
        let current = super::property_spec::Properties { kind: "SessionManager", paths: &["currentSession"] };
        let found = self.retrieve_one(current, &manager, "session").await?;
        let key = found.get("currentSession").and_then(|session: &Element| session.text_at("key")).map(str::to_owned);
        key.ok_or_else(|| self.incomplete("RetrievePropertiesEx", "currentSession.key"))
    }
}

/// HasPrivilegeOnEntities.
pub fn privilege_request(manager: &MoRef, entities: &[MoRef], session: &str, privileges: &[&str]) -> Request {
    Request::with("HasPrivilegeOnEntities", manager, |body| {
        for entity in entities {
            body.moref("entity", entity);
        }
        body.text("sessionId", session);
        for privilege in privileges {
            body.text("privId", privilege);
        }
    })
}
