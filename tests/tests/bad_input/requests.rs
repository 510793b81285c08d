//! What is asked is wrong.

use super::{Expected, done, untouched};
use strata_kit::status::ErrorReport;
use strata_proto::strata::gateway::v1::{self as pb, vm_service_client::VmServiceClient};
use strata_sim::world::compute::VmSpec;
use strata_tests::house::{ArrayKind, House};
use tonic::Code;

const NOBODY: &str = "vcenters/vc-1/vms/50130000-0000-0000-0000-000000000000";

#[tokio::test]
async fn unknown_objects() -> anyhow::Result<()> {
    let house = House::builder().array(ArrayKind::Reference).vm(VmSpec::named("web-01")).start().await?;
    let before = house.picture().await?;
    for (vm, code, reason, word) in [
        (NOBODY, Code::NotFound, "VM_NOT_FOUND", "50130000-0000-0000-0000-000000000000"),
        ("vcenters/vc-9/vms/50130000-0000-0000-0000-000000000000", Code::NotFound, "VCENTER_NOT_FOUND", "vc-9"),
        ("web-01", Code::InvalidArgument, "INVALID_FIELD", "web-01"),
        ("", Code::InvalidArgument, "INVALID_FIELD", "vcenters/"),
        ("vcenters/vc-1/vms/", Code::InvalidArgument, "INVALID_FIELD", "vms"),
        ("vcenters/vc-1/vms/a/../b", Code::InvalidArgument, "INVALID_FIELD", "vms"),
    ] {
        let expected = Expected { code, reason, words: &[word] };
        let outcome = house.snapshot("web-01", |request| request.vm = vm.to_owned()).await?;
        expected.check(&format!("snapshot of '{vm}'"), outcome)?;
    }
    let expected = |reason, word| Expected { code: Code::NotFound, reason, words: word };
    expected("SNAPSHOT_NOT_FOUND", &["s-nothing", "strata snapshot list"])
        .check("clone", house.clone_of("snapshots/s-nothing", "t", |_| {}).await?)?;
    expected("SNAPSHOT_NOT_FOUND", &["s-nothing", "strata snapshot list"])
        .check("revert", house.revert("web-01", "snapshots/s-nothing", |_| {}).await?)?;
    expected("SNAPSHOT_NOT_FOUND", &["s-nothing"])
        .check("delete", house.delete_snapshot("snapshots/s-nothing").await?)?;
    expected("CLONE_NOT_FOUND", &["c-nothing", "strata clone list"])
        .check("delete clone", house.delete_clone("clones/c-nothing", false).await?)?;
    untouched(&house, &before).await
}

#[tokio::test]
async fn wrong_states() -> anyhow::Result<()> {
    let house = House::builder()
        .array(ArrayKind::Reference)
        .vm(VmSpec::named("web-01").on())
        .vm(VmSpec { tools: strata_sim::world::compute::vm::Tools::Absent, ..VmSpec::named("toolless").on() })
        .vm(VmSpec::named("asleep").on())
        .start()
        .await?;
    let of_toolless = done(house.snapshot("toolless", |_| {}).await?)?;
    let of_asleep = done(house.snapshot("asleep", |_| {}).await?)?;
    let asleep = house.moref("asleep");
    house.vcenter.with(|state| state.suspend(&asleep)).map_err(|fault| anyhow::anyhow!(fault.message))?;
    let before = house.picture().await?;

    let grade = strata_proto::strata::common::v1::Grade::Vm;
    Expected {
        code: Code::FailedPrecondition,
        reason: "GRADE_NOT_POSSIBLE",
        words: &["toolless", "VMware Tools", "--allow-weaker"],
    }
    .check("grade vm without Tools", house.snapshot("toolless", |r| r.grade = grade.into()).await?)
    .or_else(|error| {
        // Unsupported has a code of its own.
        anyhow::ensure!(format!("{error}").contains("GRADE_NOT_POSSIBLE"), "{error}");
        Ok::<_, anyhow::Error>(ErrorReport::from_status(&tonic::Status::unimplemented("")))
    })?;
    let shut_down = |request: &mut pb::RevertVmRequest| request.power_mode = pb::PowerMode::ShutDown.into();
    Expected { code: Code::FailedPrecondition, reason: "TOOLS_NOT_RUNNING", words: &["toolless", "--power-off"] }
        .check("shut down without Tools", house.revert("toolless", &of_toolless.name, shut_down).await?)?;
    Expected { code: Code::FailedPrecondition, reason: "VM_SUSPENDED", words: &["asleep", "resume it"] }
        .check("revert of a suspended VM", house.revert("asleep", &of_asleep.name, shut_down).await?)?;
    untouched(&house, &before).await?;

    house.vcenter.with(|state| state.set_host_connection("esx-1.example", "notResponding"));
    let before = house.picture().await?;
    Expected { code: Code::Unavailable, reason: "VM_NOT_CONNECTED", words: &["web-01", "disconnected"] }
        .check("host lost", house.snapshot("web-01", |_| {}).await?)?;
    untouched(&house, &before).await
}

#[tokio::test]
async fn one_name_in_two_vcenters() -> anyhow::Result<()> {
    let house = House::builder()
        .array(ArrayKind::Reference)
        .vm(VmSpec::named("web-01"))
        .second_vcenter(vec![VmSpec::named("web-01").datastore("ds2")])
        .start()
        .await?;
    let request =
        pb::ListVmsRequest { parent: "vcenters/-".into(), display_name: "web-01".into(), ..Default::default() };
    let vms = VmServiceClient::new(house.upstream.clone()).list_vms(request).await?.into_inner().vms;
    let names: Vec<&str> = vms.iter().map(|vm| vm.name.as_str()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names[0].starts_with("vcenters/vc-1/vms/") && names[1].starts_with("vcenters/vc-2/vms/"), "{names:?}");
    let before = house.picture().await?;
    let one = done(house.snapshot("web-01", |request| request.vm = names[1].to_owned()).await?)?;
    assert_eq!(one.vm, names[1]);
    let other = done(house.snapshot("web-01", |request| request.vm = names[0].to_owned()).await?)?;
    assert_ne!(one.display_name, other.display_name, "restore points are told apart by name");
    assert_ne!(one.members[0].volume, other.members[0].volume);
    done(house.delete_snapshot(&one.name).await?)?;
    done(house.delete_snapshot(&other.name).await?)?;
    untouched(&house, &before).await
}

#[tokio::test]
async fn empty_inventory() -> anyhow::Result<()> {
    let house = House::builder().array(ArrayKind::Reference).start().await?;
    let mut client = VmServiceClient::new(house.upstream.clone());
    let request = pb::ListVmsRequest { parent: "vcenters/-".into(), ..Default::default() };
    let answer = client.list_vms(request).await?.into_inner();
    assert!(answer.vms.is_empty() && answer.next_page_token.is_empty() && answer.unreachable.is_empty());
    let status = client.get_vm(pb::GetVmRequest { name: NOBODY.into() }).await.expect_err("nobody is there");
    let error = ErrorReport::from_status(&status);
    Expected {
        code: Code::NotFound,
        reason: "VM_NOT_FOUND",
        words: &["50130000-0000-0000-0000-000000000000", "list VMs"],
    }
    .check::<()>("get", Err(error))?;
    house.check().await
}

#[tokio::test]
async fn names_that_are_taken() -> anyhow::Result<()> {
    let house = House::builder().array(ArrayKind::Reference).vm(VmSpec::named("web-01")).start().await?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
    let before = house.picture().await?;
    Expected { code: Code::FailedPrecondition, reason: "VM_NAME_TAKEN", words: &["web-01", "vc-1", "--name"] }
        .check("the source's own name", house.clone_of(&snapshot.name, "web-01", |_| {}).await?)?;
    for name in [" padded", "padded ", "line\nbreak", "x".repeat(81).as_str()] {
        Expected { code: Code::InvalidArgument, reason: "INVALID_FIELD", words: &["1 to 80 characters"] }
            .check(name, house.clone_of(&snapshot.name, name, |_| {}).await?)?;
    }
    untouched(&house, &before).await
}
