//! Gives the copy of a VMFS a signature of its own. It cannot be taken back, so that everything is looked at before: the
//! copy is of the source that the request names, all its extents are there, and no other copy can be meant.

use super::{
    course::{Again, Course},
    host_systems::HostSystems,
    present_vmfs::Wish,
    rescan_hosts,
    vmfs_stores::same_uuid,
};
use crate::{
    soap::MoRef,
    topology::{places::Places, vm::TASKS},
    vcenter::{
        Client, Error, Refusal,
        property_spec::{Start, Step},
        task::TaskState,
        unresolved_vmfs::{UnresolvedExtent, UnresolvedVmfs},
    },
};
use std::collections::BTreeSet;
use strata_model::ErrorKind;

/// Until the task is done. False where this call's time is up first.
///
/// # Errors
/// The copy is not seen, is of another source, is incomplete or ambiguous, or vCenter cannot.
pub(super) async fn give(client: &Client, wish: &Wish<'_>, course: &mut Course<'_>) -> Result<bool, Error> {
    let Some(host) = wish.hosts.first() else { return Ok(true) };
    if course.done.task.is_empty() {
        // One at a time: two copies of one source would each be the other's ambiguity.
        let _turn = client.resignature().lock().await;
        if is_running(client, &wish.hosts).await? {
            return Ok(false);
        }
        let Some(paths) = unresolved(client, host, wish, course).await? else { return Ok(false) };
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        match client.resignature_vmfs(&host.datastores, &paths, &object(wish)).await {
            Ok(task) => course.done.task = task.value,
            Err(error) => return unless_done(client, wish, error).await,
        }
    }
    let task = MoRef::new("Task", course.done.task.as_str());
    let state = client.follow_task(&task, course.left()).await?;
    if !matches!(state, TaskState::Running(_)) {
        course.done.task.clear();
    }
    match state {
        TaskState::Running(_) => Ok(false),
        TaskState::Done(_) | TaskState::Forgotten => Ok(true),
        TaskState::Failed(fault) => {
            unless_done(client, wish, client.task_failed("resignature", &object(wish), fault)).await
        }
    }
}

fn object(wish: &Wish<'_>) -> String {
    format!("the copy of VMFS {} on {}", wish.source_uuid, wish.devices.join(", "))
}

/// A failure is none where the copy has its signature: an earlier call of ours, or somebody else, was quicker.
async fn unless_done(client: &Client, wish: &Wish<'_>, error: Error) -> Result<bool, Error> {
    let places = Places::read(client).await?;
    if wish.find(client, &places)?.is_empty() { Err(error) } else { Ok(true) }
}

/// Whether one of the hosts gives a signature now: perhaps a task of ours whose id was lost.
async fn is_running(client: &Client, hosts: &[HostSystems]) -> Result<bool, Error> {
    let to_tasks = || vec![Step::along("HostSystem", "recentTask")];
    let starts: Vec<Start> =
        hosts.iter().map(|host| Start { object: host.host.clone(), skip: true, steps: to_tasks() }).collect();
    let found = client.retrieve(&[TASKS], &starts, "tasks of hosts").await?;
    Ok(found.iter().any(|task| {
        matches!(task.text("info.state"), "running" | "queued")
            && task.text("info.descriptionId").to_ascii_lowercase().contains("resignature")
    }))
}

/// Paths of the copy's extents; `None` where this call's time is up first, or where the copy has got its signature.
async fn unresolved(
    client: &Client,
    host: &HostSystems,
    wish: &Wish<'_>,
    course: &mut Course<'_>,
) -> Result<Option<Vec<String>>, Error> {
    let object = format!("unresolved VMFS of host {}", host.name);
    loop {
        let volumes = client.unresolved_vmfs(&host.datastores, &object).await?;
        if let Some(paths) = pick(&volumes, wish.source_uuid, &wish.devices)? {
            return Ok(Some(paths));
        }
        if !wish.find(client, &Places::read(client).await?)?.is_empty() {
            return Ok(None);
        }
        if !course.done.searched.contains(&host.host.value) {
            if !rescan_hosts::for_vmfs(client, std::slice::from_ref(host), course).await? {
                return Ok(None);
            }
            continue;
        }
        match course.again().await {
            Again::Look => {}
            Again::Later => return Ok(None),
            Again::Never => {
                let text = format!(
                    "host {} sees {} and no unresolved copy of a VMFS on it; look at what the array cloned, then repeat",
                    host.name,
                    wish.devices.join(", ")
                );
                let refusal = Refusal::new(ErrorKind::Unavailable, "VMFS_COPY_NOT_SEEN", text);
                return Err(refusal.and("host", host.name.clone()).into());
            }
        }
    }
}

/// Paths of the extents on exactly these devices, head first; `None` where no unresolved VMFS has one of them.
fn pick(volumes: &[UnresolvedVmfs], source_uuid: &str, devices: &[String]) -> Result<Option<Vec<String>>, Refusal> {
    let is_ours = |extent: &&UnresolvedExtent| devices.contains(&extent.device);
    let mut with_ours = volumes.iter().filter(|volume| volume.extents.iter().any(|extent| is_ours(&extent)));
    let Some(volume) = with_ours.next() else { return Ok(None) };
    if let Some(other) = with_ours.chain([volume]).find(|volume| !same_uuid(&volume.vmfs_uuid, source_uuid)) {
        let text = format!(
            "{} carries a copy of VMFS {} ({}) and not of {source_uuid}; it is left alone",
            devices.join(", "),
            other.vmfs_uuid,
            other.label
        );
        return Err(Refusal::conflict("VMFS_IS_ANOTHER", text));
    }
    let copies: Vec<&UnresolvedVmfs> =
        volumes.iter().filter(|volume| same_uuid(&volume.vmfs_uuid, source_uuid)).collect();
    let extents = || copies.iter().flat_map(|volume| &volume.extents);
    let others: BTreeSet<&str> =
        extents().filter(|extent| !is_ours(extent)).map(|extent| extent.device.as_str()).collect();
    if !others.is_empty() && (volume.several_copies || !volume.resolvable) {
        let others: Vec<&str> = others.into_iter().collect();
        let text = format!(
            "more than one copy of VMFS {source_uuid} ({}) is visible: {} and {}; take the other away, or give it a \
             signature, then repeat",
            volume.label,
            devices.join(", "),
            others.join(", ")
        );
        return Err(Refusal::conflict("VMFS_COPIES_AMBIGUOUS", text).and("devices", others.join(",")));
    }
    let mut own: Vec<&UnresolvedExtent> = extents().filter(is_ours).collect();
    own.sort_by_key(|extent| (!extent.head, extent.ordinal));
    let seen: BTreeSet<&str> = own.iter().map(|extent| extent.device.as_str()).collect();
    let missing: Vec<&str> = devices.iter().map(String::as_str).filter(|device| !seen.contains(device)).collect();
    if !missing.is_empty() || volume.incomplete {
        let what =
            if missing.is_empty() { "one that the request does not name".to_owned() } else { missing.join(", ") };
        let text = format!("the copy of VMFS {source_uuid} lacks an extent: {what}; map all its devices, then repeat");
        return Err(Refusal::new(ErrorKind::Unavailable, "VMFS_COPY_INCOMPLETE", text));
    }
    if !volume.resolvable {
        let text = format!(
            "vCenter cannot give the copy of VMFS {source_uuid} on {} a signature: another host uses it; look at who else \
             sees the devices",
            devices.join(", ")
        );
        return Err(Refusal::conflict("VMFS_NOT_RESOLVABLE", text));
    }
    Ok(Some(own.into_iter().map(|extent| extent.path.clone()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(
        uuid: &str,
        extents: &[(&str, u32)],
        resolvable: bool,
        incomplete: bool,
        several: bool,
    ) -> UnresolvedVmfs {
        let extent = |(device, ordinal): &(&str, u32)| UnresolvedExtent {
            device: (*device).to_owned(),
            path: format!("/vmfs/devices/disks/{device}:1"),
            head: *ordinal == 0,
            ordinal: *ordinal,
        };
        UnresolvedVmfs {
            vmfs_uuid: uuid.to_owned(),
            label: "prod".to_owned(),
            extents: extents.iter().map(extent).collect(),
            resolvable,
            incomplete,
            several_copies: several,
        }
    }

    #[test]
    fn picks_the_copy_by_its_devices_or_says_why_not() {
        type Case<'c> = (&'c str, Vec<UnresolvedVmfs>, &'c [&'c str], Result<Option<&'c [&'c str]>, &'c str>);
        let one = |device| volume("A", &[(device, 0)], true, false, false);
        let cases: &[Case<'_>] = &[
            ("nothing", vec![], &["n.1"], Ok(None)),
            ("only others", vec![one("n.9")], &["n.1"], Ok(None)),
            ("ours", vec![one("n.1")], &["n.1"], Ok(Some(&["n.1"]))),
            (
                "two extents, head first",
                vec![volume("a", &[("n.2", 1), ("n.1", 0)], true, false, false)],
                &["n.2", "n.1"],
                Ok(Some(&["n.1", "n.2"])),
            ),
            ("another source", vec![volume("B", &[("n.1", 0)], true, false, false)], &["n.1"], Err("VMFS_IS_ANOTHER")),
            (
                "another source beside ours",
                vec![one("n.1"), volume("B", &[("n.2", 0)], true, false, false)],
                &["n.1", "n.2"],
                Err("VMFS_IS_ANOTHER"),
            ),
            (
                "two copies in one entry",
                vec![volume("A", &[("n.1", 0), ("n.9", 0)], false, false, true)],
                &["n.1"],
                Err("VMFS_COPIES_AMBIGUOUS"),
            ),
            ("two copies that vCenter tells apart", vec![one("n.1"), one("n.9")], &["n.1"], Ok(Some(&["n.1"]))),
            (
                "an extent is not mapped",
                vec![volume("A", &[("n.1", 0)], false, true, false)],
                &["n.1", "n.2"],
                Err("VMFS_COPY_INCOMPLETE"),
            ),
            (
                "an extent that the request does not name is not mapped",
                vec![volume("A", &[("n.1", 0)], false, true, false)],
                &["n.1"],
                Err("VMFS_COPY_INCOMPLETE"),
            ),
            ("in use", vec![volume("A", &[("n.1", 0)], false, false, false)], &["n.1"], Err("VMFS_NOT_RESOLVABLE")),
        ];
        for (what, volumes, devices, expected) in cases {
            let devices: Vec<String> = devices.iter().map(|device| (*device).to_owned()).collect();
            let found = pick(volumes, "a", &devices).map_err(|refusal| refusal.reason);
            let expected = expected.map(|paths| {
                paths.map(|paths| {
                    paths.iter().map(|device| format!("/vmfs/devices/disks/{device}:1")).collect::<Vec<_>>()
                })
            });
            assert_eq!(found, expected, "{what}");
        }
    }
}
