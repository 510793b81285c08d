//! HostStorageSystem: rescans, unmounting and detaching, and resolving copies on one host.

use super::{
    super::{
        context::{Answer, Ctx},
        dispatch,
    },
    not_here, unresolved,
};
use crate::world::compute::{
    fault::Fault,
    state::State,
    value::{Val, obj},
};

/// A method that works on one thing of a host, named by a text.
type One = fn(&mut State, &str, &str) -> Result<(), Fault>;

/// Methods that take one name and return nothing: method, argument, what it does.
const ONE: &[(&str, &str, One)] = &[
    ("UnmountVmfsVolume", "vmfsUuid", State::unmount_vmfs),
    ("MountVmfsVolume", "vmfsUuid", State::mount_vmfs),
    ("UnmountForceMountedVmfsVolume", "vmfsUuid", State::unmount_forced_vmfs),
    ("DeleteVmfsVolumeState", "vmfsUuid", State::forget_vmfs),
    ("DetachScsiLun", "lunUuid", State::detach_device),
    ("AttachScsiLun", "lunUuid", State::attach_device),
    ("DeleteScsiLunState", "lunCanonicalName", State::forget_device),
];

/// Tasks that do the same for many, each with a result of its own: method, argument, type of a result, what it does.
const MANY: &[(&str, &str, &str, One)] = &[
    ("UnmountVmfsVolumeEx_Task", "vmfsUuid", "HostStorageSystemVmfsVolumeResult", State::unmount_vmfs),
    ("MountVmfsVolumeEx_Task", "vmfsUuid", "HostStorageSystemVmfsVolumeResult", State::mount_vmfs),
    ("DetachScsiLunEx_Task", "lunUuid", "HostStorageSystemScsiLunResult", State::detach_device),
    ("AttachScsiLunEx_Task", "lunUuid", "HostStorageSystemScsiLunResult", State::attach_device),
];

/// The methods.
pub fn call(ctx: &mut Ctx<'_>, method: &str) -> Answer {
    let host = dispatch::owner(ctx.s, ctx.this).ok_or_else(|| Fault::gone(ctx.this))?;
    ctx.need("Host.Config.Storage", &host)?;
    let (id, user) = (host.id.clone(), ctx.user());
    if let Some((_, argument, act)) = ONE.iter().find(|(name, ..)| *name == method) {
        let name = ctx.text(argument).to_owned();
        return act(ctx.s, &id, &name).map(|()| Val::Unset);
    }
    if let Some((_, argument, ty, act)) = MANY.iter().find(|(name, ..)| *name == method) {
        let names: Vec<String> = ctx.args.list(argument).iter().filter_map(Val::as_str).map(str::to_owned).collect();
        let (ty, act) = (*ty, *act);
        let work = move |s: &mut State| {
            s.check_host(&id)?;
            let each = names.iter().map(|name| {
                let fault = act(s, &id, name).err().map(|f| f.localized());
                obj!(ty, "key" => name, "fault" => fault)
            });
            Ok(Val::List(each.collect()))
        };
        return Ok(ctx.s.run(method, &host, &user, work).into());
    }
    match method {
        "RescanAllHba" => ctx.s.rescan_adapters(&id, None).map(|()| Val::Unset),
        "RescanHba" => {
            let adapter = ctx.text("hbaDevice").to_owned();
            ctx.s.rescan_adapters(&id, Some(&adapter)).map(|()| Val::Unset)
        }
        "RescanVmfs" => ctx.s.rescan_vmfs(&id).map(|()| Val::Unset),
        "RefreshStorageSystem" => ctx.s.refresh_storage_system(&id).map(|()| Val::Unset),
        "QueryUnresolvedVmfsVolume" => unresolved::list(ctx.s, &id),
        "ResolveMultipleUnresolvedVmfsVolumes" => {
            let specs = ctx.args.list("resolutionSpec").to_vec();
            unresolved::resolve_many(ctx.s, &id, &specs)
        }
        "ResolveMultipleUnresolvedVmfsVolumesEx_Task" => {
            let specs = ctx.args.list("resolutionSpec").to_vec();
            Ok(ctx.s.run(method, &host, &user, move |s| unresolved::resolve_many(s, &id, &specs)).into())
        }
        _ => not_here(ctx, method),
    }
}
