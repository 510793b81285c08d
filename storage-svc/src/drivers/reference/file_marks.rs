//! Marks of clones of files. The array's API cannot write files, so a mark is the name of an empty directory:
//! `<clone>/.<mark>` in the clone, and `.strata-clones/<mark>/<clone>` as the volume's list of what is ours.

use super::{Reference, comment::short, files};
use crate::driver::{DriverError, FileCloneRequest};
use sha2::{Digest as _, Sha256};
use strata_model::mark::Mark;

const INDEX: &str = ".strata-clones";

/// One clone in a volume's list.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) mark: Mark,
    /// Digest of what it was made of.
    pub(super) source: String,
    /// Its directories, planned or made.
    pub(super) directories: Vec<String>,
    path: String,
}

/// Eight digits of what a clone is made of.
pub(super) fn source_of(want: &FileCloneRequest) -> String {
    let targets: Vec<String> = want
        .targets
        .iter()
        .map(|target| format!("{} {} {} {:?}", target.volume, target.snapshot, target.directory, target.files))
        .collect();
    digest(&targets.join("\n"))
}

fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

fn text(mark: &Mark, volume: &str, last: &str) -> String {
    format!("{mark};v={};{last}", short(volume))
}

/// The name of the mark in a clone's directory: fits this directory of this volume only (S2).
pub(super) fn in_directory(mark: &Mark, volume: &str, directory: &str) -> String {
    format!(".{}", text(mark, volume, &format!("d={}", digest(directory))))
}

/// True where one of the names is this clone's mark, of whatever generation.
pub(super) fn is_marked(
    names: impl IntoIterator<Item = impl AsRef<str>>,
    mark: &Mark,
    volume: &str,
    directory: &str,
) -> bool {
    let wanted = format!("v={};d={}", short(volume), digest(directory));
    names.into_iter().any(|name| {
        let Some((found, rest)) = name.as_ref().strip_prefix('.').and_then(split) else { return false };
        found.installation == mark.installation && found.key == mark.key && rest == wanted
    })
}

/// The mark and what follows it.
fn split(name: &str) -> Option<(Mark, &str)> {
    let at = name.find(";v=")?;
    Some((name[..at].parse().ok()?, &name[at + 1..]))
}

/// Where a clone's directory stands in the list.
pub(super) fn index_path(mark: &Mark, volume: &str, source: &str, directory: &str) -> String {
    format!("{INDEX}/{}/{directory}", text(mark, volume, &format!("s={source}")))
}

/// A volume's list; entries that were copied from another volume do not count.
pub(super) async fn index(array: &Reference, volume: &str) -> Result<Vec<Entry>, DriverError> {
    let mut entries = Vec::new();
    let Some(index) = files::find(array, volume, None, INDEX).await? else {
        return Ok(entries);
    };
    for name in index.entries.into_iter().filter(|entry| entry.is_dir).map(|entry| entry.name) {
        let Some((mark, rest)) = split(&name) else { continue };
        let Some(source) = rest.strip_prefix(&format!("v={};s=", short(volume))) else { continue };
        let path = format!("{INDEX}/{name}");
        let directories = leaves(array, volume, &path).await?;
        entries.push(Entry { mark, source: source.to_owned(), directories, path });
    }
    Ok(entries)
}

impl Entry {
    /// Where it stands.
    pub(super) fn path(&self) -> &str {
        &self.path
    }
}

/// The deepest directories below a path, without the path itself.
async fn leaves(array: &Reference, volume: &str, path: &str) -> Result<Vec<String>, DriverError> {
    let (mut found, mut open) = (Vec::new(), vec![path.to_owned()]);
    while let Some(here) = open.pop() {
        let Some(dir) = files::find(array, volume, None, &here).await? else { continue };
        let inner: Vec<String> =
            dir.entries.iter().filter(|entry| entry.is_dir).map(|entry| entry.name.clone()).collect();
        if inner.is_empty() && here != path {
            found.push(here[path.len() + 1..].to_owned());
        }
        open.extend(inner.into_iter().map(|name| format!("{here}/{name}")));
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_fits_one_directory_of_one_volume() {
        let mark = Mark { installation: "a".repeat(32), key: "k".repeat(40), generation: u64::MAX };
        let (volume, other) = ("7f1a2b3c-11aa", "0b9d9a57-6a4e");
        let name = in_directory(&mark, volume, "web-t");
        assert!(name.len() <= 255);
        assert!(is_marked([&name], &mark, volume, "web-t"));
        assert!(!is_marked([&name], &mark, volume, "kept"));
        assert!(!is_marked([&name], &mark, other, "web-t"));
        assert!(!is_marked([&name], &Mark { installation: "b".repeat(32), ..mark.clone() }, volume, "web-t"));
        assert!(!is_marked(["disk", ".x", ".strata1;v=1"], &mark, volume, "web-t"));
    }
}
