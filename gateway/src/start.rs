//! From stores and ports to a running gateway: recovery first, then callers.

use crate::{
    api::Api,
    catalog::{self, SharedCatalog},
    deps::Deps,
    late_effects,
    ledger::SharedLedger,
    operations,
    plan::NameAllocator,
    ports::Ports,
};
use async_trait::async_trait;
use jiff::{Timestamp, tz::TimeZone};
use std::{sync::Arc, time::Duration};
use strata_kit::clock::SharedClock;
use strata_saga::{Clock, Engine, Faults, Journal, engine::Filter};

/// What a gateway is made of.
pub struct Parts {
    /// The two services.
    pub ports: Ports,
    /// The truth.
    pub journal: Arc<dyn Journal>,
    /// What we own on arrays.
    pub ledger: SharedLedger,
    /// The view.
    pub catalog: SharedCatalog,
    /// Time.
    pub clock: SharedClock,
    /// Zone in which restore points are named.
    pub zone: TimeZone,
    /// VMs that are never reverted and never frozen, by display name or instanceUuid.
    pub protected_vms: Vec<String>,
    /// This installation: 32 hex digits.
    pub installation: String,
    /// The catalog's generation; grows with every start.
    pub generation: u64,
    /// Lets a test hurt operations.
    pub faults: Option<Arc<dyn Faults>>,
}

/// Why it does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal cannot be read.
    #[error("the journal cannot be read: {0}")]
    Journal(#[from] strata_saga::SagaError),
    /// The catalog cannot be brought in line.
    #[error("{0}")]
    Catalog(#[from] catalog::CatalogError),
}

/// A running gateway. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    /// What answers.
    pub api: Api,
    engine: Engine,
    deps: Deps,
}

/// The engine's clock over ours.
#[derive(Debug)]
struct EngineClock(SharedClock);

#[async_trait]
impl Clock for EngineClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
    async fn sleep(&self, period: Duration) {
        self.0.sleep(period).await;
    }
}

impl Gateway {
    /// Brings the catalog in line with the journal, resumes what was unfinished, and is then ready for callers.
    ///
    /// # Errors
    /// Journal or catalog cannot be read.
    pub async fn start(parts: Parts) -> Result<Self, StartError> {
        let deps = Deps {
            ports: parts.ports,
            catalog: parts.catalog,
            ledger: parts.ledger,
            clock: parts.clock.clone(),
            protected_vms: parts.protected_vms.into(),
            installation: parts.installation,
            generation: parts.generation,
        };
        let mut builder = Engine::builder(parts.journal.clone(), Arc::new(EngineClock(parts.clock)));
        if let Some(faults) = parts.faults {
            builder = builder.faults(faults);
        }
        let engine = operations::register(builder, &deps).build();
        restore_catalog(&*parts.journal, &deps).await?;
        let recovery = engine.recover().await?;
        if !recovery.resumed.is_empty() || !recovery.parked.is_empty() || !recovery.unreadable.is_empty() {
            tracing::info!(
                resumed = recovery.resumed.len(),
                parked = ?recovery.parked,
                unreadable = ?recovery.unreadable,
                "operations were unfinished"
            );
        }
        late_effects::sweep(&deps, &engine).await;
        let names = Arc::new(NameAllocator::new(parts.zone));
        names.reserve(names_under_way(&engine));
        let api = Api::new(deps.clone(), engine.clone(), names);
        Ok(Self { api, engine, deps })
    }

    /// The engine, for tests and for the drain.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What operations act through.
    pub fn deps(&self) -> &Deps {
        &self.deps
    }

    /// Takes no new operations and returns when each running one has reached a boundary; what is unfinished goes on after
    /// the next start.
    pub async fn drain(&self) {
        self.engine.drain().await;
        if let Err(error) = self.deps.catalog.flush() {
            tracing::warn!(%error, "the catalog was not flushed; it is rebuilt at the next start");
        }
    }
}

/// The catalog is a view of the journal: whatever differs is mended, and said.
async fn restore_catalog(journal: &dyn Journal, deps: &Deps) -> Result<(), StartError> {
    let records = journal.load().await.map_err(strata_saga::SagaError::Journal)?;
    let mut by_operation: std::collections::BTreeMap<strata_saga::OperationId, Vec<strata_saga::Record>> =
        std::collections::BTreeMap::new();
    for record in records {
        by_operation.entry(record.operation).or_default().push(record);
    }
    let histories: Vec<strata_saga::History> =
        by_operation.values().filter_map(|records| strata_saga::History::replay(records).ok()).collect();
    let desired = operations::desired(histories.iter());
    let mended = catalog::rebuild(&*deps.catalog, &desired)?;
    if mended > 0 {
        tracing::warn!(mended, "the catalog differed from the journal and was mended");
    }
    Ok(())
}

/// Display names of restore points that unfinished operations will make.
fn names_under_way(engine: &Engine) -> Vec<String> {
    let all = engine.list(&Filter::default());
    let unfinished = all.iter().filter(|status| status.history.outcome.is_none());
    unfinished
        .filter_map(|status| {
            let params = &status.history.accepted.params;
            let name = params.get("display_name").or_else(|| params.get("safety")?.get("display_name"));
            name.and_then(|name| name.as_str()).map(str::to_owned)
        })
        .collect()
}
