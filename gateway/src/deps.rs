//! What operations act through.

use crate::{catalog::SharedCatalog, ledger::SharedLedger, ports::Ports};
use strata_kit::clock::SharedClock;
use strata_proto::strata::common::v1::Mark;

/// Handed to every plan and step; cheap to clone.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The two services.
    pub ports: Ports,
    /// Restore points, clones, relations.
    pub catalog: SharedCatalog,
    /// What we own on arrays.
    pub ledger: SharedLedger,
    /// Time.
    pub clock: SharedClock,
    /// VMs that are never reverted and never frozen, by display name or instanceUuid.
    pub protected_vms: std::sync::Arc<[String]>,
    /// This installation: 32 hex digits.
    pub installation: String,
    /// The catalog's generation; grows with every start.
    pub generation: u64,
}

impl Deps {
    /// The mark for what is made now.
    pub fn mark(&self) -> Mark {
        Mark { installation: self.installation.clone(), generation: self.generation }
    }
}
