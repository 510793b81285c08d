//! Whether the disks of a VM fit on their datastores a second time: asked before a VM is stopped (safety.md S22), since one
//! that cannot go home would have to stay on a clone.

use crate::{
    deps::Deps,
    error::{GatewayError, Result},
};
use std::collections::BTreeMap;
use strata_model::ErrorKind;

/// Bytes that are needed on a datastore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// `vcenters/{vcenter}/datastores/{moref}`.
    pub datastore: String,
    /// How many.
    pub bytes: u64,
}

/// Refuses where they do not fit, as vCenter last saw the datastores.
///
/// # Errors
/// `NO_SPACE_HOME`; a datastore is gone.
pub async fn check(deps: &Deps, vm: &str, needed: &[Needed]) -> Result<()> {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for one in needed {
        *sums.entry(&one.datastore).or_default() += one.bytes;
    }
    let (datastores, _) = deps.ports.inventory.all_datastores().await?;
    for (name, bytes) in sums {
        let store = datastores.iter().find(|store| store.name == name);
        let store = store.ok_or_else(|| GatewayError::not_found("datastore", name))?;
        if store.free_bytes < bytes {
            let message = format!(
                "[{}] has {} bytes free, and the disks of {vm} need {bytes} there beside the old ones",
                store.display_name, store.free_bytes
            );
            return Err(GatewayError::new(ErrorKind::Exhausted, "NO_SPACE_HOME", message)
                .with("datastore", &store.name)
                .hint("make room there, or use the old data beside the VM: strata clone create"));
        }
    }
    Ok(())
}
