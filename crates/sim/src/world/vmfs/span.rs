//! A filesystem over several extents. Names and lengths lie on the head, bytes are dealt out in stripes: whoever cuts the
//! extents at different times, or restores one of them, mixes old bytes with new ones in every long file.

use crate::world::tree::{Entry, FileTree, TreeError};
use std::sync::Arc;

/// How many bytes of a file lie on one extent before the next extent's turn.
pub const STRIPE_BYTES: u64 = 1 << 20;

/// The files of a filesystem, over its extents in their order; the head is the first.
#[derive(Debug)]
pub struct Span {
    head: Arc<dyn FileTree>,
    others: Vec<Arc<dyn FileTree>>,
}

impl Span {
    /// Over these extents; with no others it is the head itself.
    pub fn over(head: Arc<dyn FileTree>, others: Vec<Arc<dyn FileTree>>) -> Self {
        Span { head, others }
    }

    fn all(&self) -> impl Iterator<Item = &Arc<dyn FileTree>> {
        std::iter::once(&self.head).chain(&self.others)
    }

    /// The extent that holds a byte of a file, and how many bytes from there on it holds in one piece.
    fn extent_at(&self, offset: u64) -> (&Arc<dyn FileTree>, u64) {
        let count = self.others.len() as u64 + 1;
        let turn = usize::try_from(offset / STRIPE_BYTES % count).unwrap_or(0);
        let extent = turn.checked_sub(1).and_then(|n| self.others.get(n)).unwrap_or(&self.head);
        let left = if self.others.is_empty() { u64::MAX - offset } else { STRIPE_BYTES - offset % STRIPE_BYTES };
        (extent, left)
    }
}

/// What is not there is as good as done: extents that were cut at different times differ.
fn mend(result: Result<(), TreeError>) -> Result<(), TreeError> {
    match result {
        Err(TreeError::NotFound(_)) => Ok(()),
        other => other,
    }
}

impl FileTree for Span {
    fn list(&self, dir: &str) -> Result<Vec<Entry>, TreeError> {
        self.head.list(dir)
    }

    fn stat(&self, path: &str) -> Result<Entry, TreeError> {
        self.head.stat(path)
    }

    fn read(&self, path: &str, offset: u64, length: usize) -> Result<Vec<u8>, TreeError> {
        let size = self.head.stat(path)?.size_bytes;
        let end = size.min(offset.saturating_add(length as u64));
        let mut out = Vec::new();
        let mut at = offset;
        while at < end {
            let (extent, left) = self.extent_at(at);
            let piece = usize::try_from(left.min(end - at)).unwrap_or(usize::MAX);
            let mut bytes = match extent.read(path, at, piece) {
                Err(TreeError::NotFound(_)) => Vec::new(),
                other => other?,
            };
            bytes.resize(piece, 0);
            out.append(&mut bytes);
            at += piece as u64;
        }
        Ok(out)
    }

    fn write(&self, path: &str, offset: u64, bytes: &[u8]) -> Result<(), TreeError> {
        if self.others.is_empty() {
            return self.head.write(path, offset, bytes);
        }
        // The head refuses what cannot be, before an extent is written.
        self.head.write(path, offset, &[])?;
        let mut done = 0;
        while done < bytes.len() {
            let at = offset.saturating_add(done as u64);
            let (extent, left) = self.extent_at(at);
            let piece = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len() - done);
            let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
            extent.create_dir_all(dir)?;
            extent.write(path, at, &bytes[done..done + piece])?;
            done += piece;
        }
        let end = offset.saturating_add(bytes.len() as u64);
        if self.head.stat(path)?.size_bytes < end {
            self.head.set_len(path, end)?;
        }
        Ok(())
    }

    fn set_len(&self, path: &str, size_bytes: u64) -> Result<(), TreeError> {
        self.head.set_len(path, size_bytes)?;
        for extent in &self.others {
            // What lies beyond the new end must not come back when the file grows again.
            if extent.stat(path).is_ok_and(|e| e.size_bytes > size_bytes) {
                extent.set_len(path, size_bytes)?;
            }
        }
        Ok(())
    }

    fn create_dir_all(&self, path: &str) -> Result<(), TreeError> {
        self.all().try_for_each(|extent| extent.create_dir_all(path))
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), TreeError> {
        self.head.rename(from, to)?;
        for extent in &self.others {
            let dir = to.rsplit_once('/').map_or("", |(dir, _)| dir);
            extent.create_dir_all(dir)?;
            mend(extent.rename(from, to))?;
        }
        Ok(())
    }

    fn remove(&self, path: &str) -> Result<(), TreeError> {
        self.head.remove(path)?;
        self.others.iter().try_for_each(|extent| mend(extent.remove(path)))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::ExtentFiles, *};
    use crate::world::{MemTree, Space};

    fn span(extents: usize) -> (Vec<Arc<MemTree>>, Span) {
        let luns: Vec<Arc<MemTree>> = (0..extents).map(|_| Arc::new(MemTree::new(Space::unlimited()))).collect();
        let files = |lun: &Arc<MemTree>| {
            lun.create_dir_all("files").unwrap();
            Arc::new(ExtentFiles::of(Arc::clone(lun))) as Arc<dyn FileTree>
        };
        let mut all = luns.iter().map(files);
        let head = all.next().unwrap();
        (luns.clone(), Span::over(head, all.collect()))
    }

    /// The same calls on a span and on one tree must answer the same.
    #[test]
    fn a_span_answers_as_one_tree_does() {
        let one = MemTree::new(Space::unlimited());
        for extents in 1..4 {
            let (_, span) = span(extents);
            let trees: [&dyn FileTree; 2] = [&one, &span];
            let long: Vec<u8> = (0..3 * STRIPE_BYTES + 77).map(|n| (n / 1000 % 251) as u8).collect();
            for tree in trees {
                tree.create_dir_all("a/b").unwrap();
                tree.write("a/b/f", STRIPE_BYTES - 5, &long).unwrap();
                tree.write("a/b/f", 3, b"here").unwrap();
                tree.set_len("a/b/g", 9 * STRIPE_BYTES).unwrap();
                tree.rename("a/b/f", "a/f").unwrap();
                tree.set_len("a/f", 2 * STRIPE_BYTES).unwrap();
                tree.set_len("a/f", 5 * STRIPE_BYTES).unwrap();
                tree.rename("a", "z").unwrap();
            }
            for (at, length) in
                [(0, 10), (STRIPE_BYTES - 9, 40), (2 * STRIPE_BYTES - 3, 90), (0, 6 << 20), (u64::MAX, 3)]
            {
                assert_eq!(one.read("z/f", at, length), span.read("z/f", at, length), "{extents} extents at {at}");
            }
            for dir in ["", "z", "z/b", "no"] {
                assert_eq!(one.list(dir), span.list(dir), "{extents} extents, '{dir}'");
            }
            assert_eq!(one.write("no/f", 0, b"x"), span.write("no/f", 0, b"x"));
            assert_eq!(one.rename("z/no", "z/other"), span.rename("z/no", "z/other"));
            assert_eq!(one.remove("z"), span.remove("z"));
            assert_eq!(one.stat("z/f"), span.stat("z/f"));
        }
    }

    #[test]
    fn extents_of_different_times_mix_old_and_new() {
        let (luns, span) = span(2);
        let fill = |byte: u8| span.write("f", 0, &vec![byte; 4 << 20]).unwrap();
        fill(1);
        let old = luns[1].snapshot();
        fill(2);
        luns[1].restore(&old).unwrap();
        let read: Vec<u8> = (0..4).map(|n| span.read("f", n * STRIPE_BYTES, 1).unwrap()[0]).collect();
        assert_eq!(read, [2, 1, 2, 1]);
    }
}
