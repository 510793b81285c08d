//! Lets hosts look for devices and for VMFS: each host once an act, a few at the same time, each through the right adapters.

use super::{course::Course, host_systems::HostSystems};
use crate::{
    topology::host_storage,
    vcenter::{Client, Error, host_storage_system::StorageCall},
};
use futures::future::join_all;
use strata_kit::status::report;
use strata_model::ErrorKind;

/// Hosts that rescan at the same time.
const AT_ONCE: usize = 4;

/// Lets the hosts look for devices through the adapters that lead to `beside`. False where this call's time is up first.
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
    for some in waiting.chunks(AT_ONCE) {
        if course.is_late() {
            return Ok(false);
        }
        let done = at_once(some, |host| devices_of(client, host, beside)).await;
        course.done.rescanned.extend(some.iter().map(|host| host.host.value.clone()));
        if !done? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Lets the hosts look for VMFS on the devices that they see. False where this call's time is up first.
///
/// # Errors
/// A rescan failed.
pub async fn for_vmfs(client: &Client, hosts: &[HostSystems], course: &mut Course<'_>) -> Result<bool, Error> {
    let waiting: Vec<&HostSystems> =
        hosts.iter().filter(|host| !course.done.searched.contains(&host.host.value)).collect();
    for some in waiting.chunks(AT_ONCE) {
        if course.is_late() {
            return Ok(false);
        }
        let done = at_once(some, |host| async move {
            let object = format!("VMFS of host {}", host.name);
            in_time(client.rescan(&host.storage, StorageCall::RescanVmfs, &object).await)
        })
        .await;
        course.done.searched.extend(some.iter().map(|host| host.host.value.clone()));
        if !done? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// All of them, however the others end; false where one did not end in time.
async fn at_once<'h, F>(hosts: &[&'h HostSystems], rescan: impl Fn(&'h HostSystems) -> F) -> Result<bool, Error>
where
    F: Future<Output = Result<bool, Error>>,
{
    let mut in_time = true;
    for answer in join_all(hosts.iter().map(|host| rescan(host))).await {
        in_time &= answer?;
    }
    Ok(in_time)
}

async fn devices_of(client: &Client, host: &HostSystems, beside: &[String]) -> Result<bool, Error> {
    let object = format!("devices of host {}", host.name);
    let adapters = host_storage::adapters_to_rescan(client, &host.host, beside).await?;
    if adapters.is_empty() {
        return in_time(client.rescan(&host.storage, StorageCall::RescanAllHba, &object).await);
    }
    let mut all_in_time = true;
    for adapter in &adapters {
        all_in_time &= in_time(client.rescan(&host.storage, StorageCall::RescanHba(adapter), &object).await)?;
    }
    Ok(all_in_time)
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
