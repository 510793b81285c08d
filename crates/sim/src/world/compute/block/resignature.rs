//! Resolving copies: a new signature, or a mount by force.

use super::unresolved::UnresolvedVolume;
use crate::world::{
    compute::{fault::Fault, files::tree_fault, state::State},
    tree::FileTree,
    vmfs::{ExtentFiles, Header, Span, rewrite_references},
};
use std::sync::Arc;

/// How a copy is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// It gets a uuid and a label of its own, for good.
    Resignature,
    /// It is mounted on this host under the uuid of its original.
    Force,
}

impl State {
    /// Resolves the copy that has these extents on one host, and mounts it there; other hosts see it when they look. Returns
    /// the datastore's id. The head extent is enough where each extent is there once.
    ///
    /// Errors: HostNotConnected; NotFound where an extent is none of a copy; VmfsAmbiguousMount where several copies are seen;
    /// HostConfigFault where an extent is missing; VmfsAlreadyMounted where one is to be forced beside its original.
    pub fn resolve(&mut self, host: &str, paths: &[String], how: Resolution) -> Result<String, Fault> {
        let all = self.unresolved(host)?;
        let asked = |v: &&UnresolvedVolume| v.extents.iter().any(|e| paths.contains(&e.device_path()));
        let volume = all.iter().find(asked).cloned();
        let known = |path: &String| volume.as_ref().is_some_and(|v| v.extents.iter().any(|e| e.device_path() == *path));
        if let Some(stray) = paths.iter().find(|path| !known(path)) {
            return Err(Fault::new("NotFound", format!("'{stray}' is no extent of an unresolved VMFS volume")));
        }
        let Some(volume) = volume else { return Err(Fault::invalid_argument("resolutionSpec.extentDevicePath")) };
        let devices = self.extents_to_resolve(&volume, paths)?;
        match how {
            Resolution::Resignature => self.resignature(host, &volume, &devices),
            Resolution::Force => self.force_mount(host, &volume, &devices),
        }
    }

    /// One device for each extent.
    fn extents_to_resolve(&self, volume: &UnresolvedVolume, paths: &[String]) -> Result<Vec<String>, Fault> {
        let label = &volume.label;
        if volume.incomplete {
            let text = format!("Extents of the VMFS volume '{label}' are missing");
            return Err(Fault::new("HostConfigFault", text));
        }
        if volume.multiple && self.copies_are_refused {
            let text = format!("The VMFS volume '{label}' cannot be resolved: several copies of it are visible");
            return Err(Fault::new("VmfsAmbiguousMount", text).with("uuid", volume.uuid.as_str()));
        }
        let pick = |ordinal: usize| {
            let mut here = volume.extents.iter().filter(|e| e.ordinal == ordinal);
            let named = here.clone().find(|e| paths.contains(&e.device_path()));
            let only = if volume.multiple { None } else { here.next() };
            named.or(only).map(|e| e.device.clone())
        };
        let picked: Option<Vec<String>> = (0..volume.count).map(pick).collect();
        picked.ok_or_else(|| {
            let text = format!("Several copies of '{label}' are visible: name every extent");
            Fault::new("VmfsAmbiguousMount", text).with("uuid", volume.uuid.as_str())
        })
    }

    fn resignature(&mut self, host: &str, volume: &UnresolvedVolume, devices: &[String]) -> Result<String, Fault> {
        let reached = devices.iter().map(|d| self.reach(host, d)).collect::<Option<Vec<_>>>();
        let reached = reached.ok_or_else(|| Fault::new("HostConfigFault", "A device does not answer"))?;
        let uuid = self.volume_uuid();
        let label = format!("snap-{:08x}-{}", self.random() & 0xffff_ffff, volume.label);
        for (ordinal, extent) in reached.iter().enumerate() {
            let corrupt = Header::read(&extent.content).is_some_and(|h| h.corrupt);
            let header = Header {
                volume: uuid.clone(),
                label: label.clone(),
                devices: devices.to_vec(),
                ordinal,
                copy_of: Some(volume.uuid.clone()),
                corrupt,
            };
            header.write(&extent.content).map_err(|e| tree_fault(&e, &label))?;
            if let Some(h) = self.hosts.get_mut(host) {
                h.san.headers.insert(extent.found.canonical_name.clone(), header);
            }
        }
        if self.resignature_rewrites {
            let files =
                reached.iter().map(|e| -> Arc<dyn FileTree> { Arc::new(ExtentFiles::of(Arc::clone(&e.content))) });
            let mut files = files.collect::<Vec<_>>().into_iter();
            if let Some(head) = files.next() {
                let tree = Span::over(head, files.collect());
                rewrite_references(&tree, &volume.uuid, &uuid).map_err(|e| tree_fault(&e, &label))?;
            }
        }
        Ok(self.know_volume(host, &uuid, &label, devices, true, false))
    }

    fn force_mount(&mut self, host: &str, volume: &UnresolvedVolume, devices: &[String]) -> Result<String, Fault> {
        let original = self.datastores.values().filter(|d| d.on_luns() && d.uuid == volume.uuid);
        let mut mounts = original.flat_map(|d| &d.mounts).filter(|m| m.mounted);
        if mounts.any(|m| m.host == host) {
            let text = format!("The VMFS volume '{}' is mounted on this host", volume.label);
            return Err(Fault::new("VmfsAlreadyMounted", text).with("uuid", volume.uuid.as_str()));
        }
        Ok(self.know_volume(host, &volume.uuid, &volume.label, devices, true, true))
    }

    /// A new uuid of a filesystem.
    pub fn volume_uuid(&mut self) -> String {
        let hex = self.uuid().replace('-', "");
        format!("{}-{}-{}-{}", &hex[..8], &hex[8..16], &hex[16..20], &hex[20..32])
    }
}
