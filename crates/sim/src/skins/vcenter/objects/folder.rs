//! Folder.

use super::{
    super::context::{Answer, Ctx},
    not_here,
};
use crate::world::compute::{
    fault::Fault,
    register::NewVm,
    state::State,
    value::{MoRef, Val},
};

/// A property.
pub fn property(s: &State, object: &MoRef, name: &str) -> Val {
    match name {
        "childEntity" => s.children_of(object).into(),
        "childType" => s.folders.get(&object.id).map(|f| f.child_types.to_vec()).into(),
        _ => Val::Unset,
    }
}

/// The methods.
pub fn call(ctx: &mut Ctx<'_>, method: &str) -> Answer {
    let this = ctx.this.clone();
    match method {
        "CreateFolder" => {
            ctx.need("Folder.Create", &this)?;
            let name = ctx.text("name").to_owned();
            if let Some(other) = ctx.s.child_named(&this, &name) {
                return Err(Fault::new("DuplicateName", format!("The name '{name}' already exists."))
                    .with("name", name)
                    .with("object", other));
            }
            Ok(MoRef::new("Folder", ctx.s.ensure_folder(&this, &name)).into())
        }
        "RegisterVM_Task" => {
            ctx.need("VirtualMachine.Inventory.Register", &this)?;
            let known = |r: Option<&MoRef>| match r {
                Some(r) if !ctx.s.has(r) => Err(Fault::gone(r)),
                r => Ok(r.map(|r| r.id.clone())),
            };
            let (pool, host) = (known(ctx.args.moref("pool"))?, known(ctx.args.moref("host"))?);
            if let Some(pool) = &pool {
                ctx.need("Resource.AssignVMToPool", &MoRef::new("ResourcePool", pool))?;
            }
            let new = NewVm {
                folder: this.id.clone(),
                path: ctx.text("path").to_owned(),
                name: ctx.args.str("name").map(str::to_owned),
                template: ctx.args.bool("asTemplate") == Some(true),
                pool,
                host,
            };
            let user = ctx.user();
            Ok(ctx.s.run("RegisterVM_Task", &this, &user, move |s| s.register(&new).map(Val::from)).into())
        }
        "MoveIntoFolder_Task" => {
            let list: Vec<MoRef> = ctx.args.list("list").iter().filter_map(Val::as_ref).cloned().collect();
            let user = ctx.user();
            let to = this.id.clone();
            Ok(ctx
                .s
                .run("MoveIntoFolder_Task", &this, &user, move |s| {
                    for r in list {
                        match r.ty.as_str() {
                            "VirtualMachine" => s.vm_mut(&r.id)?.folder.clone_from(&to),
                            "Datastore" => {
                                s.datastores.get_mut(&r.id).into_iter().for_each(|d| d.folder.clone_from(&to));
                            }
                            _ => return Err(Fault::new("NotSupported", "This object cannot be moved")),
                        }
                    }
                    s.touch();
                    Ok(Val::Unset)
                })
                .into())
        }
        _ => not_here(ctx, method),
    }
}
