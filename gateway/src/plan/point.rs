//! What plans ask of a restore point: that it is there, usable, and still of the volumes it was cut from.

use crate::{
    catalog::{Catalog, Cut, CutMember, RestorePoint},
    error::{GatewayError, Result},
};
use strata_model::names;

/// The restore point of a resource name `snapshots/{snapshot}`.
///
/// # Errors
/// InvalidArgument that names `field`; NotFound.
pub(super) fn find(catalog: &dyn Catalog, name: &str, field: &str) -> Result<RestorePoint> {
    let id = names::split(name, &["snapshots"]).map_err(|error| GatewayError::invalid(field, error))?.remove(0);
    catalog
        .point(&id)?
        .ok_or_else(|| GatewayError::not_found("snapshot", name).hint("to see what is there: strata snapshot list"))
}

/// The restore point, where it can be cloned or reverted to.
pub(super) fn usable(catalog: &dyn Catalog, name: &str) -> Result<RestorePoint> {
    let point = find(catalog, name, "snapshot")?;
    refuse_unusable(&point)?;
    Ok(point)
}

/// Refuses where it is being deleted or the array no longer has it.
pub(crate) fn refuse_unusable(point: &RestorePoint) -> Result<()> {
    let name = format!("snapshots/{}", point.id);
    if point.deleting {
        let message = format!("{} is being deleted", point.display_name);
        return Err(GatewayError::conflict("SNAPSHOT_DELETING", message).with("snapshot", name));
    }
    if point.lost {
        let message = format!("the array no longer has the snapshot behind {}", point.display_name);
        return Err(GatewayError::conflict("SNAPSHOT_LOST", message).with("snapshot", name));
    }
    Ok(())
}

/// The array's part of the restore point on a volume.
pub(super) fn member_on<'a>(cut: &'a Cut, volume: &str) -> Result<&'a CutMember> {
    cut.members
        .iter()
        .find(|member| member.volume == volume)
        .ok_or_else(|| GatewayError::unexpected(format!("the restore point has no part on {volume}")))
}
