//! Datastore.

use super::{
    super::context::{Answer, Ctx},
    entity::rename,
    not_here,
};
use crate::world::compute::{
    block::APD_TIMEOUT,
    datastore::{Backing, Datastore, Mount},
    state::State,
    value::{MoRef, Val, obj},
};

/// A HostFileSystemVolume.
pub fn volume(s: &State, ds: &Datastore) -> Val {
    let (kind, name, capacity) = (ds.kind(), &ds.name, s.space(ds).0);
    match &ds.backing {
        Backing::Nfs { host, path, v41 } => {
            let names = if *v41 { vec![host.clone()] } else { Vec::new() };
            obj!("HostNasVolume", "type" => kind, "name" => name, "capacity" => capacity, "remoteHost" => host,
                "remotePath" => path, "remoteHostNames" => Some(names).filter(|n| !n.is_empty()),
                "securityType" => if *v41 { "AUTH_SYS" } else { "" })
        }
        Backing::Vmfs { extents, .. } => {
            let forced = ds.mounts.iter().any(|m| m.mounted && m.forced);
            let forced = forced.then(|| obj!("HostForceMountedInfo", "persist" => false, "mounted" => true));
            let extents = extents.iter().map(|e| obj!("HostScsiDiskPartition", "diskName" => e, "partition" => 1));
            obj!("HostVmfsVolume", "type" => kind, "name" => name, "capacity" => capacity, "blockSizeMb" => 1,
                "blockSize" => 1024, "maxBlocks" => 63_963_136, "majorVersion" => 6, "version" => "6.82",
                "uuid" => &ds.uuid, "extent" => Val::List(extents.collect()), "vmfsUpgradable" => false,
                "local" => false, "ssd" => true, "forceMountedInfo" => forced)
        }
        _ => obj!("HostLocalFileSystemVolume", "type" => kind, "name" => name, "capacity" => capacity,
            "device" => &ds.uuid),
    }
}

fn info(s: &State, ds: &Datastore) -> Val {
    let ty = match &ds.backing {
        Backing::Nfs { .. } => "NasDatastoreInfo",
        Backing::Vmfs { .. } => "VmfsDatastoreInfo",
        Backing::Local(_) => "LocalDatastoreInfo",
        Backing::Vsan(_) => "VsanDatastoreInfo",
    };
    let mut info = obj!(ty, "name" => &ds.name, "url" => ds.url(), "freeSpace" => s.space(ds).1,
        "maxFileSize" => 70_368_744_177_664i64, "maxVirtualDiskCapacity" => 68_169_720_922_112i64,
        "maxMemoryFileSize" => 70_368_744_177_664i64, "timestamp" => s.began);
    match &ds.backing {
        Backing::Nfs { .. } => info.set("nas", volume(s, ds)),
        Backing::Vmfs { .. } => {
            info.set("maxPhysicalRDMFileSize", 70_368_744_177_664i64);
            info.set("maxVirtualRDMFileSize", 68_169_720_922_112i64);
            info.set("vmfs", volume(s, ds));
        }
        Backing::Local(_) => info.set("path", format!("/vmfs/volumes/{}", ds.uuid)),
        Backing::Vsan(_) => info.set("membershipUuid", ds.uuid.as_str()),
    }
    info
}

/// Why a host does not reach what it has mounted.
fn lost(s: &State, ds: &Datastore, mount: &Mount) -> &'static str {
    let since = s.hosts.get(&mount.host).and_then(|h| h.san.lost_since);
    match since {
        Some(since) if ds.on_luns() && s.now().duration_since(since).unsigned_abs() < APD_TIMEOUT => {
            "AllPathsDown_Start"
        }
        _ => "AllPathsDown_Timeout",
    }
}

/// How a host mounts it.
pub fn mount_info(s: &State, ds: &Datastore, mount: &Mount) -> Val {
    let reached = s.reaches(ds, mount);
    let reason = if reached || !mount.mounted { None } else { Some(lost(s, ds, mount)) };
    obj!("HostMountInfo", "path" => format!("/vmfs/volumes/{}", ds.uuid),
        "accessMode" => if mount.writable { "readWrite" } else { "readOnly" }, "mounted" => mount.mounted,
        "accessible" => reached, "inaccessibleReason" => reason)
}

/// A host's view of its volumes.
pub fn volumes_of_host(s: &State, host: &str) -> Val {
    let all = s.datastores.values().filter_map(|d| {
        let mount = d.mounts.iter().find(|m| m.host == host)?;
        Some(obj!("HostFileSystemMountInfo", "mountInfo" => mount_info(s, d, mount), "volume" => volume(s, d)))
    });
    obj!("HostFileSystemVolumeInfo", "volumeTypeList" => vec!["VMFS", "NFS", "NFS41"],
        "mountInfo" => Val::List(all.collect()))
}

/// A property.
pub fn property(s: &State, id: &str, name: &str) -> Val {
    let Some(ds) = s.datastores.get(id) else { return Val::Unset };
    match name {
        "info" => info(s, ds),
        "summary" => obj!("DatastoreSummary", "datastore" => MoRef::new("Datastore", id), "name" => &ds.name,
            "url" => ds.url(), "capacity" => s.space(ds).0, "freeSpace" => s.space(ds).1, "uncommitted" => 0,
            "accessible" => ds.mounts.iter().any(|m| s.reaches(ds, m)), "multipleHostAccess" => ds.mounts.len() > 1, "type" => ds.kind(),
            "maintenanceMode" => "normal"),
        "host" => {
            let all = ds.mounts.iter().map(|m| {
                obj!("DatastoreHostMount", "key" => MoRef::new("HostSystem", &m.host), "mountInfo" => mount_info(s, ds, m))
            });
            Val::List(all.collect())
        }
        "vm" => s.vms_on(id).into(),
        "browser" => MoRef::new("HostDatastoreBrowser", format!("datastoreBrowser-{id}")).into(),
        "capability" => {
            let vmfs = matches!(ds.backing, Backing::Vmfs { .. });
            obj!("DatastoreCapability", "directoryHierarchySupported" => true, "rawDiskMappingsSupported" => vmfs,
                "perFileThinProvisioningSupported" => true, "storageIORMSupported" => true,
                "nativeSnapshotSupported" => false, "topLevelDirectoryCreateSupported" => true,
                "seSparseSupported" => true, "vmfsSparseSupported" => true)
        }
        _ => Val::Unset,
    }
}

/// The methods.
pub fn call(ctx: &mut Ctx<'_>, method: &str) -> Answer {
    match method {
        "RefreshDatastore" | "RefreshDatastoreStorageInfo" => {
            let id = ctx.id();
            ctx.s.refresh_datastore(&id)?;
            Ok(Val::Unset)
        }
        "RenameDatastore" => {
            ctx.need("Datastore.Rename", &ctx.this.clone())?;
            let (this, name) = (ctx.this.clone(), ctx.text("newName").to_owned());
            rename(ctx.s, &this, &name)
        }
        "DestroyDatastore" => {
            ctx.need("Datastore.Delete", &ctx.this.clone())?;
            let id = ctx.id();
            ctx.s.destroy_vmfs(&id).map(|()| Val::Unset)
        }
        _ => not_here(ctx, method),
    }
}
