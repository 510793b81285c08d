//! What all objects of the inventory have, and where to look for the rest.

use super::{
    super::context::{Answer, Ctx},
    compute_resource, datacenter, datastore, folder, host_system, not_here, resource_pool, vm,
};
use crate::world::compute::{
    fault::Fault,
    inventory::{escape_name, unescape_name},
    state::State,
    value::{MoRef, Val, obj},
};

/// A property of an object of the inventory.
pub fn property(s: &State, object: &MoRef, name: &str) -> Val {
    let id = object.id.as_str();
    match name {
        "name" => s.name_of(object).into(),
        "parent" => s.parent_of(object).into(),
        "overallStatus" | "configStatus" => "green".into(),
        "recentTask" => {
            let tasks = s.tasks.iter().filter(|(_, t)| t.entity.as_ref() == Some(object));
            let mut all: Vec<_> = tasks.map(|(id, t)| (t.number, MoRef::new("Task", id))).collect();
            all.sort();
            all.into_iter().rev().take(20).rev().map(|(_, r)| r).collect::<Vec<_>>().into()
        }
        "effectiveRole" => Val::List(vec![Val::Int(-1)]),
        "alarmActionsEnabled" => true.into(),
        "configIssue" | "declaredAlarmState" | "triggeredAlarmState" | "disabledMethod" | "permission" | "tag" => {
            Val::List(Vec::new())
        }
        "customValue" | "value" => custom_values(s, id),
        "availableField" => super::custom_fields_manager::property(s),
        _ => match object.ty.as_str() {
            "Folder" => folder::property(s, object, name),
            "Datacenter" => datacenter::property(s, id, name),
            "Datastore" => datastore::property(s, id, name),
            "HostSystem" => host_system::property(s, id, name),
            "ComputeResource" | "ClusterComputeResource" => compute_resource::property(s, id, name),
            "ResourcePool" => resource_pool::property(s, id, name),
            "VirtualMachine" => vm::property(s, id, name),
            "Network" => resource_pool::network_property(s, id, name),
            _ => Val::Unset,
        },
    }
}

fn custom_values(s: &State, id: &str) -> Val {
    let own = s.custom_values.iter().filter(|((of, _), _)| of == id);
    Val::List(own.map(|((_, key), v)| obj!("CustomFieldStringValue", "key" => *key, "value" => v)).collect())
}

/// Rename, destroy, reload and custom values of any object.
pub fn call(ctx: &mut Ctx<'_>, method: &str) -> Answer {
    let (this, user) = (ctx.this.clone(), ctx.user());
    match method {
        "Reload" => {
            if this.ty == "VirtualMachine" {
                ctx.s.reload(&this.id)?;
            }
            Ok(Val::Unset)
        }
        "Rename_Task" => {
            let privilege = match this.ty.as_str() {
                "VirtualMachine" => "VirtualMachine.Config.Rename",
                "Datastore" => "Datastore.Rename",
                _ => "Folder.Rename",
            };
            ctx.need(privilege, &this)?;
            let name = ctx.text("newName").to_owned();
            Ok(ctx.s.run("Rename_Task", &this.clone(), &user, move |s| rename(s, &this, &name)).into())
        }
        "Destroy_Task" => destroy(ctx),
        "setCustomValue" => {
            let (key, value) = (ctx.text("key").to_owned(), ctx.text("value").to_owned());
            let field = ctx.s.custom_fields.iter().find(|(_, n, _)| *n == key).map(|f| f.0);
            let field = field.ok_or_else(|| Fault::invalid_argument("key"))?;
            ctx.s.custom_values.insert((this.id.clone(), field), value);
            ctx.s.touch();
            Ok(Val::Unset)
        }
        _ => not_here(ctx, method),
    }
}

/// Gives an object another name.
pub fn rename(s: &mut State, this: &MoRef, name: &str) -> Answer {
    if name.is_empty() || name.len() > 80 {
        return Err(Fault::new("InvalidName", format!("'{name}' is no name")).with("name", name));
    }
    // A slash may come as itself or escaped.
    let plain = unescape_name(name);
    let stored = escape_name(&plain);
    let parent = s.parent_of(this);
    let taken = parent.and_then(|p| s.child_named(&p, &stored)).filter(|other| other != this);
    let taken = match this.ty.as_str() {
        "Datastore" => {
            let dc = s.datacenter_of(this);
            s.datastore_named(&stored, dc.as_deref()).map(|id| MoRef::new("Datastore", id)).filter(|r| r != this)
        }
        _ => taken,
    };
    if let Some(other) = taken {
        return Err(Fault::new("DuplicateName", format!("The name '{name}' already exists."))
            .with("name", name)
            .with("object", other));
    }
    let id = this.id.as_str();
    match this.ty.as_str() {
        "VirtualMachine" => {
            s.vm_mut(id)?.config.name.clone_from(&plain);
            s.save(id)?;
        }
        "Datastore" => {
            s.write_label(id, &plain)?;
            s.datastores.get_mut(id).into_iter().for_each(|x| x.name.clone_from(&stored));
        }
        "Folder" => s.folders.get_mut(id).into_iter().for_each(|x| x.name.clone_from(&stored)),
        "Datacenter" => s.datacenters.get_mut(id).into_iter().for_each(|x| x.name.clone_from(&stored)),
        "ResourcePool" => s.pools.get_mut(id).into_iter().for_each(|x| x.name.clone_from(&stored)),
        "ComputeResource" | "ClusterComputeResource" => {
            s.clusters.get_mut(id).into_iter().for_each(|x| x.name.clone_from(&stored));
        }
        _ => return Err(Fault::new("NotSupported", "This object cannot be renamed")),
    }
    s.touch();
    Ok(Val::Unset)
}

fn destroy(ctx: &mut Ctx<'_>) -> Answer {
    let (this, user) = (ctx.this.clone(), ctx.user());
    match this.ty.as_str() {
        "VirtualMachine" => {
            ctx.need("VirtualMachine.Inventory.Delete", &this)?;
            let id = this.id.clone();
            Ok(ctx.s.run("Destroy_Task", &this, &user, move |s| s.destroy_vm(&id).map(|()| Val::Unset)).into())
        }
        "Folder" => {
            let empty = ctx.s.children_of(&this).is_empty();
            let id = this.id.clone();
            Ok(ctx
                .s
                .run("Destroy_Task", &this, &user, move |s| {
                    if !empty {
                        return Err(Fault::new("NotSupported", "The folder is not empty"));
                    }
                    s.folders.remove(&id);
                    s.touch();
                    Ok(Val::Unset)
                })
                .into())
        }
        // One on LUNs goes with all it holds; others go when the last host unmounts them.
        "Datastore" => {
            ctx.need("Datastore.Delete", &this)?;
            let id = this.id.clone();
            Ok(ctx.s.run("Destroy_Task", &this, &user, move |s| s.destroy_vmfs(&id).map(|()| Val::Unset)).into())
        }
        _ => Err(Fault::new("NotSupported", "The operation is not supported on the object.")),
    }
}
