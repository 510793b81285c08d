//! Which file a .vmx means: `web.vmdk` beside it, `/vmfs/volumes/<name or uuid>/dir/web.vmdk` anywhere.

use std::collections::{BTreeMap, BTreeSet};
use strata_model::DatastorePath;

/// Where ESXi shows datastores, by name and by uuid.
pub(super) const VOLUMES: &str = "/vmfs/volumes/";

/// Disks of the source and where their copies lie.
pub(super) type Disks = BTreeMap<DatastorePath, DatastorePath>;

/// What each directory below `/vmfs/volumes` is called as a datastore: uuid and name. Datacenters that mount one export
/// may call it differently.
pub(super) type Volumes = BTreeSet<(String, String)>;

/// The directory that the source's relative names are of: the one that explains most of them.
///
/// # Errors
/// Two explain as many, and differ in what they make of one.
pub(super) fn source_directory(names: &BTreeSet<&str>, disks: &Disks) -> Result<Option<(String, String)>, String> {
    let mut explained: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
    for name in names {
        for from in disks.keys() {
            let directory = match from.path.strip_suffix(name) {
                Some("") => "",
                Some(rest) if rest.ends_with('/') => rest.trim_end_matches('/'),
                _ => continue,
            };
            explained.entry((from.datastore.clone(), directory.to_owned())).or_default().insert(name);
        }
    }
    let most = explained.values().map(BTreeSet::len).max().unwrap_or(0);
    let mut best = explained.into_iter().filter(|(_, names)| names.len() == most);
    match (best.next(), best.next()) {
        (Some(((one, a), _)), Some(((other, b), _))) => {
            Err(format!("its disks could be of [{one}] {a} or of [{other}] {b}; say where the source's .vmx lies"))
        }
        (first, _) => Ok(first.map(|(directory, _)| directory)),
    }
}

/// The copy of the disk that a `fileName` means; `None` where it is not among the disks.
pub(super) fn copy_of<'d>(
    file_name: &str,
    source: Option<&(String, String)>,
    disks: &'d Disks,
    volumes: &Volumes,
) -> Option<&'d DatastorePath> {
    if let Some(absolute) = file_name.strip_prefix(VOLUMES) {
        let (volume, path) = absolute.split_once('/')?;
        if let Some(found) = disks.get(&DatastorePath::new(volume, path)) {
            return Some(found);
        }
        let mut names = volumes.iter().filter(|(uuid, _)| uuid == volume).map(|(_, name)| name).peekable();
        if names.peek().is_some() {
            // The uuid may be the copy's own: giving a VMFS a signature rewrites the files that name the old one.
            return names
                .map(|name| DatastorePath::new(name.clone(), path))
                .find_map(|at| disks.get(&at).or_else(|| disks.values().find(|copy| **copy == at)));
        }
        // The uuid of a datastore that is there no more: the path alone must tell.
        let mut same_path = disks.iter().filter(|(from, _)| from.path == path);
        return match (same_path.next(), same_path.next()) {
            (Some((_, to)), None) => Some(to),
            _ => None,
        };
    }
    // A VM may be called `[prod] web`, and so is its disk then: only what is found is taken for a datastore's path.
    if let Some(found) = file_name.parse::<DatastorePath>().ok().and_then(|path| disks.get(&path)) {
        return Some(found);
    }
    let (datastore, directory) = source?;
    let path = if directory.is_empty() { file_name.to_owned() } else { format!("{directory}/{file_name}") };
    disks.get(&DatastorePath::new(datastore.clone(), path))
}

/// Whether a name is relative to the .vmx.
pub(super) fn is_relative(file_name: &str) -> bool {
    // `[prod] web.vmdk` may be the name of a file; as a datastore's path it explains no directory.
    !file_name.starts_with('/')
}

/// How the .vmx at `vmx` writes a file: relative in its own directory, absolute elsewhere.
pub(super) fn written_from(vmx: &DatastorePath, file: &DatastorePath) -> String {
    if file.datastore == vmx.datastore && file.directory() == vmx.directory() {
        return file.file_name().to_owned();
    }
    format!("{VOLUMES}{}/{}", file.datastore, file.path)
}
