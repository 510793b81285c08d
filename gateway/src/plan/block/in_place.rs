//! Why a volume or LUN is not put back in place (safety.md S1, S20, S21). The array overwrites what lies under the hosts'
//! feet and asks nobody, so every reason is looked for and all are told.

use crate::{
    deps::Deps,
    error::{GatewayError, Result},
    layout::array_name,
    plan::{revert::capabilities, revert_vm::Looked, words},
    steps::mapped_hosts,
};
use std::collections::BTreeSet;

/// Every reason against it; there is always one at least.
///
/// # Errors
/// vCenter or an array does not answer.
pub(in crate::plan) async fn reasons_against(deps: &Deps, looked: &Looked) -> Result<Vec<String>> {
    let mut reasons = Vec::new();
    let neighbours: Vec<String> = looked.layout.neighbours.iter().map(|it| it.display_name.clone()).collect();
    if !neighbours.is_empty() {
        reasons.push(format!("it would take {} back as well", words::list(&neighbours, 4)));
    }
    reasons.extend(newer(deps, looked).await?);
    let luns: Vec<_> = looked.layout.datastores.values().flat_map(|placed| &placed.luns).collect();
    let initiators: BTreeSet<String> = luns.iter().flat_map(|part| part.lun.initiators.clone()).collect();
    if let Err(unknown) = mapped_hosts::of_initiators(&initiators, &looked.layout.hosts) {
        reasons.push(format!("it is mapped to {}, which no host of {} has", unknown.join(", "), looked.vcenter));
    }
    for placed in looked.layout.datastores.values() {
        let silent = placed.datastore.mounts.iter().filter(|mount| !mount.accessible);
        let names: Vec<String> = silent.map(|mount| mount.host.clone()).collect();
        if !names.is_empty() {
            reasons.push(format!("[{}] cannot be seen on {}", placed.datastore.display_name, words::list(&names, 4)));
        }
    }
    // vSphere unmounts only what no registered VM lies on, and a VM that is registered anew has lost its permissions, tags
    // and history.
    reasons.push(format!(
        "hosts let go of a datastore only while no VM is registered on it, and {} is never unregistered",
        looked.layout.vm.display_name
    ));
    Ok(reasons)
}

/// Newer restore points of ours on the volumes, where the array would delete them (S1).
async fn newer(deps: &Deps, looked: &Looked) -> Result<Vec<String>> {
    let mut reasons = Vec::new();
    let volumes: BTreeSet<&String> = looked.point.cut.members.iter().map(|member| &member.volume).collect();
    for volume in volumes {
        let array = array_name(volume)?;
        let can = capabilities(deps, &array).await?;
        if !can.restore_volume && !can.restore_lun {
            reasons.push(format!("{array} cannot roll {volume} back"));
            continue;
        }
        if can.restore_keeps_newer_snapshots {
            continue;
        }
        let points = deps.catalog.points()?.into_iter().filter(|point| !point.lost);
        let newer: Vec<String> = points
            .filter(|point| point.cut.time > looked.point.cut.time)
            .filter(|point| point.cut.members.iter().any(|member| member.volume == *volume))
            .map(|point| point.display_name)
            .collect();
        reasons.push(match newer.is_empty() {
            true => format!("{array} deletes newer snapshots of {volume}, and the safety point would be one"),
            false => format!("{array} would delete the newer snapshots {} of {volume}", words::list(&newer, 4)),
        });
    }
    Ok(reasons)
}

/// The refusal that names them all.
pub(in crate::plan) fn refusal(looked: &Looked, reasons: &[String]) -> GatewayError {
    let message = format!(
        "{} cannot be reverted to {} in place: {}",
        looked.layout.vm.display_name,
        looked.point.display_name,
        reasons.join("; ")
    );
    GatewayError::unsupported("IN_PLACE_REFUSED", message)
        .with("vm", &looked.layout.vm.name)
        .hint("to put back this VM's disks only: leave out --in-place")
}
