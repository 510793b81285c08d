//! The rights that a clone uses, asked for before its first effect.

use crate::{
    catalog::{CloneIntent, RestorePoint},
    deps::Deps,
    error::Result,
    plan::{
        array_rights::{self, Way},
        privileges::{self, Need},
    },
};
use strata_proto::strata::inventory::v1 as inv;

/// Refuses where vCenter or an array would.
///
/// # Errors
/// Forbidden, which names each privilege and its object.
pub(in crate::plan) async fn require(
    deps: &Deps,
    intent: &CloneIntent,
    source: Option<&inv::Vm>,
    point: &RestorePoint,
) -> Result<()> {
    let mut privileges = vec![
        "Datastore.Browse",
        "Datastore.FileManagement",
        "VirtualMachine.Inventory.Register",
        "VirtualMachine.Inventory.Unregister",
        "Resource.AssignVMToPool",
        "VirtualMachine.Config.Settings",
        "VirtualMachine.Config.Rename",
        "VirtualMachine.Config.AdvancedConfig",
        "VirtualMachine.Config.EditDevice",
    ];
    if intent.by_volume {
        privileges.push("Host.Config.Storage");
    }
    if intent.power_on {
        privileges.extend(["VirtualMachine.Interact.PowerOn", "VirtualMachine.Interact.PowerOff"]);
    }
    let need = Need {
        vcenter: &intent.vcenter,
        // Of a source that is gone nothing can be asked; the vCenter's root tells then.
        vm: source.map_or("", |vm| vm.name.as_str()),
        vm_display_name: &point.intent.vm_display_name,
        features: &["clone"],
        privileges: &privileges,
    };
    privileges::require(deps, need).await?;
    let volumes = intent.targets.iter().map(|target| &target.volume);
    array_rights::require(deps, volumes, "clone", Way::of(intent.by_volume), &intent.display_name).await
}
