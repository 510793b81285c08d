//! What is left behind when one stops halfway.

use super::source::code_of;
use super::tree::Tree;

/// Macros and attributes that must not be committed.
const CODE: &[&str] = &["todo!", "unimplemented!", "dbg!", "#[ignore"];

/// Notes to oneself. They belong into an issue, where somebody sees them. Written in two parts so that this file
/// keeps its own rule.
const NOTES: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Unfinished code.
pub fn macros(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in tree.with_extension("rs") {
        for (index, line) in code_of(text).lines().enumerate() {
            found.extend(
                CODE.iter().filter(|word| line.contains(**word)).map(|word| format!("{path}:{}: {word}", index + 1)),
            );
        }
    }
    found
}

/// Unfinished thoughts, in any file of ours.
pub fn notes(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in tree.files() {
        if path.starts_with("proto/google/") || path.ends_with(".lock") || path.ends_with(".sum") {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            let mut words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            if let Some(word) = words.find(|word| NOTES.contains(word)) {
                found.push(format!("{path}:{}: {word} belongs into an issue", index + 1));
            }
        }
    }
    found
}
