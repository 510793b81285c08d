//! Files within volumes, live or below `.snapshot`, by the array's files API. Whether every release shows `.snapshot` there is not
//! certain: where it does not, that is told apart from a file that is absent.

use super::{
    Ontap,
    client::{Change, WAIT, literal},
    wire::{self, File},
};
use crate::{
    driver::{DriverError, Reason},
    rel_path::RelPath,
};
use http::Method;
use serde_json::json;
use strata_model::names::encode;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// A file, with its size.
    File(u64),
    /// A directory.
    Directory,
    /// Nothing.
    Absent,
    /// The array does not show this place.
    Hidden,
}

impl Seen {
    pub(super) fn is_there(&self) -> bool {
        matches!(self, Seen::File(_) | Seen::Directory)
    }
}

/// The path of a file's resource. Dots are encoded, since the server would take `..` for a step up to the volume itself.
pub(super) fn resource(volume: &str, path: &str) -> String {
    let below = if path.is_empty() { String::new() } else { format!("/{}", encode(path).replace('.', "%2E")) };
    format!("/storage/volumes/{volume}/files{below}")
}

/// Where a snapshot's files are seen.
pub(super) fn snapshot_root(snapshot: &wire::Snapshot) -> String {
    format!(".snapshot/{}", snapshot.name)
}

/// The entries of a directory; `None` where it is not there.
pub(super) async fn entries(array: &Ontap, volume: &str, path: &str) -> Result<Option<Vec<File>>, DriverError> {
    list(array, volume, path, "").await
}

async fn list(array: &Ontap, volume: &str, path: &str, query: &str) -> Result<Option<Vec<File>>, DriverError> {
    let path = format!("{}?{query}fields=name,type,size", resource(volume, path));
    match array.client.list::<File>(&path, "list a directory").await {
        Ok(mut all) => {
            all.retain(|file| !matches!(file.name.as_str(), "" | "." | ".."));
            Ok(Some(all))
        }
        Err(error) if error.reason == Reason::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// One entry of a directory; `None` where it, or the directory, is not there.
async fn entry(array: &Ontap, volume: &str, directory: &str, name: &str) -> Result<Option<File>, DriverError> {
    // Quotes and braces cannot be asked for; then the whole directory is read.
    let query = if name.contains(['"', '{', '}']) { String::new() } else { format!("name={}&", literal(name)) };
    let found = list(array, volume, directory, &query).await?;
    Ok(found.unwrap_or_default().into_iter().find(|file| file.name == name))
}

/// What stands at a path below `root` (empty: the volume's). No symbolic link is followed.
pub(super) async fn walk(array: &Ontap, volume: &str, root: &str, path: &RelPath) -> Result<Seen, DriverError> {
    let mut here = root.to_owned();
    let mut seen = Seen::Directory;
    for name in path.as_str().split('/') {
        if matches!(seen, Seen::File(_)) {
            return Ok(Seen::Absent);
        }
        seen = match entry(array, volume, &here, name).await? {
            None if here == root && !root.is_empty() => return seen_root(array, volume, root).await,
            None => return Ok(Seen::Absent),
            Some(file) => match file.kind.as_str() {
                "directory" => Seen::Directory,
                "symlink" => return Err(unsafe_path(path.as_str(), name)),
                _ => Seen::File(file.size.unwrap_or_default()),
            },
        };
        here = if here.is_empty() { name.to_owned() } else { format!("{here}/{name}") };
    }
    Ok(seen)
}

/// Nothing was found right below a snapshot's root: is the root itself shown?
async fn seen_root(array: &Ontap, volume: &str, root: &str) -> Result<Seen, DriverError> {
    Ok(if entries(array, volume, root).await?.is_some() { Seen::Absent } else { Seen::Hidden })
}

fn unsafe_path(path: &str, name: &str) -> DriverError {
    let text = format!("'{path}' leads through '{name}', a symbolic link; name the file itself");
    DriverError::new(Reason::UnsafePath, text)
}

/// Makes the directories of a path that are missing. Returns a job where the array works later.
pub(super) async fn make_directories(array: &Ontap, volume: &str, path: &RelPath) -> Result<Change, DriverError> {
    let ends = path.as_str().match_indices('/').map(|(at, _)| at).chain([path.as_str().len()]);
    for end in ends {
        let part = RelPath::parse(&path.as_str()[..end])?;
        match walk(array, volume, "", &part).await? {
            Seen::Directory => continue,
            Seen::File(_) => {
                let text = format!("'{}' is a file where a directory is needed; choose another path", part.as_str());
                return Err(DriverError::new(Reason::TargetExists, text));
            }
            Seen::Absent | Seen::Hidden => {}
        }
        let body = json!({"type": "directory", "unix_permissions": "755"});
        let at = format!("{}?{WAIT}", resource(volume, part.as_str()));
        match array.client.change(Method::POST, &at, Some(body), "make a directory").await {
            Ok(Change::Done) => {}
            Ok(queued) => return Ok(queued),
            // Somebody was faster.
            Err(error) if error.reason == Reason::TargetExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Change::Done)
}

/// Clones a file of a snapshot; never over another.
pub(super) async fn clone(
    array: &Ontap,
    volume: &wire::Volume,
    snapshot: &wire::Snapshot,
    from: &str,
    to: &str,
) -> Result<Change, DriverError> {
    let body = json!({
        "volume": {"uuid": volume.uuid, "name": volume.name},
        "source_path": format!("{}/{from}", snapshot_root(snapshot)),
        "destination_path": to,
        "overwrite_destination": false,
    });
    array.client.change(Method::POST, &format!("/storage/file/clone?{WAIT}"), Some(body), "clone a file").await
}

/// Removes a directory with all it holds; fine where it is absent.
pub(super) async fn remove_directory(array: &Ontap, volume: &str, path: &str) -> Result<Change, DriverError> {
    let at = format!("{}?recurse=true&{WAIT}", resource(volume, path));
    match array.client.change(Method::DELETE, &at, None, "delete a directory").await {
        Err(error) if error.reason == Reason::NotFound => Ok(Change::Done),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_steps_up_in_the_url() {
        for (path, expected) in [
            ("", "/storage/volumes/v/files"),
            ("..", "/storage/volumes/v/files/%2E%2E"),
            ("a/b.vmdk", "/storage/volumes/v/files/a%2Fb%2Evmdk"),
            (".snapshot/s-1/größe #1", "/storage/volumes/v/files/%2Esnapshot%2Fs-1%2Fgr%C3%B6%C3%9Fe%20%231"),
        ] {
            assert_eq!(resource("v", path), expected);
        }
    }
}
