//! `strata exit-codes`.

use crate::{
    context::Context,
    exit_code::{self, SUCCESS},
    failure::Failure,
};
use serde_json::{Value, json};

/// Prints what the exit codes mean.
///
/// # Errors
/// stdout cannot be written.
pub fn run(context: &Context) -> Result<u8, Failure> {
    if context.printer.style().json {
        let rows: Vec<Value> = exit_code::table()
            .iter()
            .map(|row| json!({"exitCode": row.code, "kind": row.kind, "meaning": row.meaning}))
            .collect();
        context.printer.json(&json!({ "exitCodes": rows }))?;
    } else {
        context.printer.data(&exit_code::help())?;
    }
    Ok(SUCCESS)
}
