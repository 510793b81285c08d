//! What Strata stands on: the VM in which a vCenter runs, and the VM in which this process runs (safety.md S6). Whoever turns
//! one of them off or freezes it stops those who would turn it on or thaw it.
//!
//! Both are recognised by what cannot be there by accident: an address of the guest that is the vCenter's, the guest's name that
//! is the vCenter's, a BIOS uuid or a MAC address that is this machine's. A VM too many costs a grade; one too few, the house.

mod address;
mod machine;
mod standing;

pub use address::{Names, SystemNames, VcenterAddress};
pub use machine::Machine;
pub use standing::Standing;

use std::sync::Arc;

/// What is known of this process's surroundings. The default knows nothing: tests and labs do not stand on a VM.
#[derive(Debug, Clone, Default)]
pub struct Footing {
    /// The machine that this process runs on.
    pub machine: Arc<Machine>,
    /// Finds addresses of names; none: only an address that is written in a vCenter's url counts.
    pub names: Option<Arc<dyn Names>>,
}

impl Footing {
    /// Of a process that serves: this machine as the kernel describes it, and its resolver of names.
    pub fn of_this_machine() -> Self {
        Self { machine: Arc::new(Machine::read(std::path::Path::new("/sys"))), names: Some(Arc::new(SystemNames)) }
    }
}
