//! EventManager.

use super::{
    super::context::{Answer, Ctx},
    not_here,
};
use crate::world::compute::{
    fault::Fault,
    state::{Logged, State},
    value::{MoRef, Val, obj},
};

fn event(s: &State, e: &Logged) -> Val {
    let ty = if e.kind == "GeneralUserEvent" { "GeneralUserEvent" } else { "EventEx" };
    let mut out = obj!(ty, "key" => e.key, "chainId" => e.key, "createdTime" => e.time, "userName" => &e.user,
        "fullFormattedMessage" => &e.message, "message" => &e.message);
    if ty == "EventEx" {
        out.set("eventTypeId", format!("vim.event.{}", e.kind));
    }
    let vm = e.entity.as_ref().filter(|r| r.ty == "VirtualMachine");
    if let Some(vm) = vm {
        out.set("vm", obj!("VmEventArgument", "name" => s.name_of(vm).unwrap_or_default(), "vm" => vm));
    }
    out
}

/// A property.
pub fn property(s: &State, name: &str) -> Val {
    match name {
        "latestEvent" => s.events.last().map(|e| event(s, e)).into(),
        "maxCollector" => 32.into(),
        _ => Val::Unset,
    }
}

/// The methods.
pub fn call(ctx: &mut Ctx<'_>, method: &str) -> Answer {
    let user = ctx.user();
    match method {
        "LogUserEvent" => {
            let on = ctx.args.moref("entity").cloned().unwrap_or_else(|| MoRef::new("Folder", "group-d1"));
            if !ctx.s.has(&on) {
                return Err(Fault::gone(&on));
            }
            ctx.need("Global.LogEvent", &on)?;
            let text = format!("User logged event: {}", ctx.text("msg"));
            ctx.s.log("GeneralUserEvent", &user, Some(on), text);
            Ok(Val::Unset)
        }
        "PostEvent" => {
            let posted = ctx.args.get("eventToPost").clone();
            let on = posted.get("vm").moref("vm").cloned();
            ctx.need("Global.LogEvent", on.as_ref().unwrap_or(&MoRef::new("Folder", "group-d1")))?;
            let text = posted.str("message").or(posted.str("fullFormattedMessage")).unwrap_or_default().to_owned();
            let kind = posted.str("eventTypeId").unwrap_or_else(|| posted.type_name()).to_owned();
            ctx.s.log(&kind, &user, on, text);
            Ok(Val::Unset)
        }
        "QueryEvents" => Ok(Val::List(ctx.s.events.iter().map(|e| event(ctx.s, e)).collect())),
        _ => not_here(ctx, method),
    }
}
