//! VMs by a key that more than one may have.

use std::{collections::BTreeSet, ops::Bound, sync::Arc};

/// Key and moref.
#[derive(Debug, Default)]
pub struct Index(BTreeSet<(Arc<str>, Arc<str>)>);

impl Index {
    /// Takes a VM in; an empty key is none.
    pub fn insert(&mut self, key: &Arc<str>, moref: &Arc<str>) {
        if !key.is_empty() {
            self.0.insert((key.clone(), moref.clone()));
        }
    }

    /// Takes it out again.
    pub fn remove(&mut self, key: &Arc<str>, moref: &Arc<str>) {
        self.0.remove(&(key.clone(), moref.clone()));
    }

    /// The morefs under a key, in their order.
    pub fn get<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Arc<str>> {
        let from = (Arc::from(key), Arc::from(""));
        let found = self.0.range((Bound::Included(from), Bound::Unbounded));
        found.take_while(move |(found, _)| &**found == key).map(|(_, moref)| moref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_all_of_a_key_and_none_of_its_neighbours() {
        let mut index = Index::default();
        let text = |text: &str| -> Arc<str> { Arc::from(text) };
        for (key, moref) in [("a", "vm-1"), ("ab", "vm-2"), ("a", "vm-3"), ("", "vm-4"), ("a\0", "vm-5")] {
            index.insert(&text(key), &text(moref));
        }
        let found =
            |index: &Index, key: &str| -> Vec<String> { index.get(key).map(|moref| moref.to_string()).collect() };
        assert_eq!(found(&index, "a"), ["vm-1", "vm-3"]);
        assert_eq!(found(&index, "ab"), ["vm-2"]);
        assert!(found(&index, "").is_empty() && found(&index, "b").is_empty());
        index.remove(&text("a"), &text("vm-1"));
        assert_eq!(found(&index, "a"), ["vm-3"]);
    }
}
