//! A driver's failure as a gRPC status.

use crate::{
    arrays::ConfiguredArray,
    driver::{DriverError, Reason},
};
use strata_kit::status::{StatusBuilder, report};
use tonic::{Code, Status};

/// With the array, the reason and the vendor's own words; the one code that the kind alone does not give is ALREADY_EXISTS.
pub(super) fn status(array: &ConfiguredArray, error: DriverError) -> Status {
    tracing::info!(array = %array.name, reason = error.reason.as_str(), error = report(&error), "the driver refused");
    let name = super::convert::array_name(&array.name);
    let mut builder = StatusBuilder::new(error.kind(), error.reason.as_str(), error.message.clone())
        .metadata("array", name.clone())
        .metadata("driver", array.driver.kind())
        .resource("strata/Array", name.clone());
    if let Some(vendor) = &error.vendor {
        builder = builder.metadata("vendor_code", vendor.0.clone()).metadata("vendor_text", vendor.1.clone());
    }
    if let Some(delay) = error.retry_after {
        builder = builder.retry_after(delay);
    }
    if error.kind() == strata_model::ErrorKind::Conflict {
        builder = builder.precondition(error.reason.as_str(), name, error.message.clone());
    }
    let status = builder.build();
    if error.reason == Reason::KeyReused {
        let details = status.details().to_vec().into();
        return Status::with_details(Code::AlreadyExists, status.message(), details);
    }
    status
}

/// The array's driver does not have this ability.
pub(super) fn cannot(array: &ConfiguredArray, ability: &str) -> Status {
    let text = format!("array '{}' cannot {ability}; see its capabilities", array.name);
    status(array, DriverError::new(Reason::NotSupported, text))
}
