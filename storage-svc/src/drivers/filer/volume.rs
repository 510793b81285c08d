//! Volumes: the directories directly below the root.

use super::{
    beneath::Beneath,
    btrfs,
    config::FilerConfig,
    error::os,
    shared::{Engine, Shared, birth_stamp, is_subvolume},
};
use crate::driver::{Device, DriverError, NfsPath, Reason, Resolution, Volume};
use crate::rel_path::RelPath;
use rustix::fs::{self, StatVfsMountFlags, XattrFlags};
use std::path::PathBuf;
use strata_model::ids::VolumeId;
use uuid::Uuid;

/// A volume with the border that nothing in it crosses.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) volume: Volume,
    pub(super) dir: Beneath,
    pub(super) path: PathBuf,
}

impl Found {
    /// Refuses where the volume is not the one that the caller means, or cannot be written.
    pub(super) fn check(&self, expected_uuid: Option<&str>) -> Result<(), DriverError> {
        if let Some(expected) = expected_uuid
            && expected != self.volume.uuid
        {
            return Err(replaced(&self.volume.id, expected, &self.volume.uuid));
        }
        if !self.volume.read_write {
            let text = format!("volume '{}' is read-only; nothing can be made of or in it", self.volume.id);
            return Err(DriverError::new(Reason::ReadOnly, text));
        }
        Ok(())
    }

    /// Refuses a path that is absent, or lies in a subvolume of its own, which a snapshot of the volume leaves out.
    pub(super) fn check_same_subvolume(&self, path: &str) -> Result<(), DriverError> {
        let path = RelPath::parse(path)?;
        let object = self.dir.describe(path.as_str());
        let inner = fs::fstat(self.dir.open_any(path.as_str())?).map_err(|errno| os(errno, &object))?;
        let outer = fs::fstat(self.dir.fd()).map_err(|errno| os(errno, &object))?;
        if inner.st_dev != outer.st_dev {
            let text =
                format!("{object} is a subvolume or mount of its own, which a snapshot of the volume leaves out");
            return Err(DriverError::new(Reason::UnsafePath, text));
        }
        Ok(())
    }
}

/// The volume under a name is another one than it was.
pub(super) fn replaced(id: &VolumeId, expected: &str, found: &str) -> DriverError {
    DriverError::new(
        Reason::VolumeReplaced,
        format!(
            "volume '{id}' was replaced: it is {found} now and was {expected}; take a new snapshot of what it is now"
        ),
    )
}

/// Names that may be volumes, sorted: as configured, or all below the root that are not hidden. What is no directory of this
/// file system is told by [`find`].
pub(super) fn candidates(config: &FilerConfig, root: &Beneath) -> Result<Vec<String>, DriverError> {
    let mut names: Vec<String> = match &config.volumes {
        Some(names) => names.clone(),
        None => root.list_all()?.0.into_iter().filter(|name| !name.starts_with('.') && name != "lost+found").collect(),
    };
    names.sort();
    names.dedup();
    Ok(names)
}

/// Names of directories that are volumes, or could be.
pub(super) fn names(config: &FilerConfig, root: &Beneath) -> Result<Vec<String>, DriverError> {
    let mut names = candidates(config, root)?;
    names.retain(|name| root.enter(name).is_ok());
    Ok(names)
}

/// All volumes. With btrfs, a directory that is no subvolume is none: it could not be cut.
pub(super) fn all(shared: &Shared) -> Result<Vec<Volume>, DriverError> {
    let root = shared.beneath()?;
    let mut volumes = Vec::new();
    for name in names(&shared.config, &root)? {
        match find(shared, &VolumeId(name)) {
            Ok(found) => volumes.push(found.volume),
            // It went away since the names were read, or is no subvolume.
            Err(error) if matches!(error.reason, Reason::NotFound | Reason::NotSupported) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(volumes)
}

/// One volume.
pub(super) fn find(shared: &Shared, id: &VolumeId) -> Result<Found, DriverError> {
    let name = id.as_str();
    let configured = shared.config.volumes.as_ref().is_none_or(|names| names.iter().any(|known| known == name));
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']) || !configured {
        return Err(absent(shared, id));
    }
    let dir = shared.beneath()?.enter(name).map_err(|error| match error.reason {
        Reason::NotFound | Reason::UnsafePath => absent(shared, id).because(error),
        _ => error,
    })?;
    let dir = dir.called(format!("volume '{name}'"));
    let path = shared.root.join(name);
    let space = fs::fstatvfs(dir.fd()).map_err(|errno| os(errno, format!("volume '{name}'")))?;
    let mut read_write = !space.f_flag.contains(StatVfsMountFlags::RDONLY);
    let uuid = match shared.engine {
        Engine::Btrfs if is_subvolume(&dir)? => {
            let subvolume = btrfs::show(&path)?;
            read_write &= !subvolume.read_only;
            subvolume.uuid
        }
        Engine::Btrfs => {
            return Err(DriverError::new(
                Reason::NotSupported,
                format!(
                    "directory '{name}' is no btrfs subvolume and cannot be cut; make one and move the files there"
                ),
            ));
        }
        Engine::Reflink | Engine::Copy => directory_uuid(&dir, read_write)?,
    };
    let volume = Volume {
        id: id.clone(),
        display_name: name.to_owned(),
        uuid,
        size_bytes: 0,
        free_bytes: Some(space.f_bavail.saturating_mul(space.f_frsize)),
        read_write,
        clone_of: None,
        nfs: export(&shared.config, name),
    };
    Ok(Found { volume, dir, path })
}

fn absent(shared: &Shared, id: &VolumeId) -> DriverError {
    let text =
        format!("there is no volume '{id}' below {}; list the volumes to see which there are", shared.root.display());
    DriverError::new(Reason::NotFound, text)
}

/// A plain directory's identity: what was written on it when it was first seen, and what a copy of it cannot have.
fn directory_uuid(dir: &Beneath, read_write: bool) -> Result<String, DriverError> {
    const ATTRIBUTE: &str = "user.strata.volume";
    let mut bytes = [0; 16];
    let written = match fs::fgetxattr(dir.fd(), ATTRIBUTE, &mut bytes[..]) {
        Ok(16) => Uuid::from_bytes(bytes),
        _ if read_write => {
            let fresh = Uuid::new_v4();
            match fs::fsetxattr(dir.fd(), ATTRIBUTE, fresh.as_bytes(), XattrFlags::CREATE) {
                Ok(()) => fresh,
                // The file system keeps no attributes: inode and birth have to do.
                Err(_) => Uuid::nil(),
            }
        }
        _ => Uuid::nil(),
    };
    Ok(Uuid::new_v5(&written, &birth_stamp(dir)?).to_string())
}

fn export(config: &FilerConfig, name: &str) -> Option<NfsPath> {
    let host = config.hosts.first()?.clone();
    Some(NfsPath { host, path: format!("{}/{name}", config.prefix()) })
}

/// The volume that a host mounts.
pub(super) fn resolve(shared: &Shared, device: &Device) -> Result<Resolution, DriverError> {
    let absent = |reason: String| Ok(Resolution::Absent { reason });
    let Device::Nfs(nfs) = device else {
        return absent(String::new());
    };
    if !shared.config.hosts.iter().any(|host| NfsPath::is_same_host(host, &nfs.host)) {
        return absent(String::new());
    }
    let parts: Vec<&str> = nfs.path.split('/').filter(|part| !part.is_empty()).collect();
    let prefix = shared.config.prefix();
    let prefix: Vec<&str> = prefix.split('/').filter(|part| !part.is_empty()).collect();
    let Some([name, inner @ ..]) = parts.strip_prefix(prefix.as_slice()) else {
        return absent(format!(
            "'{}' is not below '/{}', where this filer's volumes are exported; see path_prefix in its configuration",
            nfs.path,
            prefix.join("/")
        ));
    };
    match find(shared, &VolumeId((*name).to_owned())) {
        Ok(found) => Ok(Resolution::Found {
            evidence: format!("NFS path {} exported by {}", nfs.path, nfs.host),
            path_in_volume: inner.join("/"),
            volume: found.volume,
            lun: None,
            siblings: Vec::new(),
        }),
        Err(error) if matches!(error.reason, Reason::NotFound | Reason::NotSupported) => absent(error.message),
        Err(error) => Err(error),
    }
}
