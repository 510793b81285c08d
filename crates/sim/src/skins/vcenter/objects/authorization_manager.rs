//! AuthorizationManager: which privileges the caller has.

use super::{
    super::context::{Answer, Ctx},
    not_here,
};
use crate::world::compute::{
    fault::Fault,
    value::{MoRef, Val, obj},
};

/// The methods.
pub fn call(ctx: &mut Ctx<'_>, method: &str) -> Answer {
    let privileges: Vec<String> = ctx.args.list("privId").iter().filter_map(Val::as_str).map(str::to_owned).collect();
    let held = |r: &MoRef| -> Val {
        let all =
            privileges.iter().map(|p| obj!("PrivilegeAvailability", "privId" => p, "isGranted" => !ctx.s.lacks(p, r)));
        Val::List(all.collect())
    };
    let known = |r: &MoRef| if ctx.s.has(r) { Ok(()) } else { Err(Fault::gone(r)) };
    match method {
        "HasPrivilegeOnEntities" => {
            let mut out = Vec::new();
            for entity in ctx.args.list("entity").iter().filter_map(Val::as_ref) {
                known(entity)?;
                out.push(obj!("EntityPrivilege", "entity" => entity, "privAvailability" => held(entity)));
            }
            Ok(Val::List(out))
        }
        "HasPrivilegeOnEntity" => {
            let entity = ctx.args.moref("entity").ok_or_else(|| Fault::invalid_argument("entity"))?;
            known(entity)?;
            let all = privileges.iter().map(|p| Val::Bool(!ctx.s.lacks(p, entity)));
            Ok(Val::List(all.collect()))
        }
        _ => not_here(ctx, method),
    }
}
