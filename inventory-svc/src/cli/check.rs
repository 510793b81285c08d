//! `inventory-svc config check`.

use super::{Output, load, serve::http};
use std::path::Path;
use strata_inventory_svc::InventorySvc;
use strata_kit::{clock::SystemClock, status::report};

pub(super) async fn run(path: &Path, connect: bool, output: &Output) -> anyhow::Result<()> {
    let loaded = load(path)?;
    let svc = InventorySvc::new(&loaded.value, &http, &SystemClock::shared()).map_err(anyhow::Error::msg)?;
    for warning in &loaded.warnings {
        output.line(&format!("warning: {warning}"));
    }
    output.line(&format!("{}: {} vCenters, no faults", path.display(), loaded.value.vcenters.len()));
    if !connect {
        return Ok(());
    }
    let mut unready = 0;
    for client in svc.vcenters().all() {
        match client.check().await {
            Ok(content) => output.line(&format!("{}: {} {}", client.name(), content.product, content.version)),
            Err(error) => {
                unready += 1;
                output.line(&format!("{}: {}", client.name(), report(&error)));
            }
        }
    }
    svc.log_out().await;
    anyhow::ensure!(unready == 0, "{unready} vCenters cannot be used");
    Ok(())
}
