//! Lets hosts look for devices and for VMFS: each host once an act, a few at the same time, each through the right adapters.

use super::{course::Course, host_systems::HostSystems};
use crate::{
    topology::host_storage,
    vcenter::{Client, Error, host_storage_system::StorageCall},
};
use futures::future::join_all;
use std::collections::BTreeSet;
use strata_kit::status::report;
use strata_model::ErrorKind;

/// Hosts that rescan at the same time.
const AT_ONCE: usize = 4;

/// Lets the hosts look for devices through the adapters that lead to `beside`. False where this call's time is up first; each
/// call does some of it, however little time it has.
///
/// # Errors
/// A rescan failed.
pub async fn for_devices(
    client: &Client,
    hosts: &[HostSystems],
    beside: &[String],
    course: &mut Course<'_>,
) -> Result<bool, Error> {
    let waiting: Vec<&HostSystems> =
        hosts.iter().filter(|host| !course.done.rescanned.contains(&host.host.value)).collect();
    for (index, some) in waiting.chunks(AT_ONCE).enumerate() {
        if index > 0 && course.is_late() {
            return Ok(false);
        }
        let looks = some.iter().map(|host| look(client, host, beside, &course.done.rescanned));
        let mut all_in_time = true;
        for looked in join_all(looks).await {
            let looked = looked?;
            course.done.rescanned.extend(looked.done);
            all_in_time &= looked.in_time;
        }
        if !all_in_time {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Lets the hosts look for VMFS on the devices that they see. False as in [`for_devices`].
///
/// # Errors
/// A rescan failed.
pub async fn for_vmfs(client: &Client, hosts: &[HostSystems], course: &mut Course<'_>) -> Result<bool, Error> {
    let waiting: Vec<&HostSystems> =
        hosts.iter().filter(|host| !course.done.searched.contains(&host.host.value)).collect();
    for (index, some) in waiting.chunks(AT_ONCE).enumerate() {
        if index > 0 && course.is_late() {
            return Ok(false);
        }
        let searches = some.iter().map(|host| async move {
            let object = format!("VMFS of host {}", host.name);
            in_time(client.rescan(&host.storage, StorageCall::RescanVmfs, &object).await)
        });
        let mut all_in_time = true;
        for answer in join_all(searches).await {
            all_in_time &= answer?;
        }
        course.done.searched.extend(some.iter().map(|host| host.host.value.clone()));
        if !all_in_time {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What one host did.
#[derive(Default)]
struct Looked {
    /// The host's id where it looked through every adapter, else its id and an adapter for each that it looked through.
    done: Vec<String>,
    in_time: bool,
}

/// One host looks, adapter by adapter; what `done` holds is not done again.
async fn look(
    client: &Client,
    host: &HostSystems,
    beside: &[String],
    done: &BTreeSet<String>,
) -> Result<Looked, Error> {
    let object = format!("devices of host {}", host.name);
    let adapters = host_storage::adapters_to_rescan(client, &host.host, beside).await?;
    let own = host.host.value.clone();
    if adapters.is_empty() {
        let in_time = in_time(client.rescan(&host.storage, StorageCall::RescanAllHba, &object).await)?;
        return Ok(Looked { done: vec![own], in_time });
    }
    let mark = |adapter: &String| format!("{own} {adapter}");
    let waiting: Vec<&String> = adapters.iter().filter(|adapter| !done.contains(&mark(adapter))).collect();
    let mut looked = Looked { done: Vec::new(), in_time: true };
    for (index, adapter) in (1..).zip(&waiting) {
        looked.done.push(mark(adapter));
        looked.in_time = in_time(client.rescan(&host.storage, StorageCall::RescanHba(adapter), &object).await)?;
        if !looked.in_time && index < waiting.len() {
            return Ok(looked);
        }
    }
    looked.done.push(own);
    Ok(looked)
}

/// A rescan that takes longer than a call may goes on in the host: what it finds is looked for by the next call.
fn in_time(answer: Result<(), Error>) -> Result<bool, Error> {
    match answer {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::Timeout => {
            tracing::info!(error = %report(&error), "a rescan goes on in the host");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
