//! The ledger of what we own on arrays, kept in the journal's own log: what is written last about a thing is true.

use super::{DurableJournal, KIND_OWNED, KIND_STRUCK, ledger_key, lock, refused};
use crate::{
    error::{GatewayError, Result},
    ledger::{Ledger, OwnedEntry, OwnedKind},
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// By array, kind and key.
pub(super) type Entries = BTreeMap<(String, OwnedKind, String), OwnedEntry>;

/// A thing that is surely gone.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Struck {
    array: String,
    kind: OwnedKind,
    key: String,
}

/// Reads one record of the ledger into `entries`.
pub(super) fn fold(entries: &mut Entries, kind: u8, payload: &[u8]) -> serde_json::Result<()> {
    if kind == KIND_OWNED {
        let entry: OwnedEntry = serde_json::from_slice(payload)?;
        entries.insert(ledger_key(&entry), entry);
    } else {
        let Struck { array, kind, key } = serde_json::from_slice(payload)?;
        entries.remove(&(array, kind, key));
    }
    Ok(())
}

impl DurableJournal {
    /// Not stopped by a caller who stops waiting: memory and log must agree.
    async fn write_ledger(&self, kind: u8, payload: serde_json::Result<Vec<u8>>, flush: bool) -> Result<()> {
        let payload =
            payload.map_err(|error| GatewayError::unexpected(format!("a ledger entry does not serialise: {error}")))?;
        let journal = self.clone();
        let task = tokio::spawn(async move {
            let _gate = journal.inner.ledger_gate.lock().await;
            journal.put(kind, payload.clone(), flush).await.map_err(refused)?;
            fold(&mut lock(&journal.inner.owned), kind, &payload)
                .map_err(|error| GatewayError::unexpected(error.to_string()))
        });
        task.await.map_err(|error| GatewayError::unexpected(format!("writing the ledger was cut off: {error}")))?
    }
}

#[async_trait]
impl Ledger for DurableJournal {
    async fn write(&self, entry: &OwnedEntry) -> Result<()> {
        self.write_ledger(KIND_OWNED, serde_json::to_vec(entry), true).await
    }

    async fn note(&self, entry: &OwnedEntry) -> Result<()> {
        self.write_ledger(KIND_OWNED, serde_json::to_vec(entry), false).await
    }

    async fn strike(&self, array: &str, kind: OwnedKind, key: &str) -> Result<()> {
        if !lock(&self.inner.owned).contains_key(&(array.to_owned(), kind, key.to_owned())) {
            return Ok(());
        }
        let struck = Struck { array: array.to_owned(), kind, key: key.to_owned() };
        self.write_ledger(KIND_STRUCK, serde_json::to_vec(&struck), false).await
    }

    async fn entries(&self) -> Result<Vec<OwnedEntry>> {
        Ok(lock(&self.inner.owned).values().cloned().collect())
    }
}
