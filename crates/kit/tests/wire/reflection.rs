//! Reflection in both versions, with health and the error details in it.

use crate::lab::Lab;
use prost::Message as _;
use strata_kit::{
    contract::{ContractOptions, stack},
    health, reflection,
    upstream::Upstream,
};
use tonic::service::Routes;
use tonic_reflection::pb::{v1, v1alpha};

macro_rules! asks {
    ($version:ident, $upstream:expr, $request:expr) => {{
        let request = $version::ServerReflectionRequest { host: String::new(), message_request: Some($request) };
        let mut client = $version::server_reflection_client::ServerReflectionClient::new($upstream.clone());
        let mut answers = client.server_reflection_info(futures::stream::iter([request])).await.unwrap().into_inner();
        answers.message().await.unwrap().unwrap().message_response.unwrap()
    }};
}

#[tokio::test]
async fn both_versions_list_services_and_know_health_and_error_details() {
    // With our protos, and with a set that lacks the error details.
    both(strata_proto::DESCRIPTOR_SET, "google/rpc/error_details.proto", "strata.gateway.v1.").await;
    both(&health::file_descriptor_set().encode_to_vec(), "error_details.proto", "grpc.health.v1.").await;
}

async fn both(set: &[u8], details_file: &str, service_prefix: &str) {
    let routes = reflection::add(Routes::new(Lab::default()), &[set]).unwrap();
    let upstream = Upstream::in_process("lab", stack(routes, &Lab::health(), ContractOptions::default()));
    {
        use v1::{server_reflection_request::MessageRequest as Ask, server_reflection_response::MessageResponse as Is};
        let Is::ListServicesResponse(list) = asks!(v1, upstream, Ask::ListServices(String::new())) else {
            panic!("no list")
        };
        assert!(list.service.iter().any(|it| it.name == health::SERVICE_NAME), "{list:?}");
        assert!(list.service.iter().any(|it| it.name.starts_with(service_prefix)), "{list:?}");
        let Is::FileDescriptorResponse(file) =
            asks!(v1, upstream, Ask::FileContainingSymbol("google.rpc.ErrorInfo".to_owned()))
        else {
            panic!("no error details")
        };
        let file = prost_types::FileDescriptorProto::decode(file.file_descriptor_proto[0].as_slice()).unwrap();
        assert_eq!(file.name(), details_file);
        for symbol in ["grpc.health.v1.HealthListResponse", "grpc.health.v1.Health.List"] {
            let answer = asks!(v1, upstream, Ask::FileContainingSymbol(symbol.to_owned()));
            assert!(matches!(&answer, Is::FileDescriptorResponse(_)), "{symbol}: {answer:?}");
        }
    }
    {
        use v1alpha::{
            server_reflection_request::MessageRequest as Ask, server_reflection_response::MessageResponse as Is,
        };
        let answer = asks!(v1alpha, upstream, Ask::FileContainingSymbol("google.rpc.ErrorInfo".to_owned()));
        assert!(matches!(&answer, Is::FileDescriptorResponse(_)), "{answer:?}");
    }
}

#[tokio::test]
async fn only_what_is_served_is_listed_when_asked() {
    let health = health::HealthHandle::new(["strata.storage.v1.StorageService"]);
    let routes = reflection::add_served(Routes::new(Lab::default()), &[strata_proto::DESCRIPTOR_SET], &health).unwrap();
    let upstream = Upstream::in_process("lab", stack(routes, &health, ContractOptions::default()));
    use v1alpha::{
        server_reflection_request::MessageRequest as Ask, server_reflection_response::MessageResponse as Is,
    };
    let Is::ListServicesResponse(list) = asks!(v1alpha, upstream, Ask::ListServices(String::new())) else {
        panic!("no list")
    };
    let mut names: Vec<String> = list.service.into_iter().map(|service| service.name).collect();
    names.sort();
    let expected = [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
        "strata.storage.v1.StorageService",
    ];
    assert_eq!(names, expected);
    for name in names {
        let answer = asks!(v1alpha, upstream, Ask::FileContainingSymbol(name.clone()));
        assert!(matches!(&answer, Is::FileDescriptorResponse(_)), "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn a_set_that_is_none_is_refused() {
    assert!(reflection::add(Routes::default(), &[b"\xff\xff\xff"]).is_err());
}
