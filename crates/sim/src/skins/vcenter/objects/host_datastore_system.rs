//! HostDatastoreSystem: mounting and unmounting.

use super::{
    super::{
        context::{Answer, Ctx},
        dispatch,
    },
    not_here, unresolved,
};
use crate::world::compute::{
    fault::Fault,
    nas::NewMount,
    value::{MoRef, Val},
};

/// The methods.
pub fn call(ctx: &mut Ctx<'_>, method: &str) -> Answer {
    let host = dispatch::owner(ctx.s, ctx.this).ok_or_else(|| Fault::gone(ctx.this))?;
    ctx.need("Host.Config.Storage", &host)?;
    match method {
        "CreateNasDatastore" => {
            let spec = ctx.args.get("spec");
            let text = |name: &str| spec.str(name).unwrap_or_default().to_owned();
            let names: Vec<String> =
                spec.list("remoteHostNames").iter().filter_map(Val::as_str).map(str::to_owned).collect();
            let new = NewMount {
                remote_host: text("remoteHost"),
                remote_path: text("remotePath"),
                local_path: text("localPath"),
                access_mode: text("accessMode"),
                kind: spec.str("type").unwrap_or("NFS").to_owned(),
                remote_host_names: names,
            };
            Ok(MoRef::new("Datastore", ctx.s.mount_nas(&host.id, &new)?).into())
        }
        "RemoveDatastore" => {
            let ds = ctx.args.moref("datastore").cloned().ok_or_else(|| Fault::invalid_argument("datastore"))?;
            ctx.s.unmount(&host.id, &ds.id)?;
            Ok(Val::Unset)
        }
        "QueryUnresolvedVmfsVolumes" => unresolved::list(ctx.s, &host.id),
        "ResignatureUnresolvedVmfsVolume_Task" => {
            let (user, id, spec) = (ctx.user(), host.id.clone(), ctx.args.get("resolutionSpec").clone());
            Ok(ctx.s.run(method, &host, &user, move |s| unresolved::resignature(s, &id, &spec)).into())
        }
        _ => not_here(ctx, method),
    }
}
