//! Which order to freeze is sent for which grade and guest, and which grade is said to have been achieved.

use crate::support::simulated::Simulated;
use pb::inventory_service_server::InventoryService as _;
use strata_inventory_svc::topology::pb;
use strata_proto::strata::common::v1::Grade;
use strata_sim::{
    fault::{Action, Rule},
    world::compute::{DiskSpec, VmSpec, vm::Tools},
};
use tonic::Request;

fn windows(name: &str) -> VmSpec {
    VmSpec {
        guest_id: "windows2019srv_64Guest".into(),
        extra: vec![("disk.EnableUUID".into(), "TRUE".into())],
        ..VmSpec::named(name)
    }
}

async fn vm(sim: &Simulated) -> pb::Vm {
    let request = pb::ListVmsRequest { parent: "vcenters/vc-1".into(), ..Default::default() };
    let name = sim.face.list_vms(Request::new(request)).await.expect("a list").into_inner().vms[0].name.clone();
    sim.face.get_vm(Request::new(pb::GetVmRequest { name, fresh: true })).await.expect("the VM").into_inner()
}

async fn quiesced(sim: &Simulated, grade: Grade) -> pb::QuiesceVmResponse {
    let mut request =
        pb::QuiesceVmRequest { vm: vm(sim).await.name, key: "s-1".into(), grade: grade.into(), ..Default::default() };
    loop {
        let answer = sim.face.quiesce_vm(Request::new(request.clone())).await.expect("a snapshot").into_inner();
        match answer.pending {
            Some(pending) => request.resume = pending.resume,
            None => return answer,
        }
    }
}

fn frozen_applications(sim: &Simulated) -> u32 {
    sim.vc.with(|state| state.vms.values().map(|vm| vm.application_freezes).sum())
}

#[tokio::test]
async fn applications_are_frozen_where_the_guest_tells() {
    let no_uuids = VmSpec { extra: Vec::new(), ..windows("w") };
    for (what, spec, asked, achieved, freezes, reason) in [
        ("Windows", windows("w"), Grade::App, Grade::App, 1, ""),
        ("Windows, not asked", windows("w"), Grade::Vm, Grade::Vm, 0, ""),
        ("Windows without uuids of disks", no_uuids, Grade::App, Grade::Vm, 0, "disk.EnableUUID"),
        ("Linux", VmSpec::named("l"), Grade::App, Grade::Vm, 0, "Windows"),
        ("no Tools", VmSpec { tools: Tools::Absent, ..windows("w") }, Grade::App, Grade::Crash, 0, "VMware Tools"),
    ] {
        let sim = Simulated::new(|builder| builder.vm(spec.on()));
        let answer = quiesced(&sim, asked).await;
        assert_eq!((answer.grade(), frozen_applications(&sim)), (achieved, freezes), "{what}: {answer:?}");
        assert_eq!(answer.quiesced, achieved >= Grade::Vm, "{what}");
        assert!(answer.reason.contains(reason) && answer.reason.is_empty() == reason.is_empty(), "{what}: {answer:?}");
        // The answer was lost: what is found is told the same.
        assert_eq!(quiesced(&sim, asked).await, answer, "{what}");
        assert_eq!(frozen_applications(&sim), freezes, "{what}: frozen once");
    }
}

#[tokio::test]
async fn a_vcenter_that_cannot_is_asked_for_less_and_no_more_is_claimed() {
    for (what, rule, calls) in [
        ("no VSS", Rule::new(refuse("NotSupported")).object("WindowsQuiesceSpec"), 1),
        ("no such call", Rule::new(refuse("MethodNotFound")).method("CreateSnapshotEx_Task"), 2),
    ] {
        let sim = Simulated::new(|builder| builder.vm(windows("w").on()));
        let faults = sim.vc.with(|state| state.world.clone());
        let rule = faults.faults().add(rule);
        let answer = quiesced(&sim, Grade::App).await;
        assert_eq!(faults.faults().acted(rule), calls, "{what}");
        assert_eq!((answer.grade(), frozen_applications(&sim)), (Grade::Vm, 0), "{what}: {answer:?}");
        assert!(answer.reason.contains("this vCenter"), "{what}: {answer:?}");
    }
}

fn refuse(code: &str) -> Action {
    Action::Refuse { status: 500, code: code.to_owned(), message: "not here".to_owned() }
}

#[tokio::test]
async fn what_stands_in_the_way_is_told_before() {
    for (spec, reason) in [
        (windows("w"), ""),
        (VmSpec::named("l"), "Windows"),
        (VmSpec { extra: vec![("disk.EnableUUID".into(), "FALSE".into())], ..windows("w") }, "disk.EnableUUID"),
    ] {
        let sim = Simulated::new(|builder| builder.vm(spec.disks(vec![DiskSpec::of(1 << 20)]).on()));
        let found = vm(&sim).await;
        assert_eq!(found.application_freeze, reason.is_empty(), "{found:?}");
        assert!(found.application_freeze_reason.contains(reason), "{found:?}");
    }
}
