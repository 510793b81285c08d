//! Lets vCenter move the live disks aside: it refuses while a file is locked, which is the proof that nobody uses it, and
//! moving them back is the undo (safety.md S21).

use crate::{deps::Deps, error::Result, plan::RevertIntent};
use strata_model::DatastorePath;
use strata_proto::strata::inventory::v1::{MoveDisksRequest, PathMapping, RemoveAsideRequest};
use strata_saga::Progress;

async fn move_all(deps: &Deps, intent: &RevertIntent, back: bool) -> Result<Progress> {
    let mapping = |from: &str, to: &str| PathMapping { from_path: from.to_owned(), to_path: to.to_owned() };
    let moves = intent
        .disks
        .iter()
        .map(|disk| if back { mapping(&disk.aside_path, &disk.path) } else { mapping(&disk.path, &disk.aside_path) })
        .collect();
    deps.ports.inventory.move_disks(MoveDisksRequest { vm: intent.vm.clone(), moves }).await?;
    Ok(Progress::done())
}

/// Moves them aside.
pub async fn run(deps: &Deps, intent: &RevertIntent) -> Result<Progress> {
    move_all(deps, intent, false).await
}

/// Moves them back.
pub async fn undo(deps: &Deps, intent: &RevertIntent) -> Result<Progress> {
    move_all(deps, intent, true).await?;
    remove(deps, intent).await
}

/// Deletes what was set aside.
pub async fn remove(deps: &Deps, intent: &RevertIntent) -> Result<Progress> {
    let mut directories: Vec<String> = intent.disks.iter().filter_map(|disk| directory_of(&disk.aside_path)).collect();
    directories.sort();
    directories.dedup();
    let request = RemoveAsideRequest { vcenter: intent.vcenter.clone(), directories };
    deps.ports.inventory.remove_aside(request).await?;
    Ok(Progress::done())
}

/// `[ds] dir` of `[ds] dir/name`.
pub(super) fn directory_of(path: &str) -> Option<String> {
    let path: DatastorePath = path.parse().ok()?;
    Some(format!("[{}] {}", path.datastore, path.directory()))
}
