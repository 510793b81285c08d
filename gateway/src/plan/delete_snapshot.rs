//! Plan of the removal of a restore point.

use super::{
    Planned,
    array_rights::{self, Way},
    point,
    seal::Seal,
    step,
};
use crate::{
    catalog::RestorePoint,
    deps::Deps,
    error::{GatewayError, Result},
};
use serde::{Deserialize, Serialize};
use strata_proto::strata::gateway::v1::PlanResponse;

/// What is removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteSnapshotIntent {
    /// The restore point as it was.
    pub point: RestorePoint,
}

/// Plans it.
///
/// # Errors
/// NotFound; Conflict while a clone was made of it and lives, with the clones' names; Forbidden where our login on the array
/// may not remove it.
pub async fn delete_snapshot(deps: &Deps, name: &str) -> Result<Planned<DeleteSnapshotIntent>> {
    let point = point::find(&*deps.catalog, name, "name")?;
    let clones: Vec<String> = deps
        .catalog
        .clones()?
        .into_iter()
        .filter(|clone| clone.intent.snapshot_id == point.id)
        .map(|clone| clone.intent.display_name)
        .collect();
    if let Some(first) = clones.first() {
        let message =
            format!("{} cannot be deleted: clones were made of it: {}", point.display_name, clones.join(", "));
        return Err(GatewayError::conflict("SNAPSHOT_HAS_CLONES", message)
            .with("snapshot", name)
            .with("clones", clones.join(","))
            .hint(format!("delete them first: strata clone delete {first}")));
    }
    let volumes = point.cut.members.iter().map(|member| &member.volume);
    array_rights::require(deps, volumes, "snapshot", Way::Volume, &point.display_name).await?;
    let natives: Vec<String> =
        point.cut.members.iter().map(|member| format!("{} on {}", member.native_name, member.volume)).collect();
    let shown = PlanResponse {
        summary: format!("delete the restore point {} of {}", point.display_name, point.intent.vm_display_name),
        steps: vec![
            step("mark_deleting", "mark it as being deleted", "it goes on being deleted"),
            step("remove_array_snapshot", format!("remove {}", natives.join(", ")), "cannot be undone"),
            step("forget", "forget it", "cannot be undone"),
        ],
        neighbours: Vec::new(),
        facts: Vec::new(),
        point_of_no_return: "mark_deleting".to_owned(),
        undo_command: String::new(),
        ..PlanResponse::default()
    };
    let shown = Seal::default().point(&point).close(shown);
    Ok(Planned { intent: DeleteSnapshotIntent { point }, shown })
}
