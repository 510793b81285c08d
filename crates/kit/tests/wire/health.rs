//! T8: health starts NOT_SERVING, Watch stays open, List exists.

use crate::lab::{Ask, Lab, stream_of};
use strata_kit::{
    contract::{ContractOptions, stack},
    health::{HealthHandle, HealthListRequest, HealthListResponse, ServingStatus},
    upstream::Upstream,
};
use tonic::{Code, Request, client::Grpc, server::NamedService as _, service::Routes};
use tonic_prost::ProstCodec;

const WATCH: &str = "/grpc.health.v1.Health/Watch";

fn lab() -> (Upstream, HealthHandle) {
    let health = HealthHandle::new(["a.v1.A", "b.v1.B"]);
    let stack = stack(Routes::default(), &health, ContractOptions::default());
    (Upstream::in_process("lab", stack), health)
}

async fn check(upstream: &Upstream, service: &str) -> Result<ServingStatus, Code> {
    strata_kit::health::check(upstream, service).await.map_err(|status| status.code())
}

#[tokio::test]
async fn check_tells_the_truth_from_start_to_drain() {
    use ServingStatus::{NotServing, Serving};
    let (upstream, health) = lab();
    let all = async |process, a, b| {
        for (name, expected) in [("", process), ("a.v1.A", a), ("b.v1.B", b)] {
            assert_eq!(check(&upstream, name).await, Ok(expected), "{name:?}");
        }
        assert_eq!(check(&upstream, "c.v1.C").await, Err(Code::NotFound));
    };
    all(NotServing, NotServing, NotServing).await;
    health.set("a.v1.A", true);
    all(NotServing, Serving, NotServing).await;
    health.set_all_serving();
    all(Serving, Serving, Serving).await;
    health.set("b.v1.B", false);
    all(NotServing, Serving, NotServing).await;
    health.drain();
    health.set_all_serving();
    all(NotServing, NotServing, NotServing).await;
}

#[tokio::test]
async fn a_process_without_services_is_not_serving() {
    assert_eq!(HealthHandle::new([] as [&str; 0]).status(""), ServingStatus::NotServing);
    assert_ne!(Lab::health().status(Lab::NAME), ServingStatus::Serving);
}

#[tokio::test]
async fn list_names_everything() {
    let (upstream, health) = lab();
    health.set("a.v1.A", true);
    let path = http::uri::PathAndQuery::from_static("/grpc.health.v1.Health/List");
    let answer: tonic::Response<HealthListResponse> =
        Grpc::new(upstream).unary(Request::new(HealthListRequest {}), path, ProstCodec::default()).await.unwrap();
    let statuses: Vec<_> =
        answer.into_inner().statuses.into_iter().map(|(name, answer)| (name, answer.status())).collect();
    let expected = [
        (String::new(), ServingStatus::NotServing),
        ("a.v1.A".to_owned(), ServingStatus::Serving),
        ("b.v1.B".to_owned(), ServingStatus::NotServing),
    ];
    assert_eq!(statuses, expected);
}

#[tokio::test]
async fn watch_stays_open_for_an_unknown_service_and_ends_on_close() {
    let (upstream, health) = lab();
    let ask = |name: &str| Request::new(Ask { service: name.to_owned() });
    let mut unknown = stream_of(&upstream, WATCH, ask("late.v1.Late")).await.unwrap();
    let mut known = stream_of(&upstream, WATCH, ask("a.v1.A")).await.unwrap();
    assert_eq!(unknown.message().await.unwrap().unwrap().status(), ServingStatus::ServiceUnknown);
    assert_eq!(known.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    health.set("late.v1.Late", true);
    assert_eq!(unknown.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    health.drain();
    assert_eq!(unknown.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    health.close();
    assert!(unknown.message().await.unwrap().is_none());
    assert!(known.message().await.unwrap().is_none(), "no change for it, so nothing before the end");
}
