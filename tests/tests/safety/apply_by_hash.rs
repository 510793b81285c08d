//! Apply by hash: a plan that was looked at is done as it was shown, or not at all, and the object that changed is named.

use super::{done, refused};
use strata_proto::strata::gateway::v1::{
    self as pb, clone_service_client::CloneServiceClient, plan_request::Request as Wanted,
    snapshot_service_client::SnapshotServiceClient, vm_service_client::VmServiceClient,
};
use strata_sim::world::compute::VmSpec;
use strata_tests::house::{ArrayKind, House, Outcome, on_each};

const KINDS: [ArrayKind; 3] = [ArrayKind::Reference, ArrayKind::ReferenceByVolume, ArrayKind::ReferenceLuns];

async fn house(array: ArrayKind) -> anyhow::Result<House> {
    House::builder().array(array).vm(VmSpec::named("web-01")).vm(VmSpec::named("db-01")).start().await
}

/// The request with this hash in it.
fn with_hash(request: &Wanted, hash: &str) -> Wanted {
    let mut request = request.clone();
    let plan_hash = match &mut request {
        Wanted::CreateSnapshot(it) => &mut it.plan_hash,
        Wanted::DeleteSnapshot(it) => &mut it.plan_hash,
        Wanted::CreateClone(it) => &mut it.plan_hash,
        Wanted::DeleteClone(it) => &mut it.plan_hash,
        Wanted::RevertVm(it) => &mut it.plan_hash,
        Wanted::CommitRevert(it) => &mut it.plan_hash,
    };
    *plan_hash = hash.to_owned();
    request
}

/// Sends the request itself and waits for its end; the name of what was made, where something was.
async fn send(house: &House, request: Wanted) -> anyhow::Result<Outcome<String>> {
    let upstream = || house.upstream.clone();
    Ok(match request {
        Wanted::CreateSnapshot(it) => {
            let sent = SnapshotServiceClient::new(upstream()).create_snapshot(it).await;
            house.ended::<pb::Snapshot>(sent).await?.map(|made| made.name)
        }
        Wanted::CreateClone(it) => {
            let sent = CloneServiceClient::new(upstream()).create_clone(it).await;
            house.ended::<pb::Clone>(sent).await?.map(|made| made.name)
        }
        Wanted::RevertVm(it) => {
            let sent = VmServiceClient::new(upstream()).revert_vm(it).await;
            house.ended::<pb::RevertVmResponse>(sent).await?.map(|made| made.safety_snapshot)
        }
        Wanted::DeleteSnapshot(it) => {
            let sent = SnapshotServiceClient::new(upstream()).delete_snapshot(it).await;
            house.ended::<()>(sent).await?.map(|()| String::new())
        }
        Wanted::DeleteClone(it) => {
            let sent = CloneServiceClient::new(upstream()).delete_clone(it).await;
            house.ended::<()>(sent).await?.map(|()| String::new())
        }
        Wanted::CommitRevert(it) => {
            let sent = VmServiceClient::new(upstream()).commit_revert(it).await;
            house.ended::<()>(sent).await?.map(|()| String::new())
        }
    })
}

/// Two plans of one world have one hash; another hash is refused and nothing happens; the plan's own is done.
async fn applied(house: &House, request: Wanted) -> anyhow::Result<String> {
    let first = done(house.plan(request.clone()).await?)?;
    let second = done(house.plan(request.clone()).await?)?;
    assert_eq!(first.objects, second.objects, "{}", first.summary);
    assert_eq!(first.hash, second.hash, "{}", first.summary);
    let before = house.picture().await?;
    refused(send(house, with_hash(&request, &"0".repeat(32))).await?, "PLAN_CHANGED", &["no longer knows"])?;
    before.expect_same(&house.picture().await?)?;
    done(send(house, with_hash(&request, &first.hash)).await?)
}

#[tokio::test]
async fn every_operation_is_applied_by_its_hash() -> anyhow::Result<()> {
    on_each(&KINDS, |array| async move {
        let house = house(array).await?;
        let vm = house.vm("web-01").await?;
        let snapshot = pb::CreateSnapshotRequest { vm: vm.clone(), ..Default::default() };
        let point = applied(&house, Wanted::CreateSnapshot(snapshot)).await?;
        let clone =
            pb::CreateCloneRequest { snapshot: point.clone(), display_name: "web-01-t".into(), ..Default::default() };
        let clone = applied(&house, Wanted::CreateClone(clone)).await?;
        applied(&house, Wanted::DeleteClone(pb::DeleteCloneRequest { name: clone, ..Default::default() })).await?;
        let revert = pb::RevertVmRequest { vm: vm.clone(), snapshot: point.clone(), ..Default::default() };
        applied(&house, Wanted::RevertVm(revert)).await?;
        if array != ArrayKind::Reference {
            applied(&house, Wanted::CommitRevert(pb::CommitRevertRequest { vm, ..Default::default() })).await?;
        }
        applied(&house, Wanted::DeleteSnapshot(pb::DeleteSnapshotRequest { name: point, ..Default::default() }))
            .await?;
        house.check().await
    })
    .await
}

/// What happens between the look and the apply, and a word of the object that must be named.
type Change = (&'static str, fn(&House) -> anyhow::Result<()>, &'static str);

const CHANGES: [Change; 3] = [
    ("somebody's folder arrives", arrives, "late-01"),
    ("the VM is another one", becomes_another, "VM web-01"),
    ("a neighbour is renamed", neighbour_renamed, "db-01 beside it is gone"),
];

fn arrives(house: &House) -> anyhow::Result<()> {
    let tree = house.tree("ds1")?;
    tree.create_dir_all("late-01")?;
    Ok(tree.write("late-01/late-01.vmx", 0, b"displayName = \"late-01\"\n")?)
}

fn becomes_another(house: &House) -> anyhow::Result<()> {
    changed(house, "web-01", |config| config.uuid = "4213ffff-0000-0000-0000-00000000ffff".to_owned())
}

fn neighbour_renamed(house: &House) -> anyhow::Result<()> {
    changed(house, "db-01", |config| config.name = "db-99".to_owned())
}

fn changed(house: &House, vm: &str, change: fn(&mut strata_sim::world::compute::vm::VmConfig)) -> anyhow::Result<()> {
    let id = house.moref(vm);
    house.vcenter.with(|state| {
        let vm = state.vm_mut(&id).map_err(|fault| anyhow::anyhow!("{}", fault.message))?;
        change(&mut vm.config);
        state.touch();
        Ok(())
    })
}

#[tokio::test]
async fn a_world_that_changed_is_refused_and_the_object_named() -> anyhow::Result<()> {
    for (what, change, word) in CHANGES {
        let house = house(ArrayKind::Reference).await?;
        let vm = house.vm("web-01").await?;
        let request = Wanted::CreateSnapshot(pb::CreateSnapshotRequest { vm, ..Default::default() });
        let plan = done(house.plan(request.clone()).await?)?;
        change(&house)?;
        let before = house.picture().await?;
        let error = refused(send(&house, with_hash(&request, &plan.hash)).await?, "PLAN_CHANGED", &[word, "--dry-run"])
            .map_err(|error| error.context(what))?;
        assert_eq!(error.code, tonic::Code::FailedPrecondition, "{what}");
        before.expect_same(&house.picture().await?)?;
        let now = done(house.plan(request.clone()).await?)?;
        done(send(&house, with_hash(&request, &now.hash)).await?)?;
    }
    Ok(())
}

#[tokio::test]
async fn load_and_a_restart_change_no_hash() -> anyhow::Result<()> {
    let mut house = house(ArrayKind::Reference).await?;
    let vm = house.vm("web-01").await?;
    let request = Wanted::CreateSnapshot(pb::CreateSnapshotRequest { vm, ..Default::default() });
    let plan = done(house.plan(request.clone()).await?)?;
    house.write("web-01", &[7; super::BLOCK])?;
    changed(&house, "web-01", |config| config.memory_mb += 1024)?;
    // vMotion of the neighbour.
    let id = house.moref("db-01");
    house.vcenter.with(|state| {
        let hosts: Vec<String> = state.hosts.keys().cloned().collect();
        if let Ok(vm) = state.vm_mut(&id) {
            vm.host = hosts.into_iter().find(|host| *host != vm.host).unwrap_or_default();
        }
        state.touch();
    });
    house = house.restart().await?;
    let now = done(house.plan(request.clone()).await?)?;
    assert_eq!((&now.objects, &now.hash), (&plan.objects, &plan.hash));
    done(send(&house, with_hash(&request, &plan.hash)).await?)?;
    house.check().await
}
