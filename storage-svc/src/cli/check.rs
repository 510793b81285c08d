//! `storage-svc config check`.

use super::{http, load};
use std::path::Path;
use strata_kit::{clock::SystemClock, program::Output};
use strata_storage_svc::{StorageSvc, arrays::Health};

pub(super) async fn run(path: &Path, connect: bool, output: &Output) -> anyhow::Result<()> {
    let loaded = load(path)?;
    for warning in &loaded.warnings {
        output.line(&format!("warning: {warning}"));
    }
    let config = loaded.value;
    let svc = StorageSvc::new(&config, &http, &SystemClock::shared())?;
    output.line(&format!("{}: {} arrays, no faults", path.display(), config.arrays.len()));
    if !connect {
        return Ok(());
    }
    let mut unready = 0;
    for (array, health) in svc.arrays().check_all().await {
        match health {
            Health::Ready => {
                let version = array.identity().map(|identity| identity.version).unwrap_or_default();
                output.line(&format!("{}: ready, {version}", array.name));
                let found = array.driver.preflight().await?;
                for right in found.missing {
                    output.line(&format!("  MISSING {} on {} for {}", right.privilege, right.object, right.feature));
                }
                for remark in found.remarks {
                    output.line(&format!("  {remark}"));
                }
            }
            Health::Unreachable(reason) => {
                unready += 1;
                output.line(&format!("{}: unreachable: {reason}", array.name));
            }
            Health::Denied(reason) => {
                unready += 1;
                output.line(&format!("{}: denied: {reason}", array.name));
            }
        }
    }
    anyhow::ensure!(unready == 0, "{unready} arrays cannot be used");
    Ok(())
}
