//! The ledger of everything that we make on an array: written and flushed before the thing exists, struck out after it is
//! surely gone. What an array holds with our mark and the ledger does not know is an orphan.

use crate::error::Result;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::{fmt::Debug, sync::Arc};

/// How far a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Planned: it may or may not exist.
    Intended,
    /// It exists.
    Present,
    /// Being removed.
    Removing,
    /// Removed, or never seen; an effect that was under way may still bring it, so it is looked for again.
    AbsentUnconfirmed,
}

/// The kinds of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnedKind {
    /// A snapshot.
    Snapshot,
    /// Cloned volumes.
    VolumeClone,
    /// Directories of cloned files.
    FileClone,
    /// LUNs cloned into the volumes of their sources.
    LunClone,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnedEntry {
    /// `arrays/{array}`.
    pub array: String,
    /// What it is.
    pub kind: OwnedKind,
    /// Its idempotency key.
    pub key: String,
    /// The label that its name was rendered from.
    pub label: String,
    /// The volumes it belongs to.
    pub volumes: Vec<String>,
    /// The operation that made it.
    pub operation: String,
    /// The catalog's generation when it was planned.
    pub generation: u64,
    /// How far it is.
    pub stage: Stage,
}

/// Where the ledger is kept: with the journal, under the same promise.
#[async_trait]
pub trait Ledger: Debug + Send + Sync {
    /// Writes an entry (by array, kind and key) and returns after it is durable: before what it names may come to exist.
    async fn write(&self, entry: &OwnedEntry) -> Result<()>;
    /// Writes an entry that is durable with the next flush, and never later than a record that is written after it. For
    /// what a step learns of a thing that is in the ledger already: where power is lost before, the step's outcome is lost
    /// too, so that it runs again and learns the same.
    async fn note(&self, entry: &OwnedEntry) -> Result<()>;
    /// Strikes an entry out; fine where it is absent. Durable like a note: an entry that comes back after a power loss belongs
    /// to a step that runs again.
    async fn strike(&self, array: &str, kind: OwnedKind, key: &str) -> Result<()>;
    /// All entries.
    async fn entries(&self) -> Result<Vec<OwnedEntry>>;
}

/// How a ledger is handed around.
pub type SharedLedger = Arc<dyn Ledger>;
