//! Which hosts an array shows LUNs to now, by asking it (safety.md S19, S21): what was mapped once says nothing of what
//! somebody mapped since.

use crate::{
    catalog::CloneIntent,
    deps::Deps,
    error::{GatewayError, Result},
    layout::device,
};
use std::collections::{BTreeMap, BTreeSet};
use strata_model::ErrorKind;
use strata_proto::strata::inventory::v1::Host;

/// vCenter's ids of the hosts that must let go of a clone's devices: those that the array maps them to now, and those of
/// the intent that are still in the inventory.
///
/// # Errors
/// `LUN_MAPPED_ELSEWHERE` where an initiator is mapped that no host of the vCenter has; the array does not answer.
pub async fn of(deps: &Deps, intent: &CloneIntent, devices: &[String]) -> Result<Vec<String>> {
    let hosts = deps.ports.inventory.all_hosts(&intent.vcenter).await?;
    let mut found = of_initiators(&mapped(deps, devices).await?, &hosts).map_err(|unknown| {
        let message = format!(
            "the array maps a LUN of {} to {}, which no host of {} has: nobody can see that it let go",
            intent.display_name,
            unknown.join(", "),
            intent.vcenter
        );
        GatewayError::conflict("LUN_MAPPED_ELSEWHERE", message)
            .with("vcenter", &intent.vcenter)
            .hint("let go of it there, unmap it on the array, and retry")
    })?;
    let present = |moref: &&str| hosts.iter().any(|host| host.moref == *moref);
    found.extend(intent.lun_hosts.iter().map(|host| host.moref.as_str()).filter(present).map(str::to_owned));
    Ok(found.into_iter().collect())
}

/// Every initiator that arrays map these devices to now. One that no array has any more is mapped to nobody.
pub async fn mapped(deps: &Deps, devices: &[String]) -> Result<BTreeSet<String>> {
    let answer = deps.ports.storage.resolve_devices(devices.iter().map(|name| device(name)).collect()).await?;
    if let Some(array) = answer.unreachable.first()
        && answer.resolutions.iter().any(|found| found.volume.is_none())
    {
        let message = format!("{array} does not answer, so it is not known to whom it maps {}", devices.join(", "));
        return Err(GatewayError::new(ErrorKind::Unavailable, "ARRAY_UNREACHABLE", message).with("array", array));
    }
    Ok(answer.resolutions.into_iter().filter_map(|found| found.lun).flat_map(|lun| lun.initiators).collect())
}

/// The hosts of initiators; `Err` names those that no host has.
pub fn of_initiators(
    initiators: &BTreeSet<String>,
    hosts: &[Host],
) -> std::result::Result<BTreeSet<String>, Vec<String>> {
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    for host in hosts {
        for adapter in &host.adapters {
            owners.insert(adapter.initiator.to_ascii_lowercase(), &host.moref);
        }
    }
    let unknown: Vec<String> =
        initiators.iter().filter(|it| !owners.contains_key(&it.to_ascii_lowercase())).cloned().collect();
    match unknown.is_empty() {
        true => Ok(initiators
            .iter()
            .filter_map(|it| owners.get(&it.to_ascii_lowercase()))
            .map(|it| (*it).to_owned())
            .collect()),
        false => Err(unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_proto::strata::inventory::v1::HostAdapter;

    #[test]
    fn s21_one_unknown_initiator_refuses() {
        let host = |moref: &str, initiator: &str| Host {
            moref: moref.into(),
            adapters: vec![HostAdapter { initiator: initiator.into(), ..Default::default() }],
            ..Default::default()
        };
        let hosts = [host("host-1", "iqn.1998-01.com.vmware:esx1"), host("host-2", "20:01:00:1b:32:aa:bb:cc")];
        let of = |names: &[&str]| of_initiators(&names.iter().map(|name| (*name).to_owned()).collect(), &hosts);
        assert_eq!(of(&[]), Ok(BTreeSet::new()));
        let both = ["IQN.1998-01.com.vmware:esx1", "20:01:00:1B:32:AA:BB:CC"];
        assert_eq!(of(&both), Ok(BTreeSet::from(["host-1".to_owned(), "host-2".to_owned()])));
        assert_eq!(of(&[both[0], "iqn.stranger"]), Err(vec!["iqn.stranger".to_owned()]));
    }
}
