//! Which hosts cloned LUNs are mapped to, and by which initiators (safety.md S18: and nobody else).

use crate::{
    catalog::{LunHost, RestorePoint},
    deps::Deps,
    error::{GatewayError, Result},
    layout::{device, vmfs},
};
use std::collections::BTreeSet;
use strata_model::ErrorKind;
use strata_proto::strata::inventory::v1 as inv;

/// The hosts, and what to tell of those left out.
#[derive(Debug, Clone, Default)]
pub(in crate::plan) struct Chosen {
    /// To map to.
    pub(in crate::plan) hosts: Vec<LunHost>,
    /// The same hosts as vCenter shows them.
    pub(in crate::plan) shown: Vec<inv::Host>,
    /// Sentences for the plan.
    pub(in crate::plan) left_out: Vec<String>,
}

/// Those asked for by name or vCenter's id; otherwise all connected hosts that mount every VMFS of the restore point, or,
/// where these are gone, those of the VM's cluster. The initiators are those that the source's LUNs are mapped to now,
/// since by these the host surely reaches the array.
pub(in crate::plan) async fn choose(
    deps: &Deps,
    vcenter: &str,
    point: &RestorePoint,
    datastores: &[inv::Datastore],
    asked: &[String],
) -> Result<Chosen> {
    let all = deps.ports.inventory.all_hosts(vcenter).await?;
    let candidates = match asked {
        [] => by_mounts(vcenter, point, datastores, &all)?,
        names => by_name(vcenter, names, &all)?,
    };
    let mapped = mapped_initiators(deps, point).await?;
    let mut chosen = Chosen::default();
    for host in candidates {
        if host.connection_state != "connected" {
            let text = format!("{} is {}: it is left out", host.display_name, host.connection_state);
            if !asked.is_empty() {
                return Err(GatewayError::new(ErrorKind::Unavailable, "HOST_NOT_CONNECTED", text)
                    .with("host", &host.display_name));
            }
            chosen.left_out.push(text);
            continue;
        }
        let initiators = initiators(&host, &mapped);
        if initiators.is_empty() {
            let text = format!("{} has no initiator that vCenter tells: it is left out", host.display_name);
            if !asked.is_empty() {
                return Err(GatewayError::unsupported("HOST_WITHOUT_INITIATOR", text).with("host", &host.display_name));
            }
            chosen.left_out.push(text);
            continue;
        }
        chosen.hosts.push(LunHost { moref: host.moref.clone(), name: host.display_name.clone(), initiators });
        chosen.shown.push(host);
    }
    if chosen.hosts.is_empty() {
        let mut message = format!("no host of {vcenter} can be given the copies of {}", point.display_name);
        if !chosen.left_out.is_empty() {
            message = format!("{message}: {}", chosen.left_out.join("; "));
        }
        return Err(GatewayError::new(ErrorKind::Unavailable, "NO_HOST", message)
            .with("vcenter", vcenter)
            .hint("to name hosts: --host NAME"));
    }
    Ok(chosen)
}

fn by_mounts(
    vcenter: &str,
    point: &RestorePoint,
    datastores: &[inv::Datastore],
    all: &[inv::Host],
) -> Result<Vec<inv::Host>> {
    let uuids: BTreeSet<&str> =
        point.intent.members.iter().flat_map(|member| &member.luns).map(|lun| lun.vmfs_uuid.as_str()).collect();
    let prefix = format!("{vcenter}/");
    let stores: Vec<&inv::Datastore> = datastores
        .iter()
        .filter(|store| {
            store.name.starts_with(&prefix) && vmfs(store).is_some_and(|it| uuids.contains(it.uuid.as_str()))
        })
        .collect();
    if stores.len() == uuids.len() {
        let mounts = |store: &&inv::Datastore, host: &inv::Host| {
            store.mounts.iter().any(|mount| mount.host_moref == host.moref && mount.mounted)
        };
        return Ok(all.iter().filter(|host| stores.iter().all(|store| mounts(store, host))).cloned().collect());
    }
    // A datastore of the point is gone: its data is in the snapshot all the same.
    let home = &point.intent.placement.host_moref;
    let cluster = all.iter().find(|host| host.moref == *home).map(|host| host.cluster.clone());
    match cluster {
        Some(cluster) => Ok(all
            .iter()
            .filter(|host| if cluster.is_empty() { host.moref == *home } else { host.cluster == cluster })
            .cloned()
            .collect()),
        None => {
            let message = format!(
                "the datastores of {} and the host of its VM are gone from {vcenter}: it cannot be told who shall mount \
                 the copies",
                point.display_name
            );
            Err(GatewayError::new(ErrorKind::Unavailable, "NO_HOST", message)
                .with("vcenter", vcenter)
                .hint("to name hosts: --host NAME"))
        }
    }
}

fn by_name(vcenter: &str, names: &[String], all: &[inv::Host]) -> Result<Vec<inv::Host>> {
    let find = |name: &String| {
        let found = all.iter().find(|host| host.display_name == *name || host.moref == *name || host.name == *name);
        found.cloned().ok_or_else(|| GatewayError::not_found("host", name).with("vcenter", vcenter))
    };
    let mut found: Vec<inv::Host> = names.iter().map(find).collect::<Result<_>>()?;
    let mut seen = BTreeSet::new();
    found.retain(|host| seen.insert(host.moref.clone()));
    Ok(found)
}

/// Every initiator that the arrays map the source's LUNs to now, in lower case.
async fn mapped_initiators(deps: &Deps, point: &RestorePoint) -> Result<BTreeSet<String>> {
    let luns = point.intent.members.iter().flat_map(|member| &member.luns);
    let devices: Vec<_> =
        luns.filter(|lun| !lun.canonical_name.is_empty()).map(|lun| device(&lun.canonical_name)).collect();
    if devices.is_empty() {
        return Ok(BTreeSet::new());
    }
    let answer = deps.ports.storage.resolve_devices(devices).await?;
    let luns = answer.resolutions.into_iter().filter_map(|found| found.lun);
    Ok(luns.flat_map(|lun| lun.initiators).map(|initiator| initiator.to_ascii_lowercase()).collect())
}

/// Those of a host that reach the source, or all of it where none does.
fn initiators(host: &inv::Host, mapped: &BTreeSet<String>) -> Vec<String> {
    let mut all: Vec<String> =
        host.adapters.iter().map(|adapter| adapter.initiator.clone()).filter(|name| !name.is_empty()).collect();
    all.sort();
    all.dedup();
    let known: Vec<String> =
        all.iter().filter(|initiator| mapped.contains(&initiator.to_ascii_lowercase())).cloned().collect();
    if known.is_empty() { all } else { known }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_reached_by_what_reaches_the_source() {
        let adapter = |initiator: &str| inv::HostAdapter { initiator: initiator.into(), ..Default::default() };
        let adapters = ["iqn.b", "20:01:00", "", "iqn.b"].map(adapter).to_vec();
        let host = inv::Host { adapters, ..Default::default() };
        for (mapped, expected) in [
            (vec!["20:01:00"], vec!["20:01:00"]),
            (vec!["iqn.other"], vec!["20:01:00", "iqn.b"]),
            (vec![], vec!["20:01:00", "iqn.b"]),
        ] {
            let mapped = mapped.into_iter().map(str::to_owned).collect();
            assert_eq!(initiators(&host, &mapped), expected);
        }
    }
}
