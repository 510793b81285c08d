//! QuiesceVm: a VMware snapshot around an array's cut (safety.md S11).
//!
//! Crash states: 1. the task runs and its id is lost: it is seen among the VM's running tasks, and waited for. 2. the
//! snapshot exists and the answer is lost: it is found by its name.

use super::{own_vm, pending};
use crate::{
    topology::{
        pb,
        read::{VmRead, read_vm},
    },
    vcenter::{
        Client, Error, Refusal,
        snapshot::{Freeze, SnapshotNode, SnapshotWish, tree},
    },
    vcenters::Vcenters,
};
use strata_proto::strata::common::v1::Grade;

/// vCenter's name of the task.
pub const CREATE_TASK: &str = "VirtualMachine.createSnapshot";

/// The act.
///
/// # Errors
/// A bad request, no such VM, or vCenter cannot make the snapshot.
pub async fn run(vcenters: Vcenters, request: pb::QuiesceVmRequest) -> Result<pb::QuiesceVmResponse, Error> {
    let (client, uuid) = vcenters.with_child("vm", &request.vm, "vms")?;
    let name = snapshot_name(own_vm::key("key", &request.key)?);
    if !matches!(request.grade(), Grade::Vm | Grade::App) {
        return Err(Refusal::invalid(
            "grade",
            "grade must be GRADE_VM or GRADE_APP; a crash snapshot needs no VMware snapshot",
        )
        .into());
    }
    let mut vm = read_vm(&client, &uuid).await?;
    let freeze = match (why_not_quiesced(&vm.vm), request.grade()) {
        (Some(_), _) => Freeze::Nothing,
        (None, Grade::App) if vm.vm.application_freeze => Freeze::Applications,
        (None, _) => Freeze::FileSystems,
    };
    if find(&vm, &name).is_none() || !request.resume.is_empty() {
        if request.resume.is_empty() && is_being_made(&vm.vm) {
            return Ok(pb::QuiesceVmResponse { pending: Some(pending::pending("", None)), ..Default::default() });
        }
        let minutes = request.budget.map_or(5, |budget| budget.seconds.saturating_add(59) / 60);
        let wish = SnapshotWish { name: &name, freeze, timeout_minutes: minutes };
        let object = format!("VM {}", vm.vm.display_name);
        let start = client.create_snapshot(&vm.moref, &wish, &object);
        match pending::follow(&client, &request.resume, "VMware snapshot", &object, start).await? {
            pending::Progress::Pending(pending) => {
                return Ok(pb::QuiesceVmResponse { pending: Some(pending), ..Default::default() });
            }
            pending::Progress::Done(_) => vm = read_vm(&client, &uuid).await?,
        }
    }
    let node = find(&vm, &name).ok_or_else(|| vanished(&client, &vm, &name))?;
    let (grade, reason) = achieved(&vm.vm, &node, request.grade());
    Ok(pb::QuiesceVmResponse {
        pending: None,
        vm_snapshot_moref: node.moref.value,
        quiesced: node.quiesced,
        reason,
        create_time: timestamp(&node.create_time),
        grade: grade.into(),
    })
}

/// What the snapshot is, and why it is not what was asked.
fn achieved(vm: &pb::Vm, node: &SnapshotNode, asked: Grade) -> (Grade, String) {
    if !node.quiesced {
        let reason = why_not_quiesced(vm).unwrap_or("vCenter says that the guest was not quiesced");
        return (Grade::Crash, reason.to_owned());
    }
    if asked != Grade::App {
        return (Grade::Vm, String::new());
    }
    match (node.applications, vm.application_freeze) {
        (true, true) => (Grade::App, String::new()),
        (_, false) => (Grade::Vm, vm.application_freeze_reason.clone()),
        (false, true) => (Grade::Vm, "this vCenter cannot be told to freeze applications".to_owned()),
    }
}

/// Name of the VMware snapshot of a key.
pub fn snapshot_name(key: &str) -> String {
    format!("{}{key}", crate::topology::assemble::SNAPSHOT_PREFIX)
}

/// The snapshot of this name.
pub fn find(vm: &VmRead, name: &str) -> Option<SnapshotNode> {
    tree(vm.properties.get("snapshot")).into_iter().find(|node| node.name == name)
}

/// Whether a task makes a VMware snapshot of the VM now.
pub fn is_being_made(vm: &pb::Vm) -> bool {
    vm.running_tasks.iter().any(|task| task.starts_with(CREATE_TASK))
}

/// vCenter ignores the wish to quiesce silently in these states; we say so instead.
fn why_not_quiesced(vm: &pb::Vm) -> Option<&'static str> {
    match (vm.power_state(), vm.tools_running) {
        (pb::PowerState::On, true) => None,
        (pb::PowerState::On, false) => Some("VMware Tools do not run in the guest"),
        _ => Some("the VM is not running"),
    }
}

fn vanished(client: &Client, vm: &VmRead, name: &str) -> Error {
    let text = format!(
        "vCenter {} made the VMware snapshot {name} of VM {}, and it is gone again: somebody removed it",
        client.name(),
        vm.vm.display_name
    );
    Refusal::conflict("VM_SNAPSHOT_GONE", text).and("vm", vm.vm.name.clone()).into()
}

fn timestamp(text: &str) -> Option<prost_types::Timestamp> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() })
}
