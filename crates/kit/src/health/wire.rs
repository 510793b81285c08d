//! The messages of grpc.health.v1 and their descriptor, by hand: three messages need no generated code.

use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    FileDescriptorSet, MessageOptions, MethodDescriptorProto, ServiceDescriptorProto,
    field_descriptor_proto::{Label, Type},
};
use std::collections::BTreeMap;

/// Full name of the service.
pub const SERVICE_NAME: &str = "grpc.health.v1.Health";

/// Asks for one service.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct HealthCheckRequest {
    /// Full service name; empty for the process.
    #[prost(string, tag = "1")]
    pub service: String,
}

/// What a service says of itself.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct HealthCheckResponse {
    /// The status.
    #[prost(enumeration = "ServingStatus", tag = "1")]
    pub status: i32,
}

/// Asks for all services.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct HealthListRequest {}

/// What all services say of themselves.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct HealthListResponse {
    /// By service name.
    #[prost(btree_map = "string, message", tag = "1")]
    pub statuses: BTreeMap<String, HealthCheckResponse>,
}

/// A service's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum ServingStatus {
    /// Never sent.
    Unknown = 0,
    /// Ready for calls.
    Serving = 1,
    /// Known, and not ready.
    NotServing = 2,
    /// No service of this name; only in Watch.
    ServiceUnknown = 3,
}

/// The descriptor of `grpc/health/v1/health.proto`, for reflection.
pub fn file_descriptor_set() -> FileDescriptorSet {
    let status_type = ".grpc.health.v1.HealthCheckResponse.ServingStatus";
    let response_type = ".grpc.health.v1.HealthCheckResponse";
    let entry_type = ".grpc.health.v1.HealthListResponse.StatusesEntry";
    let entry = DescriptorProto {
        options: Some(MessageOptions { map_entry: Some(true), ..Default::default() }),
        ..message(
            "StatusesEntry",
            vec![
                field("key", 1, Type::String, None, Label::Optional),
                field("value", 2, Type::Message, Some(response_type), Label::Optional),
            ],
        )
    };
    let values = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
    let status = EnumDescriptorProto {
        name: Some("ServingStatus".to_owned()),
        value: (0..)
            .zip(values)
            .map(|(number, name)| EnumValueDescriptorProto {
                name: Some(name.to_owned()),
                number: Some(number),
                options: None,
            })
            .collect(),
        ..Default::default()
    };
    let statuses = field("statuses", 1, Type::Message, Some(entry_type), Label::Repeated);
    let file = FileDescriptorProto {
        name: Some("grpc/health/v1/health.proto".to_owned()),
        package: Some("grpc.health.v1".to_owned()),
        syntax: Some("proto3".to_owned()),
        message_type: vec![
            message("HealthCheckRequest", vec![field("service", 1, Type::String, None, Label::Optional)]),
            DescriptorProto {
                enum_type: vec![status],
                ..message(
                    "HealthCheckResponse",
                    vec![field("status", 1, Type::Enum, Some(status_type), Label::Optional)],
                )
            },
            message("HealthListRequest", vec![]),
            DescriptorProto { nested_type: vec![entry], ..message("HealthListResponse", vec![statuses]) },
        ],
        service: vec![ServiceDescriptorProto {
            name: Some("Health".to_owned()),
            method: vec![
                method("Check", "HealthCheckRequest", "HealthCheckResponse", false),
                method("List", "HealthListRequest", "HealthListResponse", false),
                method("Watch", "HealthCheckRequest", "HealthCheckResponse", true),
            ],
            options: None,
        }],
        ..Default::default()
    };
    FileDescriptorSet { file: vec![file] }
}

fn message(name: &str, field: Vec<FieldDescriptorProto>) -> DescriptorProto {
    DescriptorProto { name: Some(name.to_owned()), field, ..Default::default() }
}

fn field(name: &str, number: i32, kind: Type, type_name: Option<&str>, label: Label) -> FieldDescriptorProto {
    FieldDescriptorProto {
        name: Some(name.to_owned()),
        json_name: Some(name.to_owned()),
        number: Some(number),
        label: Some(label as i32),
        r#type: Some(kind as i32),
        type_name: type_name.map(str::to_owned),
        ..Default::default()
    }
}

fn method(name: &str, input: &str, output: &str, server_streaming: bool) -> MethodDescriptorProto {
    MethodDescriptorProto {
        name: Some(name.to_owned()),
        input_type: Some(format!(".grpc.health.v1.{input}")),
        output_type: Some(format!(".grpc.health.v1.{output}")),
        server_streaming: Some(server_streaming),
        ..Default::default()
    }
}
