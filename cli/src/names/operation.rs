//! An operation by its id or its resource name.

use crate::failure::Failure;
use strata_model::{ErrorKind, names};

/// The resource name of what was typed.
///
/// # Errors
/// It can be no operation.
pub fn operation_name(typed: &str) -> Result<String, Failure> {
    if names::split(typed, &["operations"]).is_ok() {
        return Ok(typed.to_owned());
    }
    if typed.is_empty() || typed.contains('/') {
        let message = format!("'{typed}' names no operation");
        return Err(Failure::new(ErrorKind::InvalidArgument, "OPERATION_NAME_INVALID", message)
            .hint("`strata operation list` shows their names"));
    }
    Ok(names::join(&[("operations", typed)]))
}
