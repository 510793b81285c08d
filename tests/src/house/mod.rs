//! A whole installation in one process: a simulated vCenter, an array, the three services, all in this thread's runtime,
//! without sockets. Each test has one of its own.

mod acts;
mod build;
mod calls;
mod certificate;
mod gate;
mod hurt;
mod invariants;
mod memory;
mod picture;
mod sockets;

pub use acts::Outcome;
pub use build::{ACCOUNT, ArrayKind, Builder, FILER_ADDRESS, in_process, on_each, open_gateway};
pub use calls::{Caller, Finished};
pub use certificate::Certificate;
pub use gate::{Gate, Side, Verdict};
pub use hurt::Hurt;
pub use picture::Picture;
pub use sockets::Sockets;

use std::{path::PathBuf, sync::Arc};
use strata_gateway::Gateway;
use strata_inventory_svc::InventorySvc;
use strata_kit::upstream::Upstream;
use strata_sim::world::{World, compute::Vcenter};
use strata_storage_svc::StorageSvc;

/// An installation. Dropping it removes its directory.
pub struct House {
    /// The data centre.
    pub world: Arc<World>,
    /// Its vCenter, `vc-1`.
    pub vcenter: Arc<Vcenter>,
    /// All vCenters; the first is `vcenter`.
    pub vcenters: Vec<Arc<Vcenter>>,
    /// Names of the datastores that were described, each on a volume of its name.
    pub datastores: Vec<String>,
    /// The vCenters' certificate.
    pub vcenter_certificate: Certificate,
    /// The array's certificate, for arrays in memory.
    pub array_certificate: Certificate,
    /// Between the gateway and the two services.
    pub gate: Gate,
    /// Hurts the gateway's operations.
    pub hurt: Arc<Hurt>,
    /// The gateway; replaced by [`House::restart`].
    pub gateway: Gateway,
    /// The way to the gateway.
    pub upstream: Upstream,
    /// inventory-svc.
    pub inventory_svc: InventorySvc,
    /// storage-svc.
    pub storage_svc: StorageSvc,
    /// The way to inventory-svc.
    pub inventory: Upstream,
    /// The way to storage-svc.
    pub storage: Upstream,
    /// The way to storage-svc that no gate is in.
    pub ungated_storage: Upstream,
    /// Where the filer's volumes are; `None` for arrays in memory.
    pub filer_root: Option<PathBuf>,
    directory: tempfile::TempDir,
    /// Unmounted after everything else is gone.
    image: Option<crate::conformance::rows::image::Image>,
}

impl House {
    /// Describes one.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where the gateway's stores are.
    pub fn data_directory(&self) -> PathBuf {
        self.directory.path().join("gateway")
    }
}
