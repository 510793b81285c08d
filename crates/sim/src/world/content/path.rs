//! Paths within a tree: relative, `/`-separated, nothing that climbs out.

use crate::world::tree::TreeError;

/// The parts of a path, or why it is refused. The root (the empty string) has none.
pub(super) fn parts(path: &str) -> Result<Vec<&str>, TreeError> {
    let refuse = |why: &str| Err(TreeError::Refused(path.to_owned(), why.to_owned()));
    if path.is_empty() {
        return Ok(Vec::new());
    }
    if path.starts_with('/') {
        return refuse("the path must be relative to the volume");
    }
    if path.contains('\0') {
        return refuse("the path holds a NUL byte");
    }
    let parts: Vec<&str> = path.split('/').collect();
    match parts.iter().find(|part| part.is_empty() || **part == "." || **part == "..") {
        Some(_) => refuse("the path has an empty part, '.' or '..'"),
        None if parts.iter().any(|part| part.len() > 255) => refuse("a name is longer than 255 bytes"),
        None => Ok(parts),
    }
}

/// The directory parts and the last name; the root has no name and is refused.
pub(super) fn split(path: &str) -> Result<(Vec<&str>, &str), TreeError> {
    let mut parts = parts(path)?;
    match parts.pop() {
        Some(name) => Ok((parts, name)),
        None => Err(TreeError::Refused(path.to_owned(), "the root of the volume is not a file".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_relative_paths_pass() {
        for good in ["", "a", "a/b.vmdk", "a b/ü", "...", "..a", "a\\..\\b"] {
            assert!(parts(good).is_ok(), "{good}");
        }
        for bad in ["/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "a\0"] {
            assert!(matches!(parts(bad), Err(TreeError::Refused(..))), "{bad}");
        }
        assert!(parts(&"n".repeat(256)).is_err());
        assert!(split("").is_err());
        assert_eq!(split("a/b/c").unwrap(), (vec!["a", "b"], "c"));
    }
}
