//! What must never happen and did: noted when it happens, because nothing may be left to see of it afterwards.

use super::{World, lock};

/// Something that harmed data or hosts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mishap {
    /// The rule that was broken: `unmapped-in-use`, `vmfs-corrupt`, `production-written`, `force-mounted`.
    pub rule: &'static str,
    /// What it happened to.
    pub object: String,
    /// What happened.
    pub detail: String,
}

impl World {
    /// Notes a mishap; the same one once.
    pub fn note_mishap(&self, rule: &'static str, object: String, detail: String) {
        let mishap = Mishap { rule, object, detail };
        let mut noted = lock(&self.mishaps);
        if !noted.contains(&mishap) {
            noted.push(mishap);
        }
    }

    /// What was noted so far, in the order in which it happened.
    pub fn mishaps(&self) -> Vec<Mishap> {
        lock(&self.mishaps).clone()
    }

    /// Forgets what was noted and returns it: for a test that made it happen on purpose.
    pub fn take_mishaps(&self) -> Vec<Mishap> {
        std::mem::take(&mut *lock(&self.mishaps))
    }
}
