//! `strata preflight`.

use crate::{connect::call, context::Context, exit_code, failure::Failure, json::to_json, names::find_vm};
use clap::Args;
use strata_model::ErrorKind;
use strata_proto::strata::gateway::v1::{PreflightRequest, PreflightResponse};

/// What to look at.
#[derive(Debug, Args)]
pub struct PreflightArgs {
    /// Only what lies behind this VM: name, vcenter/name, or full resource name
    vm: Option<String>,
}

/// Prints every missing right. The exit code says whether all is well.
///
/// # Errors
/// None or more than one VM fits; the gateway's.
pub async fn run(args: PreflightArgs, context: &Context) -> Result<u8, Failure> {
    let gateway = context.gateway()?;
    let vm = match &args.vm {
        Some(typed) => find_vm(&gateway, typed).await?.name,
        None => String::new(),
    };
    let request = PreflightRequest { vm };
    let answer = call!(gateway, plans.preflight(request))?;
    if context.printer.style().json {
        context.printer.json(&to_json(&answer)?)?;
    } else {
        print(&answer, context)?;
    }
    Ok(if answer.targets.iter().any(|target| !target.reachable) {
        exit_code::of_kind(ErrorKind::Unavailable)
    } else if answer.targets.iter().any(|target| !target.missing.is_empty()) {
        exit_code::of_kind(ErrorKind::Forbidden)
    } else {
        exit_code::SUCCESS
    })
}

fn print(answer: &PreflightResponse, context: &Context) -> Result<(), Failure> {
    for target in &answer.targets {
        let head = format!("{}  {} {}", target.name, target.kind, target.version);
        context.printer.head(head.trim_end())?;
        if !target.reachable {
            context.printer.data(&format!("  DOES NOT ANSWER: {}", target.reason))?;
        } else if target.missing.is_empty() {
            context.printer.data("  nothing is missing")?;
        }
        for missing in &target.missing {
            let text = format!("  MISSING {} on {} for {}", missing.privilege, missing.object, missing.feature);
            context.printer.data(&text)?;
        }
        for remark in &target.remarks {
            context.printer.data(&format!("  {remark}"))?;
        }
    }
    if answer.targets.is_empty() {
        context.printer.note("no vCenter and no array is configured");
    }
    Ok(())
}
