//! Messages of the API as proto3 JSON: the same text that grpcurl and the gateway's REST face print. Fields without a
//! value are written too, so that a script finds every key.

use crate::failure::Failure;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde_json::Value;
use std::sync::OnceLock;
use strata_model::ErrorKind;
use strata_proto::{google::longrunning as lro, strata::gateway::v1 as pb};

/// A message and its name in the descriptor set.
pub trait Named: Message {
    /// `strata.gateway.v1.Vm`.
    const NAME: &'static str;
}

macro_rules! named {
    ($($package:literal: $($type:ty => $name:literal),+;)+) => {$($(
        impl Named for $type { const NAME: &'static str = concat!($package, ".", $name); }
    )+)+};
}

named! {
    "strata.gateway.v1":
        pb::Vm => "Vm", pb::ListVmsResponse => "ListVmsResponse", pb::RevertVmResponse => "RevertVmResponse",
        pb::Snapshot => "Snapshot", pb::ListSnapshotsResponse => "ListSnapshotsResponse",
        pb::Clone => "Clone", pb::ListClonesResponse => "ListClonesResponse",
        pb::OperationMetadata => "OperationMetadata", pb::PlanResponse => "PlanResponse",
        pb::ResolveOperationResponse => "ResolveOperationResponse",
        pb::WatchOperationResponse => "WatchOperationResponse", pb::PreflightResponse => "PreflightResponse";
    "google.longrunning":
        lro::Operation => "Operation", lro::ListOperationsResponse => "ListOperationsResponse";
}

fn pool() -> Option<&'static DescriptorPool> {
    static POOL: OnceLock<Option<DescriptorPool>> = OnceLock::new();
    POOL.get_or_init(|| DescriptorPool::decode(strata_proto::DESCRIPTOR_SET).ok()).as_ref()
}

/// A message as proto3 JSON.
///
/// # Errors
/// The message holds an `Any` of a type that this program does not know.
pub fn to_json<M: Named>(message: &M) -> Result<Value, Failure> {
    let fail = |reason: String| {
        Failure::new(ErrorKind::Unexpected, "ANSWER_NOT_UNDERSTOOD", format!("cannot print {}: {reason}", M::NAME))
            .hint("the gateway may be newer than this program; leave --json out, or upgrade")
    };
    let descriptor = pool()
        .and_then(|pool| pool.get_message_by_name(M::NAME))
        .ok_or_else(|| fail("it is not in the descriptor set".to_owned()))?;
    let mut dynamic = DynamicMessage::new(descriptor);
    dynamic.transcode_from(message).map_err(|error| fail(error.to_string()))?;
    let options = SerializeOptions::new().skip_default_fields(false);
    dynamic.serialize_with_options(serde_json::value::Serializer, &options).map_err(|error| fail(error.to_string()))
}

/// Packs a message as `Any`, as the gateway does.
#[cfg(test)]
pub fn pack<M: Named>(message: &M) -> prost_types::Any {
    prost_types::Any { type_url: format!("type.googleapis.com/{}", M::NAME), value: message.encode_to_vec() }
}

/// Unpacks an `Any` of a known type; `None` where it holds another.
pub fn unpack<M: Named + Default>(any: &prost_types::Any) -> Option<M> {
    let name = any.type_url.rsplit('/').next()?;
    (name == M::NAME).then(|| M::decode(any.value.as_slice()).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_there_and_anys_open() {
        let clone = pb::Clone { name: "clones/c-1".into(), copied_bytes: 7, ..Default::default() };
        let operation = lro::Operation {
            name: "operations/1".into(),
            metadata: Some(pack(&pb::OperationMetadata { state: 4, ..Default::default() })),
            done: true,
            result: Some(lro::operation::Result::Response(pack(&clone))),
        };
        let json = to_json(&operation).unwrap();
        assert_eq!(json["metadata"]["state"], "OPERATION_STATE_SUCCEEDED");
        assert_eq!(json["response"]["@type"], "type.googleapis.com/strata.gateway.v1.Clone");
        assert_eq!(json["response"]["copiedBytes"], "7");
        assert_eq!(json["response"]["displayName"], "", "a field without a value is written");
        assert_eq!(unpack::<pb::Clone>(&pack(&clone)), Some(clone));
    }

    #[test]
    fn an_unknown_any_is_an_error_that_says_so() {
        let any = prost_types::Any { type_url: "type.googleapis.com/other.Thing".into(), value: vec![1] };
        let operation = lro::Operation { metadata: Some(any), ..Default::default() };
        assert!(to_json(&operation).unwrap_err().to_string().contains("google.longrunning.Operation"));
    }
}
