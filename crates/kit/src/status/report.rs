//! From a gRPC status back to what was meant, for the command line and for the gateway.

use super::{
    builder::{KIND_KEY, StatusBuilder},
    chain::append_sources,
    table::{Row, kind_of_code, kind_of_name, row},
};
use serde::Serialize;
use std::{collections::BTreeMap, error::Error, fmt, time::Duration};
use strata_model::ErrorKind;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// A field of the request that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Path of the field in the proto.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
}

/// A condition that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Precondition {
    /// Its type, UPPER_SNAKE_CASE.
    #[serde(rename = "type")]
    pub kind: String,
    /// The object.
    pub subject: String,
    /// What is wrong.
    pub description: String,
}

/// The object that an error is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resource {
    /// Its type, `strata/Vm`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its resource name.
    pub name: String,
}

/// Everything that a status said, in our words. Serializes to the JSON of `--json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorReport {
    /// The kind; from the nearest code where a foreign peer sent none.
    pub kind: ErrorKind,
    /// The gRPC code as it came, by number.
    #[serde(serialize_with = "code_number")]
    pub code: Code,
    /// UPPER_SNAKE_CASE; of a foreign peer, its code's name.
    pub reason: String,
    /// For people; of a transport error, with all its causes.
    pub message: String,
    /// The dynamic words of the message.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// What the reader can do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
    /// Wrong fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
    /// Conditions that do not hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preconditions: Vec<Precondition>,
    /// The object that the error is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<Resource>,
    /// When a repeat makes sense.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

fn code_number<S: serde::Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i32(*code as i32)
}

impl ErrorReport {
    /// Reads the details; whatever is missing is filled from the code.
    pub fn from_status(status: &Status) -> Self {
        let details = status.get_error_details();
        let mut metadata: BTreeMap<String, String> = BTreeMap::new();
        let mut reason = code_name(status.code()).to_owned();
        if let Some(info) = details.error_info() {
            metadata.extend(info.metadata.clone());
            reason.clone_from(&info.reason);
        }
        let kind = metadata.remove(KIND_KEY).and_then(|name| kind_of_name(&name));
        let mut message = status.message().to_owned();
        append_sources(&mut message, status.source());
        let violations = details.bad_request().map(|bad| bad.field_violations.as_slice()).unwrap_or_default();
        let preconditions = details.precondition_failure().map(|it| it.violations.as_slice()).unwrap_or_default();
        Self {
            kind: kind.unwrap_or_else(|| kind_of_code(status.code())),
            code: status.code(),
            reason,
            message,
            metadata,
            hints: details
                .help()
                .map(|help| help.links.iter().map(|link| join_link(&link.description, &link.url)).collect())
                .unwrap_or_default(),
            violations: violations
                .iter()
                .map(|it| Violation { field: it.field.clone(), description: it.description.clone() })
                .collect(),
            preconditions: preconditions
                .iter()
                .map(|it| Precondition {
                    kind: it.r#type.clone(),
                    subject: it.subject.clone(),
                    description: it.description.clone(),
                })
                .collect(),
            resource: details
                .resource_info()
                .map(|it| Resource { kind: it.resource_type.clone(), name: it.resource_name.clone() }),
            retry_after_ms: details
                .retry_info()
                .and_then(|it| it.retry_delay)
                .map(|delay| u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)),
        }
    }

    /// The same error as a status again, for a caller further out.
    pub fn to_status(&self) -> Status {
        let mut builder = StatusBuilder::new(self.kind, &self.reason, &self.message);
        for (key, value) in &self.metadata {
            builder = builder.metadata(key, value);
        }
        for hint in &self.hints {
            builder = builder.hint(hint);
        }
        for it in &self.violations {
            builder = builder.violation(&it.field, &it.description);
        }
        for it in &self.preconditions {
            builder = builder.precondition(&it.kind, &it.subject, &it.description);
        }
        if let Some(it) = &self.resource {
            builder = builder.resource(&it.kind, &it.name);
        }
        if let Some(delay_ms) = self.retry_after_ms {
            builder = builder.retry_after(Duration::from_millis(delay_ms));
        }
        builder.build_with_code(self.code)
    }

    /// The table's line: exit code, HTTP status, what to do.
    pub fn row(&self) -> &'static Row {
        row(self.kind)
    }
}

impl fmt::Display for ErrorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for ErrorReport {}

impl From<&Status> for ErrorReport {
    fn from(status: &Status) -> Self {
        Self::from_status(status)
    }
}

fn join_link(description: &str, url: &str) -> String {
    [description, url].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The code's name as the specification writes it.
pub(crate) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::super::builder::{DETAILS_BYTES_MAX, DOMAIN, wire_bytes};
    use super::*;
    use proptest::prelude::*;

    fn full(kind: ErrorKind) -> StatusBuilder {
        StatusBuilder::new(kind, "VM_AMBIGUOUS", "two VMs are called web-01")
            .metadata("vm", "web-01")
            .hint("name it as vcenter/name")
            .violation("vm", "is ambiguous")
            .precondition("POWER_STATE", "vcenters/a/vms/1", "is on")
            .resource("strata/Vm", "vcenters/a/vms/1")
            .retry_after(Duration::from_millis(1500))
    }

    #[test]
    fn what_was_said_is_what_is_read_for_every_kind() {
        for kind in ErrorKind::ALL {
            let status = full(kind).build();
            let report = ErrorReport::from_status(&status);
            assert_eq!((report.kind, report.code), (kind, row(kind).code));
            assert_eq!(report.reason, "VM_AMBIGUOUS");
            assert_eq!(report.message, "two VMs are called web-01");
            assert_eq!(report.metadata, BTreeMap::from([("vm".to_owned(), "web-01".to_owned())]));
            assert_eq!(report.hints, ["name it as vcenter/name"]);
            assert_eq!(report.violations, [Violation { field: "vm".into(), description: "is ambiguous".into() }]);
            assert_eq!(report.preconditions[0].subject, "vcenters/a/vms/1");
            assert_eq!(report.resource.as_ref().map(|it| it.name.as_str()), Some("vcenters/a/vms/1"));
            assert_eq!(report.retry_after_ms, Some(1500));
            assert_eq!(ErrorReport::from_status(&report.to_status()), report, "a second hop loses nothing");
            assert_eq!(status.get_error_details().error_info().map(|info| info.domain.as_str()), Some(DOMAIN));
        }
    }

    #[test]
    fn the_json_is_stable() {
        let json = serde_json::to_value(ErrorReport::from_status(&full(ErrorKind::Conflict).build())).unwrap();
        let expected = serde_json::json!({
            "kind": "conflict",
            "code": 9,
            "reason": "VM_AMBIGUOUS",
            "message": "two VMs are called web-01",
            "metadata": {"vm": "web-01"},
            "hints": ["name it as vcenter/name"],
            "violations": [{"field": "vm", "description": "is ambiguous"}],
            "preconditions": [{"type": "POWER_STATE", "subject": "vcenters/a/vms/1", "description": "is on"}],
            "resource": {"type": "strata/Vm", "name": "vcenters/a/vms/1"},
            "retry_after_ms": 1500
        });
        assert_eq!(json, expected);
        let short = serde_json::to_value(ErrorReport::from_status(&Status::not_found("x"))).unwrap();
        let expected = serde_json::json!({"kind": "not_found", "code": 5, "reason": "NOT_FOUND", "message": "x"});
        assert_eq!(short, expected);
    }

    #[test]
    fn a_foreign_status_keeps_its_code_and_gets_the_nearest_kind() {
        for number in 1..=16 {
            let code = Code::from(number);
            let report = ErrorReport::from_status(&Status::new(code, "foreign"));
            assert_eq!((report.code, report.kind, report.reason.as_str()), (code, kind_of_code(code), code_name(code)));
            assert_eq!(report.to_status().code(), code);
        }
        // Details that cannot be decoded are no reason to fail.
        let broken = Status::with_details(Code::Internal, "x", bytes::Bytes::from_static(b"\xff\xff"));
        assert_eq!(ErrorReport::from_status(&broken).message, "x");
    }

    #[test]
    fn sources_of_a_transport_error_are_told() {
        let mut status = Status::unavailable("cannot connect");
        status.set_source(std::sync::Arc::new(std::io::Error::other("no route to host")));
        assert_eq!(ErrorReport::from_status(&status).message, "cannot connect: no route to host");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn nothing_is_too_long_for_the_trailers(
            message in "\\PC{0,3000}",
            reason in "[A-Z_]{1,63}",
            metadata in proptest::collection::btree_map("[a-z_]{1,40}", "\\PC{0,2000}", 0..20),
            hints in proptest::collection::vec("\\PC{0,500}", 0..20),
            violations in proptest::collection::vec(("[a-z.]{1,60}", "\\PC{0,300}"), 0..20),
        ) {
            let mut builder = StatusBuilder::new(ErrorKind::Conflict, &reason, &message);
            for (key, value) in &metadata {
                builder = builder.metadata(key, value);
            }
            for hint in &hints {
                builder = builder.hint(hint);
            }
            for (field, description) in &violations {
                builder = builder.violation(field, description);
            }
            let status = builder.build();
            prop_assert!(wire_bytes(&status) <= DETAILS_BYTES_MAX, "{}", wire_bytes(&status));
            let report = ErrorReport::from_status(&status);
            prop_assert_eq!(report.kind, ErrorKind::Conflict);
            prop_assert_eq!(&report.reason, &reason);
            if !report.metadata.contains_key("trimmed") {
                prop_assert_eq!(report.message, message);
                prop_assert_eq!(report.metadata, metadata);
                prop_assert_eq!(report.hints.len(), hints.len());
            }
        }
    }
}
