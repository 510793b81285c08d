//! CustomFieldsManager.

use super::{
    super::context::{Answer, Ctx},
    not_here,
};
use crate::world::compute::{
    fault::Fault,
    state::State,
    value::{MoRef, Val, obj},
};

fn field(key: i64, name: &str, ty: Option<&String>) -> Val {
    obj!("CustomFieldDef", "key" => key, "name" => name, "type" => "string", "managedObjectType" => ty)
}

/// The fields.
pub fn property(s: &State) -> Val {
    Val::List(s.custom_fields.iter().map(|(key, name, ty)| field(*key, name, ty.as_ref())).collect())
}

/// The methods.
pub fn call(ctx: &mut Ctx<'_>, method: &str) -> Answer {
    let root = MoRef::new("Folder", "group-d1");
    let key = ctx.args.int("key").unwrap_or(-1);
    match method {
        "AddCustomFieldDef" => {
            ctx.need("Global.ManageCustomFields", &root)?;
            let name = ctx.text("name").to_owned();
            if ctx.s.custom_fields.iter().any(|f| f.1 == name) {
                return Err(Fault::new("DuplicateName", format!("The name '{name}' already exists."))
                    .with("name", name)
                    .with("object", ctx.this));
            }
            let key = i64::try_from(ctx.s.next_number()).unwrap_or(0);
            let ty = ctx.args.str("moType").map(str::to_owned);
            let made = field(key, &name, ty.as_ref());
            ctx.s.custom_fields.push((key, name, ty));
            ctx.s.touch();
            Ok(made)
        }
        "RemoveCustomFieldDef" => {
            ctx.need("Global.ManageCustomFields", &root)?;
            ctx.s.custom_fields.retain(|f| f.0 != key);
            ctx.s.custom_values.retain(|(_, k), _| *k != key);
            ctx.s.touch();
            Ok(Val::Unset)
        }
        "SetField" => {
            let on = ctx.args.moref("entity").cloned().ok_or_else(|| Fault::invalid_argument("entity"))?;
            ctx.need("Global.SetCustomField", &on)?;
            if !ctx.s.custom_fields.iter().any(|f| f.0 == key) {
                return Err(Fault::invalid_argument("key"));
            }
            let value = ctx.text("value").to_owned();
            ctx.s.custom_values.insert((on.id, key), value);
            ctx.s.touch();
            Ok(Val::Unset)
        }
        _ => not_here(ctx, method),
    }
}
