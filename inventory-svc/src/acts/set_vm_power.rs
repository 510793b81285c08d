//! SetVmPower: turns a VM on or off, or asks its guest to shut down.

use super::pending;
use crate::{
    soap::MoRef,
    topology::{
        pb,
        read::{VmRead, read_vm},
    },
    vcenter::{Client, Error, Refusal, property_spec::Properties},
    vcenters::Vcenters,
};
use jiff::Timestamp;
use strata_model::ErrorKind;

const POWER: Properties = Properties { kind: "VirtualMachine", paths: &["runtime.powerState"] };
const SHUT_DOWN_BUDGET_SECONDS: i64 = 300;
const SHUT_DOWN_BUDGET_SECONDS_MAX: i64 = 86_400;
/// Marks a resume that is a moment and no task: shutting down has none.
const SHUT_DOWN_UNTIL: &str = "shut-down-until:";

/// The act.
///
/// # Errors
/// A bad request, no such VM, vCenter refuses, or the guest does not shut down in time.
pub async fn run(vcenters: Vcenters, request: pb::SetVmPowerRequest) -> Result<pb::SetVmPowerResponse, Error> {
    let (client, uuid) = vcenters.with_child("vm", &request.vm, "vms")?;
    let vm = read_vm(&client, &uuid).await?;
    let wanted = match request.action() {
        pb::PowerAction::On => pb::PowerState::On,
        pb::PowerAction::Off | pb::PowerAction::ShutDown => pb::PowerState::Off,
        pb::PowerAction::Unspecified => {
            return Err(Refusal::invalid("action", "action must be ON, OFF or SHUT_DOWN").into());
        }
    };
    let previous = vm.vm.power_state();
    if previous == wanted {
        return Ok(pb::SetVmPowerResponse { pending: None, previous: previous.into() });
    }
    let pending = match request.action() {
        pb::PowerAction::ShutDown => shut_down(&client, &vm, &request).await?,
        _ => set(&client, &vm, wanted, &request.resume).await?,
    };
    Ok(pb::SetVmPowerResponse { pending, previous: previous.into() })
}

async fn set(
    client: &Client,
    vm: &VmRead,
    wanted: pb::PowerState,
    resume: &str,
) -> Result<Option<strata_proto::strata::common::v1::Pending>, Error> {
    let object = format!("VM {}", vm.vm.display_name);
    let on = wanted == pb::PowerState::On;
    let start = async {
        if on { client.power_on(&vm.moref, &object).await } else { client.power_off(&vm.moref, &object).await }
    };
    let action = if on { "power on" } else { "power off" };
    // A task whose id was lost, perhaps one that waits for an answer to vCenter's question.
    let task_name = if on { "VirtualMachine.powerOn" } else { "VirtualMachine.powerOff" };
    if resume.is_empty() && vm.vm.running_tasks.iter().any(|task| task.starts_with(task_name)) {
        return Ok(Some(pending::pending("", None)));
    }
    match pending::follow(client, resume, action, &object, start).await {
        Ok(pending::Progress::Pending(pending)) => Ok(Some(pending)),
        Ok(pending::Progress::Done(_)) => match state_now(client, &vm.moref).await? == wanted {
            true => Ok(None),
            false => Ok(Some(pending::pending("", None))),
        },
        // Somebody else was quicker.
        Err(error) if error.is_fault("InvalidPowerState") && state_now(client, &vm.moref).await? == wanted => Ok(None),
        Err(error) => Err(error),
    }
}

async fn state_now(client: &Client, vm: &MoRef) -> Result<pb::PowerState, Error> {
    let found = client.retrieve_one(POWER, vm, &format!("VM {}", vm.value)).await?;
    Ok(crate::topology::vm::power_state(&found))
}

async fn shut_down(
    client: &Client,
    vm: &VmRead,
    request: &pb::SetVmPowerRequest,
) -> Result<Option<strata_proto::strata::common::v1::Pending>, Error> {
    let object = format!("VM {}", vm.vm.display_name);
    let until: Timestamp = match request.resume.strip_prefix(SHUT_DOWN_UNTIL).and_then(|text| text.parse().ok()) {
        Some(until) => until,
        None => {
            client.shut_down_guest(&vm.moref, &object).await?;
            let seconds = request
                .budget
                .map_or(SHUT_DOWN_BUDGET_SECONDS, |budget| budget.seconds.clamp(1, SHUT_DOWN_BUDGET_SECONDS_MAX));
            client.clock().now() + std::time::Duration::from_secs(u64::try_from(seconds).unwrap_or(1))
        }
    };
    let left = std::time::Duration::try_from(until.duration_since(client.clock().now())).unwrap_or_default();
    let wait = left.min(client.task_wait());
    let watched = client.watch(POWER, &vm.moref, wait, |vm| vm.text("runtime.powerState") == "poweredOff").await?;
    if watched.text("runtime.powerState") == "poweredOff" {
        return Ok(None);
    }
    if client.clock().now() < until {
        return Ok(Some(pending::pending(&format!("{SHUT_DOWN_UNTIL}{until}"), None)));
    }
    let text = format!(
        "the guest of VM {} did not shut down in time; power it off, or look at its console",
        vm.vm.display_name
    );
    Err(Refusal::new(ErrorKind::Timeout, "GUEST_DOES_NOT_SHUT_DOWN", text).and("vm", vm.vm.name.clone()).into())
}
