//! OptionManager.

use super::{
    super::context::{Answer, Ctx},
    not_here,
};
use crate::world::compute::{
    fault::Fault,
    state::State,
    value::{Val, obj},
};

fn all(s: &State) -> Vec<Val> {
    let mut out = vec![
        obj!("OptionValue", "key" => "VirtualCenter.InstanceName", "value" => s.name.as_str()),
        obj!("OptionValue", "key" => "config.vpxd.filter.hostRescanFilter", "value" => "true"),
    ];
    out.extend(s.options.iter().map(|(k, v)| obj!("OptionValue", "key" => k, "value" => v.clone())));
    out
}

/// A property.
pub fn property(s: &State, name: &str) -> Val {
    match name {
        "setting" => Val::List(all(s)),
        _ => Val::Unset,
    }
}

/// The methods.
pub fn call(ctx: &mut Ctx<'_>, method: &str) -> Answer {
    match method {
        "QueryOptions" => {
            let name = ctx.text("name");
            let fits = |v: &Val| {
                v.str("key").is_some_and(|k| name.is_empty() || k == name || name.ends_with('.') && k.starts_with(name))
            };
            let found: Vec<Val> = all(ctx.s).into_iter().filter(fits).collect();
            if found.is_empty() {
                return Err(Fault::new("InvalidName", format!("There is no option '{name}'")).with("name", name));
            }
            Ok(Val::List(found))
        }
        "UpdateOptions" => {
            for option in ctx.args.list("changedValue").to_vec() {
                let key = option.str("key").unwrap_or_default().to_owned();
                ctx.s.options.insert(key, option.get("value").clone());
            }
            ctx.s.touch();
            Ok(Val::Unset)
        }
        _ => not_here(ctx, method),
    }
}
