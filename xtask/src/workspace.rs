//! Where the repository and the cache are, and whether this is CI.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// The root of the repository: this crate's folder's parent.
pub fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(Path::to_path_buf).context("xtask's folder has no parent")
}

/// `$XDG_CACHE_HOME/strata`, else `~/.cache/strata`: outside the repository, so that a fresh clone finds it filled.
pub fn cache() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()) {
        Some(base) => PathBuf::from(base),
        None => {
            PathBuf::from(std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?).join(".cache")
        }
    };
    Ok(base.join("strata"))
}

/// Whether a missing peer is an error (`CI=true`) or is skipped aloud.
pub fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}
