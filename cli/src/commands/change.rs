//! What all commands that change something do the same way: plan, ask, send, follow.

use crate::{
    args::ChangeArgs,
    connect::{Gateway, call},
    context::Context,
    exit_code::SUCCESS,
    failure::Failure,
    json::to_json,
    show,
};
use strata_model::ErrorKind;
use strata_proto::strata::gateway::v1::{PlanRequest, PlanResponse, plan_request::Request};

/// The request id to send: the given one, or one made now and kept for every repeat.
pub fn request_id(change: &ChangeArgs) -> String {
    change.request_id.unwrap_or_else(uuid::Uuid::new_v4).to_string()
}

/// Prints what the request would do, for `--dry-run`.
///
/// # Errors
/// The request itself would fail.
pub async fn print_plan(context: &Context, gateway: &Gateway, request: Request) -> Result<u8, Failure> {
    let plan = plan(gateway, request).await?;
    if context.printer.style().json {
        context.printer.json(&to_json(&plan)?)?;
    } else {
        show::plan(&context.printer, &plan)?;
    }
    Ok(SUCCESS)
}

async fn plan(gateway: &Gateway, request: Request) -> Result<PlanResponse, Failure> {
    let request = PlanRequest { request: Some(request) };
    call!(gateway, plans.plan(request))
}

/// Hash of the plan that the user wants applied; empty where none was named.
pub fn plan_hash(change: &ChangeArgs) -> String {
    change.apply.clone().unwrap_or_default()
}

/// Has the user type a name before something is lost. The plan stands above the question, and its hash is answered: what is sent then is
/// that plan, and no other that the world has come to ask for meanwhile. Who names a plan by `--apply` has looked at it.
///
/// # Errors
/// The request itself would fail; nobody can be asked and `--yes` is absent; or the answer is another.
pub async fn confirm(
    context: &Context,
    gateway: &Gateway,
    (change, yes): (&ChangeArgs, bool),
    name: &str,
    request: Request,
) -> Result<String, Failure> {
    if yes || change.apply.is_some() {
        return Ok(plan_hash(change));
    }
    if !context.can_ask() {
        let message = format!("this needs a confirmation for {name}, and nobody can be asked");
        return Err(Failure::new(ErrorKind::InvalidArgument, "CONFIRMATION_NEEDED", message)
            .hint("look at it with --dry-run, then say --yes, or --apply with the plan's hash"));
    }
    let plan = plan(gateway, request).await?;
    context.printer.progress(&plan.summary);
    for neighbour in &plan.neighbours {
        context.printer.progress(&format!("  beside it: {} {}", neighbour.kind, neighbour.display_name));
    }
    for fact in &plan.facts {
        context.printer.progress(&format!("  {}: {}", fact.topic, fact.text));
    }
    if !plan.point_of_no_return.is_empty() {
        context.printer.progress(&format!("  point of no return: {}", plan.point_of_no_return));
    }
    match context.ask(&format!("Type {name} to go on: ")).await {
        Some(answer) if answer == name => Ok(plan.hash),
        _ => Err(Failure::new(ErrorKind::Cancelled, "NOT_CONFIRMED", "not confirmed; nothing was done")),
    }
}
