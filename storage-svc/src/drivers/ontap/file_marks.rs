//! Marks of clones of files. A mark is the name of an empty directory, since that is one call and there at once: `<clone>/.<mark>`
//! in the clone, and `.strata-clones/<mark>/<clone>` as the volume's list of what is ours, written first.

use super::{
    Ontap,
    comment::{digest, short},
    files,
};
use crate::{
    driver::{DriverError, FileCloneRequest},
    rel_path::RelPath,
};
use strata_model::mark::Mark;

const INDEX: &str = ".strata-clones";
/// Directories deeper than this in the list were not made by us.
const DEPTH_MAX: usize = 32;

/// One clone in a volume's list.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) mark: Mark,
    /// Digest of what it was made of.
    pub(super) source: String,
    /// Its directories, planned or made.
    pub(super) directories: Vec<String>,
    /// Where it stands in the list.
    pub(super) path: String,
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

fn text(mark: &Mark, volume: &str, last: &str) -> String {
    format!("{mark};v={};{last}", short(volume))
}

/// The mark and what follows it.
fn split(name: &str) -> Option<(Mark, &str)> {
    let at = name.find(";v=")?;
    Some((name[..at].parse().ok()?, &name[at + 1..]))
}

/// The path of the mark in a clone's directory: fits this directory of this volume only (S2).
pub(super) fn in_directory(mark: &Mark, volume: &str, directory: &str) -> Result<RelPath, DriverError> {
    let name = text(mark, volume, &format!("d={}", digest(directory)));
    RelPath::parse(&format!("{directory}/.{name}"))
}

/// True where one of the names is this clone's mark, of whatever generation.
pub(super) fn is_marked<'n>(
    names: impl IntoIterator<Item = &'n str>,
    mark: &Mark,
    volume: &str,
    directory: &str,
) -> bool {
    let wanted = format!("v={};d={}", short(volume), digest(directory));
    names.into_iter().any(|name| {
        let Some((found, rest)) = name.strip_prefix('.').and_then(split) else { return false };
        found.installation == mark.installation && found.key == mark.key && rest == wanted
    })
}

/// Where a clone's directory stands in the list.
pub(super) fn in_index(mark: &Mark, volume: &str, source: &str, directory: &str) -> Result<RelPath, DriverError> {
    RelPath::parse(&format!("{INDEX}/{}/{directory}", text(mark, volume, &format!("s={source}"))))
}

/// A volume's list; entries that were copied from another volume do not count.
pub(super) async fn index(array: &Ontap, volume: &str) -> Result<Vec<Entry>, DriverError> {
    let mut entries = Vec::new();
    for file in files::entries(array, volume, INDEX).await?.unwrap_or_default() {
        let Some((mark, rest)) = split(&file.name).filter(|_| file.kind == "directory") else { continue };
        let Some(source) = rest.strip_prefix(&format!("v={};s=", short(volume))) else { continue };
        let path = format!("{INDEX}/{}", file.name);
        let directories = leaves(array, volume, &path).await?;
        entries.push(Entry { mark, source: source.to_owned(), directories, path });
    }
    Ok(entries)
}

/// The deepest directories below a path, without the path itself.
async fn leaves(array: &Ontap, volume: &str, path: &str) -> Result<Vec<String>, DriverError> {
    let (mut found, mut open) = (Vec::new(), vec![path.to_owned()]);
    while let Some(here) = open.pop() {
        let all = files::entries(array, volume, &here).await?.unwrap_or_default();
        let inner: Vec<String> = all
            .into_iter()
            .filter(|file| file.kind == "directory")
            .map(|file| format!("{here}/{}", file.name))
            .collect();
        if inner.is_empty() && here != path {
            found.push(here[path.len() + 1..].to_owned());
        }
        open.extend(inner.into_iter().filter(|inner| inner.matches('/').count() <= DEPTH_MAX));
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
        let path = in_directory(&mark, volume, "web-t").unwrap();
        let name = path.split().1;
        assert!(name.len() <= 255);
        assert!(is_marked([name], &mark, volume, "web-t"));
        assert!(!is_marked([name], &mark, volume, "kept"));
        assert!(!is_marked([name], &mark, other, "web-t"));
        assert!(!is_marked([name], &Mark { installation: "b".repeat(32), ..mark.clone() }, volume, "web-t"));
        assert!(!is_marked(["disk", ".x", ".strata1;v=1"], &mark, volume, "web-t"));
    }
}
