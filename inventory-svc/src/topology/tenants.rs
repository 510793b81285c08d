//! VMs and templates that live on a datastore.

use super::{pb, places::unescape, vm};
use crate::vcenter::property_collector::ObjectProperties;

/// Another VM as a tenant of a datastore.
pub fn neighbour(vcenter: &str, other: &ObjectProperties, datastore: &str) -> pb::Tenant {
    let kind = if vm::is_template(other) { pb::TenantKind::Template } else { pb::TenantKind::Vm };
    pb::Tenant {
        kind: kind.into(),
        vm: vm::name(vcenter, other),
        display_name: unescape(other.text("name")),
        datastore: datastore.to_owned(),
        power_state: vm::power_state(other).into(),
    }
}
