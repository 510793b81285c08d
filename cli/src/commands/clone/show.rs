//! `strata clone show`.

use crate::{context::Context, exit_code::SUCCESS, failure::Failure, json::to_json, names::find_clone, show};
use clap::Args;

/// Which clone.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Name, id, or full resource name
    clone: String,
}

/// Shows a clone.
///
/// # Errors
/// None or more than one fits; the gateway's.
pub async fn run(args: ShowArgs, context: &Context) -> Result<u8, Failure> {
    let gateway = context.gateway()?;
    let clone = find_clone(&gateway, &args.clone).await?;
    let printer = &context.printer;
    if printer.style().json {
        printer.json(&to_json(&clone)?)?;
        return Ok(SUCCESS);
    }
    printer.head(&clone.display_name)?;
    let copied = show::bytes(clone.copied_bytes);
    let made = show::time(clone.create_time.as_ref(), &context.time_zone);
    let adapters = if clone.adapters_disconnected { "disconnected" } else { "connected" };
    let lines = [
        ("name", clone.name.as_str()),
        ("vm", &clone.vm),
        ("power", &clone.power_state),
        ("made", &made),
        ("of", &clone.snapshot),
        ("source vm", &clone.source_vm),
        ("way", &clone.way),
        ("copied", &copied),
        ("datastores", &clone.datastores.join(", ")),
        ("vmx", &clone.vmx_path),
        ("bios uuid", &clone.bios_uuid),
        ("MAC", &clone.mac_addresses.join(", ")),
        ("NICs", adapters),
        ("taken out", &clone.stripped.join(", ")),
        ("operation", &clone.operation),
    ];
    for (word, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
        printer.data(&format!("  {word:<13}{value}"))?;
    }
    Ok(SUCCESS)
}
