//! From a configuration to a gateway: the stores in the data directory, the two services behind their URLs.

use crate::{
    config::GatewayConfig,
    ports::{Inventory, Ports, Storage},
    start::{Gateway, Parts},
    store::{catalog, installation, journal},
};
use jiff::tz::TimeZone;
use std::{path::Path, sync::Arc};
use strata_kit::{clock::SharedClock, config::PeerSection, status::report, upstream::Upstream};
use strata_saga::Faults;

/// Opens and starts everything.
///
/// # Errors
/// A store is damaged, in use, or cannot be written; a URL or TLS file is wrong. The text says what to do.
pub async fn open(config: &GatewayConfig, clock: SharedClock) -> Result<Gateway, String> {
    let ports = ports(config, &clock)?;
    let zone = match &config.time_zone {
        Some(name) => TimeZone::get(name).map_err(|error| format!("time_zone: {error}"))?,
        None => TimeZone::system(),
    };
    opened(&config.data_directory, ports, clock, zone, None, config.protected_vms.clone()).await
}

/// The ways to the two services. Nothing is sent yet.
///
/// # Errors
/// A URL or TLS file is wrong.
pub fn ports(config: &GatewayConfig, clock: &SharedClock) -> Result<Ports, String> {
    let connect = |peer: &PeerSection, name: &str| {
        Upstream::connect(&peer.options(clock.clone())).map_err(|error| format!("{name}: {}", report(&error)))
    };
    Ok(Ports {
        inventory: Inventory::new(connect(&config.inventory, "inventory")?),
        storage: Storage::new(connect(&config.storage, "storage")?),
    })
}

/// The same over ports that are there already.
///
/// # Errors
/// As [`open`].
pub async fn with_stores(
    directory: &Path,
    ports: Ports,
    clock: SharedClock,
    zone: TimeZone,
) -> Result<Gateway, String> {
    with_faults(directory, ports, clock, zone, None).await
}

/// The same where a test hurts operations.
///
/// # Errors
/// As [`open`].
pub async fn with_faults(
    directory: &Path,
    ports: Ports,
    clock: SharedClock,
    zone: TimeZone,
    faults: Option<Arc<dyn Faults>>,
) -> Result<Gateway, String> {
    opened(directory, ports, clock, zone, faults, Vec::new()).await
}

async fn opened(
    directory: &Path,
    ports: Ports,
    clock: SharedClock,
    zone: TimeZone,
    faults: Option<Arc<dyn Faults>>,
    protected_vms: Vec<String>,
) -> Result<Gateway, String> {
    fs_err::create_dir_all(directory).map_err(|error| error.to_string())?;
    let opened = journal::DurableJournal::open(&directory.join("journal"), journal::Options::default())
        .map_err(|error| format!("the journal does not open: {}", report(&error)))?;
    for note in &opened.notes {
        tracing::warn!(note, "the journal was not closed cleanly");
    }
    let installation = installation::begin(directory)?;
    let view = catalog::open(&directory.join("catalog"), clock.now())?;
    if let Some((aside, why)) = &view.set_aside {
        tracing::warn!(aside = %aside.display(), why, "the catalog was damaged; it is rebuilt from the journal");
    }
    let journal = Arc::new(opened.journal);
    let parts = Parts {
        ports,
        journal: journal.clone(),
        ledger: journal,
        catalog: Arc::new(view.catalog),
        clock,
        zone,
        protected_vms,
        installation: installation.id,
        generation: installation.generation,
        faults,
    };
    Gateway::start(parts).await.map_err(|error| error.to_string())
}
