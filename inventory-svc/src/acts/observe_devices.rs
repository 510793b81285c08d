//! ObserveDevices: which hosts see devices, and in what state (safety.md S21: a volume goes back only under hosts that were
//! verified).

use super::{host_systems, vmfs_stores};
use crate::{
    soap::MoRef,
    topology::{host_storage, pb, places::Places},
    vcenter::Error,
    vcenters::Vcenters,
};

/// The look.
///
/// # Errors
/// A bad request, a host that does not exist, or vCenter does not answer.
pub async fn run(vcenters: Vcenters, request: pb::ObserveDevicesRequest) -> Result<pb::ObserveDevicesResponse, Error> {
    let client = vcenters.by_name("vcenter", &request.vcenter)?;
    let devices = vmfs_stores::devices("devices", request.devices.iter().map(String::as_str))?;
    let places = Places::read(&client).await?;
    let mut hosts: Vec<MoRef> =
        request.host_morefs.iter().map(|moref| MoRef::new("HostSystem", moref.as_str())).collect();
    if hosts.is_empty() {
        hosts.extend(places.of_kind("HostSystem").map(|host| host.object.clone()));
    }
    hosts.sort();
    hosts.dedup();
    let mut silent_hosts = Vec::new();
    for host in &hosts {
        let found = places.get(host).ok_or_else(|| host_systems::not_found(&client, &host.value))?;
        let connection_state = found.text("runtime.connectionState");
        if connection_state != "connected" {
            silent_hosts.push(pb::SilentHost {
                host_moref: host.value.clone(),
                host: places.name(host),
                connection_state: connection_state.to_owned(),
            });
        }
    }
    let seen = host_storage::seen(&client, &hosts, &devices).await?;
    Ok(pb::ObserveDevicesResponse { devices: host_storage::lines(&places, &seen), silent_hosts })
}
