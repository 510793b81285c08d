//! The engine's handle: submit, get, list, watch, cancel, decide, recover, drain. Cheap to clone; operations run in tasks
//! of their own and survive their caller.

mod admit;
mod control;
mod observe;
mod restore;

pub use admit::{Submission, Submitted};
pub use observe::Filter;
pub use restore::Recovery;

use crate::{
    NoFaults, OperationId, SagaError,
    claims::ClaimTable,
    clock::Clock,
    context::Permit,
    drive::{Driver, Halt},
    faults::Faults,
    journal::Journal,
    log::OperationLog,
    operation::{Kind, KindOf, Operation, Prepared},
    watch::Held,
};
use futures::FutureExt;
use std::{
    collections::{BTreeMap, HashMap},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Notify, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The engine.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

/// Collects what an engine needs.
pub struct EngineBuilder {
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    faults: Arc<dyn Faults>,
    kinds: HashMap<(String, u16), Arc<dyn Kind>>,
}

impl EngineBuilder {
    /// Makes a kind of operation known. Several versions of one kind may be.
    #[must_use]
    pub fn register<O: Operation>(mut self, context: O::Context) -> Self {
        self.kinds.insert((O::KIND.to_owned(), O::VERSION), Arc::new(KindOf::<O>::new(context)));
        self
    }

    /// Lets a test hurt operations.
    #[must_use]
    pub fn faults(mut self, faults: Arc<dyn Faults>) -> Self {
        self.faults = faults;
        self
    }

    /// The engine. It knows nothing of the journal's past until [`Engine::recover`].
    pub fn build(self) -> Engine {
        Engine {
            shared: Arc::new(Shared {
                journal: self.journal,
                clock: self.clock,
                faults: self.faults,
                kinds: self.kinds,
                registry: Arc::default(),
                tasks: TaskTracker::new(),
                drain: CancellationToken::new(),
            }),
        }
    }
}

struct Shared {
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    faults: Arc<dyn Faults>,
    kinds: HashMap<(String, u16), Arc<dyn Kind>>,
    registry: Arc<Mutex<Registry>>,
    tasks: TaskTracker,
    drain: CancellationToken,
}

#[derive(Default)]
struct Registry {
    entries: BTreeMap<OperationId, Arc<Entry>>,
    claims: ClaimTable,
    /// Caller and request id to operation and hash of the parameters.
    requests: HashMap<(String, String), (OperationId, String)>,
}

/// Whether an operation exists yet.
#[derive(Debug, Clone)]
enum Acceptance {
    Waiting,
    Durable,
    Refused(SagaError),
}

struct Entry {
    log: Arc<OperationLog>,
    acceptance: watch::Sender<Acceptance>,
    cancel: CancellationToken,
    nudge: Arc<Notify>,
    /// Its records do not replay: nothing may be added to them.
    damaged: bool,
}

impl Entry {
    fn new(log: Arc<OperationLog>, acceptance: Acceptance, damaged: bool) -> Arc<Self> {
        Arc::new(Self {
            log,
            acceptance: watch::channel(acceptance).0,
            cancel: CancellationToken::new(),
            nudge: Arc::default(),
            damaged,
        })
    }

    fn is_durable(&self) -> bool {
        matches!(*self.acceptance.borrow(), Acceptance::Durable)
    }
}

impl Engine {
    /// Begins an engine over a journal and a clock.
    pub fn builder(journal: Arc<dyn Journal>, clock: Arc<dyn Clock>) -> EngineBuilder {
        EngineBuilder { journal, clock, faults: Arc::new(NoFaults), kinds: HashMap::new() }
    }

    /// Takes no new operations, lets each running one reach its next boundary (a step's end, or a wait), and returns when
    /// all have. What is unfinished goes on after the next start. Bound it from outside: a step may take its time.
    pub async fn drain(&self) {
        self.shared.drain.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.shared.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entry(&self, operation: OperationId) -> Result<Arc<Entry>, SagaError> {
        let entry = self.registry().entries.get(&operation).cloned();
        entry.filter(|entry| entry.is_durable()).ok_or(SagaError::UnknownOperation(operation))
    }

    fn release(&self, operation: OperationId) -> Box<dyn Fn() + Send + Sync> {
        let registry = Arc::downgrade(&self.shared.registry);
        Box::new(move || {
            if let Some(registry) = registry.upgrade() {
                registry.lock().unwrap_or_else(PoisonError::into_inner).claims.release(operation);
            }
        })
    }

    /// Drives a durable operation until it ends or something stops it, and says what did.
    /// `first` is the permit of the first step, where it was granted already.
    async fn drive(&self, entry: &Entry, prepared: Prepared, first: Option<Permit>) {
        let driver = Driver {
            log: entry.log.clone(),
            prepared,
            clock: self.shared.clock.clone(),
            faults: self.shared.faults.clone(),
            cancel: entry.cancel.clone(),
            drain: self.shared.drain.clone(),
            nudge: entry.nudge.clone(),
            first: Mutex::new(first),
        };
        let held = match AssertUnwindSafe(driver.drive()).catch_unwind().await {
            Ok(Ok(())) => return,
            Ok(Err(Halt::Drained)) => Held::Drained,
            Ok(Err(Halt::Killed)) => Held::Killed,
            Ok(Err(Halt::Journal)) => Held::JournalFailed("see the journal's error".into()),
            Ok(Err(Halt::Impossible(why))) => Held::Broken(why),
            Err(_) => Held::Broken("a bug of ours stopped it; please report it".into()),
        };
        if !matches!(held, Held::Drained | Held::Killed) {
            tracing::error!(operation = %entry.log.id, ?held, "operation halted; it goes on after a restart");
        }
        entry.log.hold(held);
    }
}
