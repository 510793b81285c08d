//! The handle of a simulated vCenter: shared by its SOAP face, by tests and by the lab.

use super::{builder::Builder, fault::Fault, state::State, task::Work, value::MoRef};
use crate::{clock::SimClock, world::World};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// A simulated vCenter.
#[derive(Debug)]
pub struct Vcenter {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
    clock: Arc<dyn SimClock>,
}

impl Vcenter {
    /// Starts describing a vCenter whose NFS datastores are found in `world`.
    pub fn builder(world: Arc<World>, name: &str) -> Builder {
        Builder::new(world, name)
    }

    pub(super) fn from_state(state: State) -> Self {
        let changed = watch::Sender::new(state.version);
        let clock = Arc::clone(state.world.clock());
        Vcenter { state: Mutex::new(state), changed, clock }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The clock that this vCenter lives by.
    pub fn clock(&self) -> &Arc<dyn SimClock> {
        &self.clock
    }

    /// Looks at or changes the state; who waits for updates is told when something changed.
    pub fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let before = state.version;
        state.notice_lost();
        let out = act(&mut state);
        if state.version != before {
            self.changed.send_replace(state.version);
        }
        out
    }

    /// A receiver of the state's version.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Takes the tasks that were started and not yet run.
    pub fn take_work(&self) -> Vec<(MoRef, Work)> {
        self.with(|s| std::mem::take(&mut s.work))
    }

    /// Runs one task taken by [`Vcenter::take_work`].
    pub fn run_work(&self, task: &MoRef, work: Work) {
        self.with(|s| s.run_work(task, work));
    }

    /// Runs everything that was started, now: for tests that drive the state without the SOAP face.
    pub fn settle(&self) {
        loop {
            let work = self.take_work();
            if work.is_empty() {
                return;
            }
            for (task, work) in work {
                self.run_work(&task, work);
            }
        }
    }

    /// The guest writes to a disk of its running VM.
    ///
    /// Errors: VM, disk or file not found; the VM is off.
    pub fn guest_write(&self, vm: &str, disk: usize, offset: u64, bytes: &[u8]) -> Result<(), Fault> {
        self.with(|s| s.guest_write(vm, disk, offset, bytes))
    }

    /// What a guest of that VM would read from its disk; works with the VM off, too.
    pub fn guest_read(&self, vm: &str, disk: usize, offset: u64, length: usize) -> Result<Vec<u8>, Fault> {
        self.with(|s| s.guest_read(vm, disk, offset, length))
    }
}
