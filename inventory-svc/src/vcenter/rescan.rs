//! Rescans are slow, and a flood of them is an outage of its own: on one host, callers that want the same rescan share one.
//! A caller never takes part in a rescan that began before it asked, since that one may have passed its device already.

use super::{Client, Error, host_storage_system::StorageCall};
use crate::soap::MoRef;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// One kind of rescan of one host.
#[derive(Debug, Default)]
struct Turns {
    /// Number of the last one that began.
    begun: AtomicU64,
    /// Number of the last one that succeeded; held while one runs.
    done: tokio::sync::Mutex<u64>,
}

/// All rescans of one vCenter.
#[derive(Debug, Default)]
pub struct Rescans {
    turns: Mutex<HashMap<(MoRef, String), Arc<Turns>>>,
}

impl Rescans {
    fn turns(&self, system: &MoRef, what: String) -> Arc<Turns> {
        let mut all = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry((system.clone(), what)).or_default().clone()
    }
}

impl Client {
    /// Rescans, or waits for one that began after this call.
    ///
    /// # Errors
    /// The rescan failed, or took longer than a call may (Timeout): then it goes on in the host.
    pub async fn rescan(&self, system: &MoRef, call: StorageCall<'_>, object: &str) -> Result<(), Error> {
        let turns = self.rescans().turns(system, format!("{call:?}"));
        let wanted = turns.begun.load(Ordering::Acquire) + 1;
        let mut done = turns.done.lock().await;
        if *done >= wanted {
            return Ok(());
        }
        let own = turns.begun.fetch_add(1, Ordering::AcqRel) + 1;
        self.storage_call(system, call, object).await?;
        *done = own;
        Ok(())
    }
}
