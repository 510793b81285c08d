//! Errors of vCenter as gRPC statuses.

use crate::vcenter::Error;
use strata_kit::status::{StatusBuilder, report};
use strata_model::ErrorKind;
use tonic::Status;

/// The status, with vCenter's own fault as metadata.
pub fn to_status(error: &Error) -> Status {
    let kind = error.kind();
    let message = report(error);
    if matches!(kind, ErrorKind::Unexpected) {
        tracing::error!(error = %message, "a call to vCenter failed in an unexpected way");
    }
    let metadata = error.metadata();
    let mut builder = StatusBuilder::new(kind, error.reason(), message.clone());
    for (key, value) in &metadata {
        builder = builder.metadata(*key, value.clone());
        if *key == "field" {
            builder = builder.violation(value.clone(), message.clone());
        }
    }
    if kind == ErrorKind::Forbidden {
        builder = builder.hint("run `strata preflight`: it names each missing privilege and its object");
    }
    builder.build()
}
