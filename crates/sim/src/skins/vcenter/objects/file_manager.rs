//! FileManager and VirtualDiskManager.

use super::{
    super::context::{Answer, Ctx},
    not_here,
};
use crate::world::compute::{
    fault::Fault,
    files::DsPath,
    value::{MoRef, Val},
};

/// A path argument with its datacenter.
fn path(ctx: &Ctx<'_>, name: &str, datacenter: &str) -> Result<DsPath, Fault> {
    let dc = ctx.datacenter(datacenter)?;
    let path = ctx.s.parse_path(ctx.text(name), dc.as_deref())?;
    ctx.need("Datastore.FileManagement", &MoRef::new("Datastore", &path.ds))?;
    Ok(path)
}

/// The target's datacenter is the source's where it is not given.
fn target(ctx: &Ctx<'_>, name: &str) -> Result<DsPath, Fault> {
    let of = |n: &str| if ctx.args.moref(n).is_some() { Some(n.to_owned()) } else { None };
    let dc = of("destinationDatacenter").or(of("destDatacenter")).unwrap_or_else(|| "sourceDatacenter".to_owned());
    path(ctx, name, &dc)
}

/// The methods of FileManager.
pub fn call(ctx: &mut Ctx<'_>, method: &str) -> Answer {
    let (this, user) = (ctx.this.clone(), ctx.user());
    let force = ctx.args.bool("force") == Some(true);
    match method {
        "MakeDirectory" => {
            let path = path(ctx, "name", "datacenter")?;
            let parents = ctx.args.bool("createParentDirectories") == Some(true);
            ctx.s.make_directory(&path, parents)?;
            Ok(Val::Unset)
        }
        "DeleteDatastoreFile_Task" => {
            let path = path(ctx, "name", "datacenter")?;
            Ok(ctx.s.run(method, &this, &user, move |s| s.delete_file(&path).map(|()| Val::Unset)).into())
        }
        "MoveDatastoreFile_Task" => {
            let (from, to) = (path(ctx, "sourceName", "sourceDatacenter")?, target(ctx, "destinationName")?);
            Ok(ctx.s.run(method, &this, &user, move |s| s.move_file(&from, &to, force).map(|()| Val::Unset)).into())
        }
        "CopyDatastoreFile_Task" => {
            let (from, to) = (path(ctx, "sourceName", "sourceDatacenter")?, target(ctx, "destinationName")?);
            Ok(ctx.s.run(method, &this, &user, move |s| s.copy_checked(&from, &to, force).map(|()| Val::Unset)).into())
        }
        _ => not_here(ctx, method),
    }
}

/// The methods of VirtualDiskManager.
pub fn disk_call(ctx: &mut Ctx<'_>, method: &str) -> Answer {
    let (this, user) = (ctx.this.clone(), ctx.user());
    let force = ctx.args.bool("force") == Some(true);
    match method {
        "MoveVirtualDisk_Task" => {
            let (from, to) = (path(ctx, "sourceName", "sourceDatacenter")?, target(ctx, "destName")?);
            Ok(ctx.s.run(method, &this, &user, move |s| s.move_disk(&from, &to, force).map(|()| Val::Unset)).into())
        }
        "CopyVirtualDisk_Task" => {
            let (from, to) = (path(ctx, "sourceName", "sourceDatacenter")?, target(ctx, "destName")?);
            Ok(ctx.s.run(method, &this, &user, move |s| s.copy_disk(&from, &to, force).map(|()| Val::Unset)).into())
        }
        "DeleteVirtualDisk_Task" => {
            let file = path(ctx, "name", "datacenter")?;
            Ok(ctx.s.run(method, &this, &user, move |s| s.delete_disk(&file).map(|()| Val::Unset)).into())
        }
        "CreateVirtualDisk_Task" => {
            let file = path(ctx, "name", "datacenter")?;
            let kib = ctx.args.get("spec").int("capacityKb").and_then(|n| u64::try_from(n).ok()).unwrap_or(1024);
            Ok(ctx
                .s
                .run(method, &this, &user, move |s| s.create_flat(&file, kib * 1024, true).map(|()| Val::Unset))
                .into())
        }
        "QueryVirtualDiskUuid" => {
            let file = path(ctx, "name", "datacenter")?;
            let uuid = ctx.s.descriptor(&file)?.get("ddb.uuid").unwrap_or_default().to_owned();
            Ok(uuid.into())
        }
        _ => not_here(ctx, method),
    }
}
