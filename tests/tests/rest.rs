//! The REST face over a whole installation: the same answers as gRPC, errors as google.rpc.Status, and a client that nobody here wrote.

#[path = "rest/caller.rs"]
mod caller;
#[path = "rest/foreign.rs"]
mod foreign;

use caller::{Rest, vm_path};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use strata_proto::strata::gateway::v1::{self as pb, vm_service_client::VmServiceClient};
use strata_sim::world::compute::VmSpec;
use strata_tests::house::{ArrayKind, House};

async fn house() -> anyhow::Result<House> {
    House::builder()
        .array(ArrayKind::Reference)
        .vm(VmSpec::named("web-01"))
        .vm(VmSpec::named("größe @:%#"))
        .start()
        .await
}

#[tokio::test]
async fn the_main_job_by_rest() -> anyhow::Result<()> {
    let house = house().await?;
    let rest = Rest::of(&house)?;
    let vms = rest.ok(Method::GET, "/v1/vcenters/-/vms?pageSize=10", Value::Null).await?;
    assert_eq!(vms["vms"].as_array().map(Vec::len), Some(2));
    let vm = vm_path(&vms, "web-01");

    let asked =
        json!({ "grade": "GRADE_VM", "description": "by REST", "requestId": "11111111-2222-4333-8444-555555555555" });
    let first = rest.ok(Method::POST, &format!("{vm}/snapshots"), asked.clone()).await?;
    let again = rest.ok(Method::POST, &format!("{vm}/snapshots"), asked).await?;
    assert_eq!(first["name"], again["name"], "the same request id is the same operation");
    let done = rest.finish(&first).await?;
    assert_eq!(done["response"]["@type"], "type.googleapis.com/strata.gateway.v1.Snapshot", "{done}");
    assert_eq!(done["metadata"]["state"], "OPERATION_STATE_SUCCEEDED");
    let point = format!("/v1/{}", done["response"]["name"].as_str().unwrap_or_default());

    let snapshots = rest.ok(Method::GET, &format!("{vm}/snapshots"), Value::Null).await?;
    assert_eq!(snapshots["snapshots"][0]["description"], "by REST");
    let clone = rest.ok(Method::POST, &format!("{point}/clones"), json!({ "displayName": "web-01-t" })).await?;
    let clone = rest.finish(&clone).await?;
    assert_eq!(clone["response"]["displayName"], "web-01-t", "{clone}");
    let clone = format!("/v1/{}", clone["response"]["name"].as_str().unwrap_or_default());
    for path in [&clone, &point] {
        let removed = rest.ok(Method::DELETE, path, Value::Null).await?;
        assert_eq!(rest.finish(&removed).await?["done"], true);
    }
    assert!(house.gateway.deps().ledger.entries().await?.is_empty(), "nothing of ours is left");
    house.check().await
}

#[tokio::test]
async fn rest_says_what_grpc_says() -> anyhow::Result<()> {
    let house = house().await?;
    let rest = Rest::of(&house)?;
    let by_rest = rest.ok(Method::GET, "/v1/vcenters/-/vms", Value::Null).await?;
    let request = pb::ListVmsRequest { parent: "vcenters/-".into(), ..Default::default() };
    let by_grpc = VmServiceClient::new(house.upstream.clone()).list_vms(request).await?.into_inner();
    for (listed, vm) in by_rest["vms"].as_array().into_iter().flatten().zip(&by_grpc.vms) {
        assert_eq!(listed["name"], vm.name);
        assert_eq!(listed["displayName"], vm.display_name);
        let one = rest.ok(Method::GET, &format!("/v1/{}", vm.name), Value::Null).await?;
        assert_eq!(one["name"], vm.name);
    }
    assert_eq!(by_grpc.vms.len(), 2);
    Ok(())
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() -> anyhow::Result<()> {
    let house = house().await?;
    let rest = Rest::of(&house)?;
    let first = rest.send(Method::GET, "/v1/vcenters/-/vms/-/snapshots", Value::Null, &[]).await?;
    let tag = first.header("etag");
    assert!(tag.starts_with('"') && tag.len() > 10, "{tag}");
    let known = [("if-none-match", tag.as_str())];
    let again = rest.send(Method::GET, "/v1/vcenters/-/vms/-/snapshots", Value::Null, &known).await?;
    assert_eq!((again.status, again.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
    assert_eq!(first.header("cache-control"), "no-store");
    Ok(())
}

#[tokio::test]
async fn errors_are_statuses_that_name_the_field_and_the_remedy() -> anyhow::Result<()> {
    let house = house().await?;
    let rest = Rest::of(&house)?;
    let vms = rest.ok(Method::GET, "/v1/vcenters/-/vms", Value::Null).await?;
    let snapshots = format!("{}/snapshots", vm_path(&vms, "web-01"));
    // Method, path, body, HTTP status, gRPC code, a word of the message.
    let cases: &[(Method, &str, Value, u16, i32, &str)] = &[
        (Method::GET, "/v1/nothing", Value::Null, 404, 5, "openapi.json"),
        (Method::GET, "/v1/snapshots/s-000000000000", Value::Null, 404, 5, "s-000000000000"),
        (Method::GET, "/v1/operations/not-one", Value::Null, 404, 5, "not-one"),
        (Method::PATCH, "/v1/clones", Value::Null, 405, 12, "GET"),
        (Method::GET, "/v1/clones?page_size=many", Value::Null, 400, 3, "page_size"),
        (Method::GET, "/v1/clones?page_size=-1", Value::Null, 400, 3, "page_size"),
        (Method::GET, "/v1/clones?color=red", Value::Null, 400, 3, "color"),
        (Method::GET, "/v1/clones?pageToken=%zz", Value::Null, 400, 3, "percent"),
        (Method::GET, "/v1/clones", json!({ "a": 1 }), 400, 3, "body"),
        (Method::POST, &snapshots, json!({ "grdae": "GRADE_VM" }), 400, 3, "grdae"),
        (Method::POST, &snapshots, json!({ "grade": "GRADE_BEST" }), 400, 3, "grade"),
        (Method::POST, &snapshots, json!([1]), 400, 3, "object"),
        (Method::POST, &snapshots, json!({ "vm": "vcenters/a/vms/b" }), 400, 3, "another vm"),
        (Method::POST, &format!("{snapshots}?grade=GRADE_VM"), Value::Null, 400, 3, "belongs into the body"),
        (Method::POST, "/v1/vcenters/vc-1/vms/none/snapshots", json!({}), 404, 5, "none"),
    ];
    for (method, path, body, status, code, word) in cases {
        let answer = rest.send(method.clone(), path, body.clone(), &[]).await?;
        let error: Value = serde_json::from_str(&answer.body)?;
        assert_eq!(answer.status.as_u16(), *status, "{method} {path} {body}: {error}");
        assert_eq!(error["code"], *code, "{method} {path}: {error}");
        assert!(error["message"].as_str().is_some_and(|text| text.contains(word)), "{method} {path}: {error}");
        assert_eq!(
            error["details"][0]["@type"], "type.googleapis.com/google.rpc.ErrorInfo",
            "{method} {path}: {error}"
        );
    }
    let allowed = rest.send(Method::PUT, "/v1/clones", Value::Null, &[]).await?;
    assert_eq!(allowed.header("allow"), "GET");
    house.check().await
}

#[tokio::test]
async fn a_watch_flows_and_goes_on_where_it_was() -> anyhow::Result<()> {
    let house = house().await?;
    let rest = Rest::of(&house)?;
    let vms = rest.ok(Method::GET, "/v1/vcenters/-/vms", Value::Null).await?;
    let started = rest.ok(Method::POST, &format!("{}/snapshots", vm_path(&vms, "web-01")), json!({})).await?;
    let watch = format!("/v1/{}:watch", started["name"].as_str().unwrap_or_default());
    let lines = rest.send(Method::GET, &watch, Value::Null, &[]).await?;
    assert_eq!(lines.header("content-type"), "application/x-ndjson");
    let events: Vec<Value> =
        lines.body.lines().filter(|line| !line.is_empty()).map(serde_json::from_str).collect::<Result<_, _>>()?;
    let last = &events.last().map(|event| event["result"].clone()).unwrap_or_default();
    assert_eq!(last["done"], true, "{events:?}");
    assert!(events.len() > 3, "{events:?}");

    let accept = ("accept", "text/event-stream");
    let whole = rest.send(Method::GET, &watch, Value::Null, &[accept]).await?;
    assert_eq!(whole.header("content-type"), "text/event-stream");
    let ids =
        |body: &str| body.lines().filter_map(|line| line.strip_prefix("id: ").map(str::to_owned)).collect::<Vec<_>>();
    let all = ids(&whole.body);
    let resumed = rest.send(Method::GET, &watch, Value::Null, &[accept, ("last-event-id", &all[1])]).await?;
    let rest_of = ids(&resumed.body);
    assert!(!rest_of.is_empty() && all.ends_with(&rest_of) && !rest_of.contains(&all[1]), "{all:?} then {rest_of:?}");
    Ok(())
}

#[tokio::test]
async fn a_streams_failure_is_told_in_its_form() -> anyhow::Result<()> {
    let house = house().await?;
    let rest = Rest::of(&house)?;
    let none = "/v1/operations/01a22e55-824a-7429-ab1e-307c5dd2ffff:watch";
    let answer = rest.send(Method::GET, none, Value::Null, &[]).await?;
    assert!(answer.status == StatusCode::NOT_FOUND || answer.body.contains("\"error\""), "{}", answer.body);
    Ok(())
}

#[tokio::test]
async fn the_document_describes_every_path() -> anyhow::Result<()> {
    let house = house().await?;
    let rest = Rest::of(&house)?;
    let document = rest.ok(Method::GET, "/openapi.json", Value::Null).await?;
    let paths = document["paths"].as_object().map(serde_json::Map::len).unwrap_or_default();
    assert!(paths > 10, "{paths}");
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for method in item.as_object().into_iter().flat_map(serde_json::Map::keys).filter(|method| *method == "get") {
            let asked = path.replace(['{', '}'], "");
            let answer =
                rest.send(Method::from_bytes(method.to_uppercase().as_bytes())?, &asked, Value::Null, &[]).await?;
            assert!(!answer.body.contains("PATH_UNKNOWN"), "{method} {asked}: {}", answer.body);
            assert!(
                !answer.status.is_server_error() || answer.status == StatusCode::NOT_IMPLEMENTED,
                "{method} {asked}: {}",
                answer.body
            );
        }
    }
    Ok(())
}
