//! Sizes, names and headers of source files.

use super::tree::Tree;
use std::path::Path;

/// No file is longer: past it nobody reads a file from top to bottom.
const LINES_MAX: usize = 800;
/// From here on a file is listed.
const LINES_LONG: usize = 500;
/// All Go files of vcsimx together.
const VCSIMX_LINES_MAX: usize = 300;

/// Names that say where code was put and not what it does. Every control plane that was looked at for Strata grew one
/// such file to thousands of lines.
const FORBIDDEN: &[&str] = &["service", "manager", "utils", "util", "common", "helpers", "helper", "misc"];

/// Files over the limit.
pub fn sizes(tree: &Tree) -> Vec<String> {
    longer_than(tree, LINES_MAX).map(|(path, lines)| format!("{path}: {lines} lines, {LINES_MAX} at most")).collect()
}

/// Files that are long and allowed.
pub fn long(tree: &Tree) -> Vec<String> {
    longer_than(tree, LINES_LONG).map(|(path, lines)| format!("{path}: {lines} lines")).collect()
}

/// The program over VMware's simulator that has grown: it adds calls, and becomes no vCenter of its own.
pub fn vcsimx(tree: &Tree) -> Vec<String> {
    let files = tree.with_extension("go").filter(|(path, _)| path.starts_with("tests/interop/vcsimx/"));
    let lines: usize = files.map(|(_, text)| text.lines().count()).sum();
    (lines > VCSIMX_LINES_MAX)
        .then(|| format!("tests/interop/vcsimx/*.go: {lines} lines together, {VCSIMX_LINES_MAX} at most"))
        .into_iter()
        .collect()
}

fn longer_than(tree: &Tree, limit: usize) -> impl Iterator<Item = (&str, usize)> {
    let written_by_us = |path: &str| !path.starts_with("proto/google/") && !path.starts_with("ui/dist/");
    ["rs", "go", "js", "ts", "css", "py", "proto", "sh"]
        .into_iter()
        .flat_map(|extension| tree.with_extension(extension))
        .map(|(path, text)| (path, text.lines().count()))
        .filter(move |(path, lines)| *lines > limit && written_by_us(path))
}

/// Rust files and folders with a name that hides what they are for.
pub fn names(tree: &Tree) -> Vec<String> {
    let is_forbidden = |path: &str| {
        let stem = Path::new(path).with_extension("");
        stem.iter().any(|part| FORBIDDEN.iter().any(|name| part == *name))
    };
    tree.with_extension("rs")
        .filter(|(path, _)| is_forbidden(path))
        .map(|(path, _)| format!("{path}: an operation, a step or a use is a file; name it by that"))
        .collect()
}

/// Rust files that do not open with what they are for.
pub fn headers(tree: &Tree) -> Vec<String> {
    tree.with_extension("rs")
        .filter(|(_, text)| {
            !text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("").starts_with("//! ")
        })
        .map(|(path, _)| format!("{path}: no `//!` header that says what the module is for"))
        .collect()
}
