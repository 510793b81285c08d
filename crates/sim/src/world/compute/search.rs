//! Finding files on a datastore.

use super::{
    fault::Fault,
    files::{DsPath, join, tree_fault},
    state::State,
};

/// A file that was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Where.
    pub path: DsPath,
    /// Directory.
    pub is_dir: bool,
    /// Length in bytes.
    pub size_bytes: u64,
}

/// True where a name fits a pattern with `*` and `?`, without case where so asked.
pub fn fits(pattern: &str, name: &str, ignore_case: bool) -> bool {
    fn go(p: &[char], n: &[char]) -> bool {
        match (p.split_first(), n.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => go(rest, n) || n.split_first().is_some_and(|(_, tail)| go(p, tail)),
            (Some(('?', rest)), Some((_, tail))) => go(rest, tail),
            (Some((a, rest)), Some((b, tail))) => a == b && go(rest, tail),
            _ => false,
        }
    }
    let fold =
        |s: &str| -> Vec<char> { if ignore_case { s.to_lowercase().chars().collect() } else { s.chars().collect() } };
    go(&fold(pattern), &fold(name))
}

impl State {
    /// What lies in a directory, by name.
    pub fn list_dir(&self, dir: &DsPath) -> Result<Vec<Found>, Fault> {
        let tree = self.tree_of(dir)?;
        let entries = tree.list(&dir.rel).map_err(|e| tree_fault(&e, &self.show(dir)))?;
        let found = entries.into_iter().map(|e| Found {
            path: DsPath { ds: dir.ds.clone(), rel: join(&dir.rel, &e.name) },
            is_dir: e.is_dir,
            size_bytes: e.size_bytes,
        });
        Ok(found.collect())
    }

    /// A directory and all below it.
    pub fn walk_dir(&self, dir: &DsPath) -> Result<Vec<(DsPath, Vec<Found>)>, Fault> {
        let mut out = Vec::new();
        let mut left = vec![dir.clone()];
        while let Some(at) = left.pop() {
            let found = self.list_dir(&at)?;
            left.extend(found.iter().rev().filter(|f| f.is_dir).map(|f| f.path.clone()));
            out.push((at, found));
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns() {
        for (pattern, name, yes) in [
            ("*.vmx", "web.vmx", true),
            ("*.vmx", "web.vmxf", false),
            ("*", "", true),
            ("w?b*", "web-01", true),
            ("WEB", "web", false),
        ] {
            assert_eq!(fits(pattern, name, false), yes, "{pattern} {name}");
        }
        assert!(fits("WEB", "web", true));
    }
}
