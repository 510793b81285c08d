//! Cuts files one after the other, as close together as can be: all are opened and prepared first, the largest are cut first,
//! and what makes them durable comes after the last cut. The time between first and last is measured.

use super::{
    beneath::Beneath,
    copy::{Method, Prepared, dress_directory},
    error::io,
    volume::Found,
};
use crate::driver::{DriverError, Reason};
use crate::rel_path::RelPath;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// What will be cut.
#[derive(Debug, Default)]
pub(super) struct FileCut<'a> {
    parts: Vec<Part<'a>>,
    files: Vec<PlannedFile>,
}

#[derive(Debug)]
struct Part<'a> {
    from: &'a Beneath,
    to: Beneath,
    /// Path and the directory there, opened: each is made durable at the end.
    dirs: Vec<Beneath>,
}

#[derive(Debug)]
struct PlannedFile {
    part: usize,
    path: String,
    size_bytes: u64,
    /// Asked for by its own name, so that its absence is an error.
    named: bool,
}

/// Files held open at once; descriptors are limited, and the rest is opened between the cuts.
const OPEN_MAX: usize = 200;
/// A VM's directory has some dozens; more than this is no VM's directory.
const FILES_MAX: usize = 100_000;
const DEPTH_MAX: usize = 32;

impl<'a> FileCut<'a> {
    /// Adds a volume's files; `to` is an empty directory.
    pub(super) fn plan(&mut self, volume: &'a Found, paths: &[String], to: Beneath) -> Result<(), DriverError> {
        let part = self.parts.len();
        self.parts.push(Part { from: &volume.dir, to, dirs: Vec::new() });
        // By path, so that overlapping ones (a directory and a file in it) are cut once.
        let mut found = BTreeMap::new();
        for path in paths {
            let path = RelPath::parse(path)?;
            volume.check_same_subvolume(path.as_str())?;
            walk(&volume.dir, path.as_str(), true, 0, &mut found)?;
        }
        for (path, entry) in found {
            match entry {
                Entry::Directory => self.make_directory(part, &path)?,
                Entry::File { size_bytes, named } => {
                    self.make_directory(part, path.rsplit_once('/').map_or("", |(parent, _)| parent))?;
                    self.files.push(PlannedFile { part, path, size_bytes, named });
                }
            }
        }
        self.files.sort_by_key(|file| std::cmp::Reverse(file.size_bytes));
        Ok(())
    }

    pub(super) fn file_count(&self) -> usize {
        self.files.len()
    }

    /// Creates a directory and those above it like their originals.
    fn make_directory(&mut self, part: usize, path: &str) -> Result<(), DriverError> {
        let part = &mut self.parts[part];
        let ends = path.char_indices().filter(|(_, c)| *c == '/').map(|(at, _)| at).chain([path.len()]);
        for end in ends.filter(|end| *end > 0) {
            let prefix = &path[..end];
            if part.to.find(prefix)?.is_none() {
                let made = part.to.create_dirs(prefix, rustix::fs::Mode::RWXU)?;
                dress_directory(&made, &part.from.open_any(prefix)?)?;
                part.dirs.push(made);
            }
        }
        Ok(())
    }

    /// Cuts. Returns the time between the first and the last file; zero for a single one.
    pub(super) fn run(self, method: Method) -> Result<Duration, DriverError> {
        let (first, rest) = self.files.split_at(self.files.len().min(OPEN_MAX));
        let mut prepared = Vec::with_capacity(first.len());
        for file in first {
            prepared.extend(self.prepare(file)?);
        }
        let begin = Instant::now();
        for file in &prepared {
            file.fill(method)?;
        }
        let mut end = begin.elapsed();
        for file in rest {
            if let Some(file) = self.prepare(file)? {
                file.fill(method)?;
                end = begin.elapsed();
                file.finish()?;
            }
        }
        for file in &prepared {
            file.finish()?;
        }
        for part in &self.parts {
            for dir in &part.dirs {
                dir.sync()?;
            }
            part.to.sync()?;
        }
        Ok(if self.files.len() > 1 { end } else { Duration::ZERO })
    }

    /// `None` where a file that nobody named went away meanwhile, as lock files do.
    fn prepare(&self, file: &PlannedFile) -> Result<Option<Prepared>, DriverError> {
        let part = &self.parts[file.part];
        let source = match part.from.open_any(&file.path) {
            Ok(source) => source,
            Err(error) if error.reason == Reason::NotFound && !file.named => return Ok(None),
            Err(error) => return Err(error),
        };
        let (parent, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
        Prepared::new(source, &part.to.enter(parent)?, name).map(Some)
    }
}

enum Entry {
    Directory,
    File { size_bytes: u64, named: bool },
}

fn walk(
    from: &Beneath,
    path: &str,
    named: bool,
    depth: usize,
    found: &mut BTreeMap<String, Entry>,
) -> Result<(), DriverError> {
    let opened = match from.open_any(path) {
        Ok(opened) => opened,
        Err(error) if error.reason == Reason::NotFound && !named => return Ok(()),
        Err(error) => return Err(error),
    };
    let meta = opened.metadata().map_err(|error| io(error, from.describe(path)))?;
    if found.len() >= FILES_MAX || depth > DEPTH_MAX {
        return Err(DriverError::new(
            Reason::LimitReached,
            format!(
                "{} holds more than {FILES_MAX} files or is deeper than {DEPTH_MAX}; name the VM's files",
                from.describe(path)
            ),
        ));
    }
    if meta.is_dir() {
        for name in from.enter(path)?.list()? {
            walk(from, &format!("{path}/{name}"), false, depth + 1, found)?;
        }
        found.entry(path.to_owned()).or_insert(Entry::Directory);
        return Ok(());
    }
    if !meta.is_file() {
        return Err(DriverError::new(
            Reason::UnsafePath,
            format!("{} is no file and no directory; move it out of the VM's directory", from.describe(path)),
        ));
    }
    let entry = found.entry(path.to_owned()).or_insert(Entry::File { size_bytes: meta.len(), named });
    if let Entry::File { named: before, .. } = entry {
        *before |= named;
    }
    Ok(())
}
