//! The configured vCenters, and how a request finds its own.

use crate::{
    cache::{Cache, Caches},
    vcenter::{Client, Error, Refusal},
};
use std::{collections::BTreeMap, sync::Arc};
use strata_model::{ErrorKind, names};

/// All vCenters by their configured names.
#[derive(Debug, Clone, Default)]
pub struct Vcenters {
    clients: BTreeMap<String, Arc<Client>>,
    caches: Caches,
}

impl Vcenters {
    /// Of clients, each under its own name. Nothing is held in memory: each list is read from vCenter.
    pub fn new(clients: impl IntoIterator<Item = Arc<Client>>) -> Self {
        Self::with_caches(clients, Caches::default())
    }

    /// The same with what is held of them in memory.
    pub fn with_caches(clients: impl IntoIterator<Item = Arc<Client>>, caches: Caches) -> Self {
        Self { clients: clients.into_iter().map(|client| (client.name().to_owned(), client)).collect(), caches }
    }

    /// What is held in memory.
    pub fn caches(&self) -> &Caches {
        &self.caches
    }

    /// What is held of a vCenter, where that is the whole inventory with what our own acts changed.
    pub fn loaded(&self, client: &Client) -> Option<&Arc<Cache>> {
        self.caches.get(client.name()).filter(|cache| cache.can_answer())
    }

    /// All, by name.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.clients.values()
    }

    /// Of `vcenters/{vcenter}`.
    ///
    /// # Errors
    /// The name has another form, or no such vCenter is configured.
    pub fn by_name(&self, field: &'static str, name: &str) -> Result<Arc<Client>, Error> {
        let ids = names::split(name, &["vcenters"]).map_err(|text| Refusal::invalid(field, text))?;
        self.by_id(&ids[0])
    }

    /// Of `vcenters/{vcenter}/{collection}/{id}`, with the id.
    ///
    /// # Errors
    /// As [`Vcenters::by_name`].
    pub fn with_child(
        &self,
        field: &'static str,
        name: &str,
        collection: &str,
    ) -> Result<(Arc<Client>, String), Error> {
        let ids = names::split(name, &["vcenters", collection]).map_err(|text| Refusal::invalid(field, text))?;
        Ok((self.by_id(&ids[0])?, ids[1].clone()))
    }

    fn by_id(&self, id: &str) -> Result<Arc<Client>, Error> {
        self.clients.get(id).cloned().ok_or_else(|| {
            let known: Vec<&str> = self.clients.keys().map(String::as_str).collect();
            let text = format!("no vCenter '{id}' is configured; there are: {}", known.join(", "));
            Refusal::new(ErrorKind::NotFound, "VCENTER_NOT_FOUND", text).and("vcenter", id).into()
        })
    }
}
