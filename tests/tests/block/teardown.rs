//! How clones on LUNs go: hosts first, in one order, and never past a host that does not answer.

use super::done;
use std::collections::BTreeSet;
use strata_proto::{
    google::longrunning::operations_client::OperationsClient,
    strata::gateway::v1::{self as pb, clone_service_client::CloneServiceClient},
};
use strata_sim::world::compute::VmSpec;
use strata_tests::house::{ArrayKind, House};

#[tokio::test]
async fn s19_hosts_let_go_before_the_array_unmaps() -> anyhow::Result<()> {
    let house = House::builder().array(ArrayKind::ReferenceLuns).vm(VmSpec::named("web-01")).start().await?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
    let clone = done(house.clone_of(&snapshot.name, "t", |_| {}).await?)?;
    house.gate.take_calls();
    done(house.delete_clone(&clone.name, false).await?)?;
    let order = ["UnregisterVm", "DetachDatastore", "RemoveExport", "ForgetDevices", "RemoveClone"];
    let mut calls = house.gate.take_calls();
    calls.retain(|call| order.contains(&call.as_str()));
    calls.dedup();
    assert_eq!(calls, order);
    house.check().await
}

#[tokio::test]
async fn s19_a_host_that_does_not_answer_stops_the_teardown() -> anyhow::Result<()> {
    let house = House::builder().array(ArrayKind::ReferenceLuns).vm(VmSpec::named("web-01")).start().await?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
    let clone = done(house.clone_of(&snapshot.name, "t", |_| {}).await?)?;
    let silent = |connection: &'static str| {
        house.vcenter.with(|state| {
            let (id, _) = state.hosts.iter().find(|(_, host)| host.name == "esx-2.example").expect("the host");
            let id = id.clone();
            if let Some(host) = state.hosts.get_mut(&id) {
                connection.clone_into(&mut host.connection);
            }
            state.touch();
        });
    };
    silent("notResponding");
    house.gate.take_calls();
    let request = pb::DeleteCloneRequest { name: clone.name.clone(), ..Default::default() };
    let begun = CloneServiceClient::new(house.upstream.clone()).delete_clone(request).await?.into_inner();
    // It tries for a while; nothing may be taken from under the host meanwhile.
    let told = loop {
        let get = strata_proto::google::longrunning::GetOperationRequest { name: begun.name.clone() };
        let now = OperationsClient::new(house.upstream.clone()).get_operation(get).await?.into_inner();
        let metadata: pb::OperationMetadata = prost::Message::decode(now.metadata.expect("metadata").value.as_slice())?;
        let step = metadata.steps.into_iter().find(|step| step.name == "let_go").expect("the step");
        if !step.message.is_empty() || now.done {
            break step.message;
        }
        tokio::task::yield_now().await;
    };
    assert!(told.contains("esx-2.example"), "{told}");
    let calls: BTreeSet<String> = house.gate.take_calls().into_iter().collect();
    assert!(!calls.contains("RemoveExport") && !calls.contains("RemoveClone"), "{calls:?}");
    // It answers again, and the teardown goes on by itself.
    silent("connected");
    let operation = strata_proto::google::longrunning::Operation { name: begun.name, ..Default::default() };
    done(house.ended::<()>(Ok(tonic::Response::new(operation))).await?)?;
    house.check().await
}

#[tokio::test]
async fn s18_a_clone_of_a_shared_vmfs_names_whom_it_holds_and_goes_to_its_folder() -> anyhow::Result<()> {
    let house = House::builder()
        .array(ArrayKind::ReferenceLuns)
        .vm(VmSpec::named("web-01"))
        .vm(VmSpec::named("neighbour"))
        .start()
        .await?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
    let request = pb::CreateCloneRequest {
        snapshot: snapshot.name.clone(),
        display_name: "t".into(),
        hosts: vec!["esx-1.example".into()],
        ..Default::default()
    };
    let plan = done(house.plan(pb::plan_request::Request::CreateClone(request)).await?)?;
    let facts = |topic: &str| -> Vec<String> {
        plan.facts.iter().filter(|fact| fact.topic == topic).map(|fact| fact.text.clone()).collect()
    };
    assert!(facts("tenancy").iter().any(|text| text.contains("neighbour")), "{plan:?}");
    let hosts = facts("host");
    assert!(hosts.len() == 1 && hosts[0].starts_with("esx-1.example by "), "{hosts:?}");
    let clone = done(house.clone_of(&snapshot.name, "t", |r| r.hosts = vec!["esx-1.example".into()]).await?)?;
    house.vcenter.with(|state| {
        let store = state.datastores.values().find(|store| store.name == clone.datastores[0]).expect("the datastore");
        let mounting: Vec<&str> = store
            .mounts
            .iter()
            .filter(|mount| mount.mounted)
            .map(|mount| state.hosts[&mount.host].name.as_str())
            .collect();
        assert_eq!(mounting, ["esx-1.example"], "nobody else sees the neighbours' disks");
    });
    done(house.delete_clone(&clone.name, false).await?)?;
    house.check().await
}
