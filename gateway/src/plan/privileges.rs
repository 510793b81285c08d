//! Rights without which an operation would stop half way, asked for before its first effect.

use crate::{
    deps::Deps,
    error::{GatewayError, Result},
};
use strata_model::ErrorKind;
use strata_proto::strata::inventory::v1::PreflightRequest;

/// What is to be done to a VM.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need<'a> {
    /// `vcenters/{vcenter}`.
    pub vcenter: &'a str,
    /// The VM's resource name.
    pub vm: &'a str,
    /// For people.
    pub vm_display_name: &'a str,
    /// Features of inventory-svc's preflight that hold the privileges.
    pub features: &'a [&'a str],
    /// The privileges that this very operation uses; a feature has more.
    pub privileges: &'a [&'a str],
}

/// Refuses where our account lacks one of them.
///
/// # Errors
/// Forbidden, which names each privilege and its object.
pub(super) async fn require(deps: &Deps, need: Need<'_>) -> Result<()> {
    let request = PreflightRequest {
        vcenter: need.vcenter.to_owned(),
        features: need.features.iter().map(|feature| (*feature).to_owned()).collect(),
        vm: need.vm.to_owned(),
    };
    let mut missing = match deps.ports.inventory.preflight(request).await {
        Ok(answer) => answer.missing,
        Err(error) => {
            // The act itself tells better what is wrong with this vCenter.
            tracing::debug!(%error, vm = need.vm, "cannot ask for privileges");
            return Ok(());
        }
    };
    missing.retain(|right| need.privileges.contains(&right.privilege.as_str()));
    let Some(first) = missing.first() else { return Ok(()) };
    let mut list: Vec<String> =
        missing.iter().map(|right| format!("{} on {}", right.privilege, right.object)).collect();
    list.dedup();
    let message = format!(
        "our account in {} lacks {}, without which nothing is begun on {}; grant it and try again",
        need.vcenter,
        list.join(", "),
        need.vm_display_name
    );
    Err(GatewayError::new(ErrorKind::Forbidden, "VCENTER_PRIVILEGE_MISSING", message)
        .with("vm", need.vm)
        .with("privilege", &first.privilege)
        .hint("run `strata preflight`: it names each missing privilege and its object"))
}
