//! What no committed file may name: folders of one machine, and hosts that packages are fetched from (each user has
//! their own, set up in their clients).

use super::tree::Tree;

/// Written in two parts so that this file keeps its own rule.
const FORBIDDEN: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/home", "/"),
    concat!("/tmp/", "brief"),
    concat!("proxy.go", "lang.org"),
    concat!("sum.go", "lang.org"),
    concat!("registry.npm", "js.org"),
    concat!("py", "pi.org"),
    concat!("pythonhos", "ted.org"),
    concat!("static.crates", ".io"),
    concat!("index.crates", ".io"),
    concat!("deb.deb", "ian.org"),
    concat!("repo.maven", ".apache.org"),
];

/// Files that name a machine's folder or a registry's host.
pub fn machines(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in tree.files() {
        for (index, line) in text.lines().enumerate() {
            if let Some(word) = FORBIDDEN.iter().find(|word| line.contains(**word)) {
                found.push(format!("{path}:{}: {word} is of one machine only", index + 1));
            }
        }
    }
    found
}
