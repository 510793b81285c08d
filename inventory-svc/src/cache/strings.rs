//! One copy of each text that many VMs share: ids of hosts, folders and datastores, states.

use crate::soap::MoRef;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// From this many texts on, those that nobody uses any more are let go when the number has doubled.
const SWEEP_FROM: usize = 4096;

/// See the module.
#[derive(Debug, Default)]
pub struct Strings {
    texts: HashSet<Arc<str>>,
    morefs: HashMap<MoRef, Arc<MoRef>>,
    sweep_at: usize,
}

impl Strings {
    /// The one copy of a text.
    pub fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(found) = self.texts.get(text) {
            return found.clone();
        }
        self.sweep();
        let made: Arc<str> = Arc::from(text);
        self.texts.insert(made.clone());
        made
    }

    /// The one copy of a reference.
    pub fn moref(&mut self, moref: MoRef) -> Arc<MoRef> {
        if let Some(found) = self.morefs.get(&moref) {
            return found.clone();
        }
        self.sweep();
        let made = Arc::new(moref.clone());
        self.morefs.insert(moref, made.clone());
        made
    }

    fn sweep(&mut self) {
        if self.texts.len() + self.morefs.len() < self.sweep_at.max(SWEEP_FROM) {
            return;
        }
        self.texts.retain(|text| Arc::strong_count(text) > 1);
        self.morefs.retain(|_, moref| Arc::strong_count(moref) > 1);
        self.sweep_at = 2 * (self.texts.len() + self.morefs.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_what_is_equal_and_forgets_what_nobody_uses() {
        let mut strings = Strings::default();
        let kept = strings.text("poweredOn");
        assert!(Arc::ptr_eq(&kept, &strings.text("poweredOn")));
        for number in 0..3 * SWEEP_FROM {
            strings.text(&number.to_string());
        }
        assert!(strings.texts.len() <= SWEEP_FROM, "{} texts", strings.texts.len());
        assert!(Arc::ptr_eq(&kept, &strings.text("poweredOn")));
    }
}
