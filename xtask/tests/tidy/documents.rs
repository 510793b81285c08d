//! Documents tell the truth: a file that README.md, ARCHITECTURE.md, STYLE.md or docs/ mention is there.

use super::tree::Tree;

/// What makes a word in backticks a path of this repository even when its first part is gone.
const SOURCE_ENDINGS: &[&str] = &[".rs", ".proto", ".toml", ".md", ".yaml", ".go"];

/// Mentions of files that do not exist.
pub fn paths(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in tree.with_extension("md") {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (index, line) in text.lines().enumerate() {
            let gone =
                mentions(line).filter(|mention| is_path(tree, mention)).find(|mention| !exists(tree, folder, mention));
            if let Some(mention) = gone {
                found.push(format!("{path}:{}: there is no {}", index + 1, mention.text));
            }
        }
    }
    found
}

/// A path from the root, from the document's folder or, in backticks, the end of a path that the text around completes.
fn exists(tree: &Tree, folder: &str, mention: &Mention) -> bool {
    let end = format!("/{}", mention.text);
    tree.has(&mention.text)
        || tree.has(&join(folder, &mention.text))
        || (!mention.is_link && tree.files().any(|(path, _)| path.ends_with(&end)))
}

/// Something that may be a path: a word in backticks or the target of a link.
struct Mention {
    text: String,
    is_link: bool,
}

fn mentions(line: &str) -> impl Iterator<Item = Mention> {
    let quoted = line.split('`').skip(1).step_by(2).map(|text| Mention { text: text.to_owned(), is_link: false });
    let links = line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split(')').next()?.split('#').next()?;
        Some(Mention { text: target.to_owned(), is_link: true })
    });
    quoted.chain(links)
}

fn is_path(tree: &Tree, mention: &Mention) -> bool {
    let text = mention.text.as_str();
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)) && !text.is_empty();
    if !is_plain || text.starts_with('/') || text.starts_with("target/") {
        return false;
    }
    if mention.is_link {
        return true;
    }
    let Some((first, _)) = text.split_once('/') else { return false };
    tree.has(first) || SOURCE_ENDINGS.iter().any(|ending| text.ends_with(ending))
}

/// A path relative to the document's folder, with `..` resolved.
fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            other => parts.push(other),
        }
    }
    parts.join("/")
}

#[test]
fn relative_links_resolve_and_gone_ones_are_named() {
    let tree = Tree::of(&[
        ("docs/a.md", "[up](../README.md) [b](b.md#part) [web](https://a.example/x.md)"),
        ("docs/b.md", "in `docs/c.md`; `strata lab`, `a/b`, `docs/`, `api/x.rs`"),
        ("README.md", "`docs/a.md`"),
        ("gateway/src/api/x.rs", "//! x"),
    ]);
    assert_eq!(paths(&tree), ["docs/b.md:1: there is no docs/c.md"]);
}
