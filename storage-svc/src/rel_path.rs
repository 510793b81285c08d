//! Paths within a volume, checked before anybody uses them.

use crate::driver::{DriverError, Reason};

/// A relative path without `.`, `..`, empty parts or NUL; never empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RelPath(String);

impl RelPath {
    /// Checks a path that came from a caller.
    pub(crate) fn parse(text: &str) -> Result<Self, DriverError> {
        let part_ok = |part: &str| !part.is_empty() && part != "." && part != ".." && part.len() <= 255;
        if text.len() > 3_000 || text.contains('\0') || !text.split('/').all(part_ok) {
            return Err(DriverError::new(
                Reason::UnsafePath,
                format!(
                    "'{}' is no path within a volume; write it without '..', '.' or a leading '/'",
                    text.escape_debug()
                ),
            ));
        }
        Ok(Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The directory part (empty: the volume's root) and the last name.
    pub(crate) fn split(&self) -> (&str, &str) {
        self.0.rsplit_once('/').unwrap_or(("", &self.0))
    }

    /// True where the path is `directory` or lies in it.
    pub(crate) fn is_in(&self, directory: &RelPath) -> bool {
        self.0.strip_prefix(&directory.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for path in ["a", "a/b", "größe @:%#", "...", "a/..b"] {
            assert!(RelPath::parse(path).is_ok(), "{path}");
        }
        for path in ["", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a\0b", &"x".repeat(256)] {
            assert!(RelPath::parse(path).is_err(), "{path:?} was taken");
        }
        let (inside, outside) = (RelPath::parse("dir/a").unwrap(), RelPath::parse("dirt/a").unwrap());
        let dir = RelPath::parse("dir").unwrap();
        assert!(inside.is_in(&dir) && !outside.is_in(&dir));
    }
}
