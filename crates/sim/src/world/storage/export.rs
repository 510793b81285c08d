//! NFS exports: which hosts may mount a volume, and what a host finds behind `address:path`.

use super::{
    array::{Array, Storage},
    error::StorageError,
};
use crate::world::MemTree;
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;

/// The client that stands for every host.
pub const EVERYONE: &str = "*";

impl Storage {
    /// The files behind an export, for one client or (`None`) for whoever may.
    pub(in crate::world) fn exported(&self, host: &str, path: &str, client: Option<&str>) -> Option<Arc<MemTree>> {
        let array = self.arrays.values().find(|a| a.spec.nfs_addresses.iter().any(|address| address == host))?;
        let volume = array.volumes.values().find(|v| v.info.export_path == path)?;
        let clients = &volume.info.clients;
        let allowed = match client {
            None => !clients.is_empty(),
            Some(client) => clients.contains(client) || clients.contains(EVERYONE),
        };
        allowed.then(|| Arc::clone(&volume.tree))
    }
}

impl Array<'_> {
    /// Sets the hosts that may mount the volume, replacing those before; an empty set ends the export.
    pub fn set_export(&self, volume: Uuid, clients: BTreeSet<String>) -> Result<(), StorageError> {
        if let Some(bad) = clients.iter().find(|c| c.is_empty() || c.chars().any(char::is_whitespace)) {
            let why = "must be a host name, an address or '*'".to_owned();
            return Err(StorageError::Invalid { field: "clients", value: bad.clone(), why });
        }
        let changed = self.change(|storage, _| {
            let held = &mut storage.array(self.name)?.volume(volume)?.info.clients;
            let changed = *held != clients;
            *held = clients;
            Ok(changed)
        })?;
        if changed {
            self.count("exports_changed");
        }
        Ok(())
    }
}
