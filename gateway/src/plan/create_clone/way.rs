//! Which way a clone is made: files in place, or volumes.

use crate::{
    catalog::RestorePoint,
    deps::Deps,
    error::{GatewayError, Result},
    layout::array_name,
};
use std::collections::BTreeSet;
use strata_model::ErrorKind;
use strata_proto::strata::storage::v1::Capabilities;

/// Files in place where every array of the point can, volumes otherwise; true for volumes.
pub(super) async fn choose_way(deps: &Deps, point: &RestorePoint, own_datastore: bool) -> Result<bool> {
    let arrays: BTreeSet<String> =
        point.cut.members.iter().map(|member| array_name(&member.volume)).collect::<Result<_>>()?;
    let mut all: Vec<(String, Capabilities)> = Vec::new();
    for name in arrays {
        let array = deps.ports.storage.get_array(&name).await?;
        let capabilities = array.capabilities.ok_or_else(|| {
            let message = format!("{name} does not answer: {}", array.state_reason);
            GatewayError::new(ErrorKind::Unavailable, "ARRAY_UNREACHABLE", message).with("array", &name)
        })?;
        all.push((name, capabilities));
    }
    let cannot =
        |can: fn(&Capabilities) -> bool| all.iter().find(|(_, capabilities)| !can(capabilities)).map(|(name, _)| name);
    match (own_datastore, cannot(|array| array.clone_files), cannot(|array| array.clone_volume)) {
        (false, None, _) => Ok(false),
        (_, _, None) => Ok(true),
        (true, _, Some(array)) => {
            let message = format!("{array} cannot clone volumes, so the clone cannot have a datastore of its own");
            Err(GatewayError::unsupported("CLONE_VOLUME_UNSUPPORTED", message).with("array", array))
        }
        (false, Some(array), Some(_)) => {
            let message = format!("{array} can clone neither files nor volumes");
            Err(GatewayError::unsupported("CLONE_UNSUPPORTED", message).with("array", array))
        }
    }
}
/// A clone of a volume has the source's file names, and vCenter would register a .vmtx as a template.
pub(super) fn refuse_template_by_volume(point: &RestorePoint, by_volume: bool) -> Result<()> {
    if !by_volume || !point.intent.vmx_path.ends_with(".vmtx") {
        return Ok(());
    }
    let message = format!(
        "{} is of a template, and a clone in a datastore of its own would be registered as a template too",
        point.display_name
    );
    Err(GatewayError::unsupported("TEMPLATE_BY_VOLUME", message)
        .with("snapshot", &point.display_name)
        .hint("clone its files where the array can: leave out --own-datastore")
        .hint("or convert the template to a VM, snapshot it and clone that"))
}
