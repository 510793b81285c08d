//! SearchIndex.

use super::{
    super::context::{Answer, Ctx},
    not_here,
};
use crate::world::compute::value::{MoRef, Val};

/// The methods.
pub fn call(ctx: &mut Ctx<'_>, method: &str) -> Answer {
    match method {
        "FindByUuid" | "FindAllByUuid" => {
            let dc = ctx.datacenter("datacenter")?.map(|dc| MoRef::new("Datacenter", dc));
            let uuid = ctx.text("uuid").to_ascii_lowercase();
            let s = &ctx.s;
            let found: Vec<MoRef> = if ctx.args.bool("vmSearch") == Some(true) {
                let by_instance = ctx.args.bool("instanceUuid") == Some(true);
                let fits = |c: &crate::world::compute::vm::VmConfig| {
                    if by_instance { c.instance_uuid == uuid } else { c.uuid == uuid }
                };
                s.vms.iter().filter(|(_, v)| fits(&v.config)).map(|(id, _)| MoRef::new("VirtualMachine", id)).collect()
            } else {
                s.hosts.iter().filter(|(_, h)| h.uuid == uuid).map(|(id, _)| MoRef::new("HostSystem", id)).collect()
            };
            let found: Vec<MoRef> =
                found.into_iter().filter(|r| dc.as_ref().is_none_or(|dc| s.is_below(r, dc))).collect();
            if method == "FindAllByUuid" { Ok(found.into()) } else { Ok(found.into_iter().next().into()) }
        }
        "FindByInventoryPath" => Ok(ctx.s.by_path(ctx.text("inventoryPath")).into()),
        "FindByDatastorePath" => {
            let dc = ctx.datacenter("datacenter")?;
            let path = ctx.s.parse_path(ctx.text("path"), dc.as_deref())?;
            let found = ctx.s.vms.iter().find(|(_, v)| v.vmx == path);
            Ok(found.map(|(id, _)| MoRef::new("VirtualMachine", id)).into())
        }
        "FindChild" => {
            let at = ctx.args.moref("entity").cloned().unwrap_or_else(|| MoRef::new("Folder", ""));
            Ok(ctx.s.child_named(&at, ctx.text("name")).into())
        }
        "FindByDnsName" => {
            let name = ctx.text("dnsName");
            let found = if ctx.args.bool("vmSearch") == Some(true) {
                let up = ctx.s.vms.iter().find(|(_, v)| v.tools_running() && v.config.name == name);
                up.map(|(id, _)| MoRef::new("VirtualMachine", id))
            } else {
                ctx.s.hosts.iter().find(|(_, h)| h.name == name).map(|(id, _)| MoRef::new("HostSystem", id))
            };
            Ok(found.into())
        }
        "FindByIp" => Ok(Val::Unset),
        _ => not_here(ctx, method),
    }
}
