//! ExtensionManager.

use super::{
    super::context::{Answer, Ctx},
    not_here,
};
use crate::world::compute::{
    fault::Fault,
    value::{MoRef, Val},
};

/// The methods.
pub fn call(ctx: &mut Ctx<'_>, method: &str) -> Answer {
    let root = MoRef::new("Folder", "group-d1");
    let given = ctx.args.get("extension").clone();
    let key = ctx.args.str("extensionKey").or(given.str("key")).unwrap_or_default().to_owned();
    let at = ctx.s.extensions.iter().position(|e| e.str("key") == Some(key.as_str()));
    let absent = || Fault::new("NotFound", format!("Extension '{key}' was not found"));
    match method {
        "FindExtension" => Ok(at.map(|n| ctx.s.extensions[n].clone()).into()),
        "RegisterExtension" => {
            ctx.need("Extension.Register", &root)?;
            if at.is_some() {
                return Err(Fault::invalid_argument("extension.key"));
            }
            ctx.s.extensions.push(given);
            ctx.s.touch();
            Ok(Val::Unset)
        }
        "UpdateExtension" => {
            ctx.need("Extension.Update", &root)?;
            let n = at.ok_or_else(absent)?;
            ctx.s.extensions[n] = given;
            ctx.s.touch();
            Ok(Val::Unset)
        }
        "UnregisterExtension" => {
            ctx.need("Extension.Unregister", &root)?;
            ctx.s.extensions.remove(at.ok_or_else(absent)?);
            ctx.s.touch();
            Ok(Val::Unset)
        }
        _ => not_here(ctx, method),
    }
}
