//! Which hosts can mount a volume: its policy's rules, and those of every volume above it in the name space.

use super::{Face, state::ExportRule};
use crate::world::storage::{EVERYONE, StorageError};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Clients that rules let do what ESXi needs (read, write, be root), or only read.
fn allowed(rules: &[ExportRule], to_read_only: bool) -> BTreeSet<String> {
    let grants = |methods: &[String]| methods.iter().any(|method| method == "any" || method == "sys");
    let nfs = |rule: &ExportRule| {
        rule.protocols.iter().any(|protocol| matches!(protocol.as_str(), "any" | "nfs" | "nfs3" | "nfs4"))
    };
    let fits = |rule: &&ExportRule| {
        nfs(rule) && grants(&rule.ro_rule) && (to_read_only || grants(&rule.rw_rule) && grants(&rule.superuser))
    };
    let client = |text: &String| match text.as_str() {
        "0.0.0.0/0" | "::/0" => EVERYONE.to_owned(),
        other => other.to_owned(),
    };
    rules.iter().filter(fits).flat_map(|rule| rule.clients.iter().map(client)).collect()
}

/// What both sets let in.
fn both(a: &BTreeSet<String>, b: &BTreeSet<String>) -> BTreeSet<String> {
    if b.contains(EVERYONE) {
        return a.clone();
    }
    if a.contains(EVERYONE) {
        return b.clone();
    }
    a.intersection(b).cloned().collect()
}

/// True where one junction lies beneath another.
pub(super) fn beneath(path: &str, parent: &str) -> bool {
    let rest = path.strip_prefix(parent.trim_end_matches('/'));
    path != parent && rest.is_some_and(|rest| rest.starts_with('/'))
}

impl Face {
    /// The volume whose junction is closest above a path of an SVM: its id and path.
    pub(super) fn junction_parent(&self, svm: &str, path: &str) -> Result<Option<(Uuid, String)>, StorageError> {
        let volumes = self.array()?.volumes()?;
        let above = self.with(|state| {
            let facts =
                |id: &Uuid| state.volumes.get(id).filter(|f| f.svm == svm && f.online && f.queued_until.is_none());
            let junction = |id: &Uuid, export: &str| {
                let facts = facts(id)?;
                let path = if facts.is_root { "/" } else { export };
                (!path.is_empty()).then(|| (*id, path.to_owned()))
            };
            volumes.iter().filter_map(|v| junction(&v.id, &v.export_path)).collect::<Vec<_>>()
        });
        let above = above.into_iter().filter(|(_, parent)| beneath(path, parent));
        Ok(above.max_by_key(|(_, parent)| parent.len()))
    }

    /// Tells the world who can mount what, after any change of policies or junctions.
    pub(super) fn export_again(&self) -> Result<(), StorageError> {
        let array = self.array()?;
        for volume in array.volumes()? {
            let Some((svm, policy, usable)) = self.with(|state| {
                let facts = state.volumes.get(&volume.id)?;
                let usable = facts.online && facts.queued_until.is_none() && !facts.is_root;
                Some((facts.svm.clone(), facts.policy, usable))
            }) else {
                continue;
            };
            let rules = |id: u64| self.with(|state| state.policy(id).map(|p| p.rules.clone()).unwrap_or_default());
            let mut clients = BTreeSet::new();
            if usable && !volume.export_path.is_empty() {
                clients = allowed(&rules(policy), false);
                let mut path = volume.export_path.clone();
                while let Some((parent, parent_path)) = self.junction_parent(&svm, &path)? {
                    let policy = self.with(|state| state.volumes.get(&parent).map(|facts| facts.policy));
                    clients = both(&clients, &allowed(&rules(policy.unwrap_or_default()), true));
                    path = parent_path;
                }
            }
            if clients != volume.clients {
                array.set_export(volume.id, clients)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_needs_every_right_and_a_way() {
        let set = |clients: &[&str]| clients.iter().map(|c| (*c).to_owned()).collect::<BTreeSet<_>>();
        let open = ExportRule::open(1, vec!["10.0.0.5".into()], true);
        let read = ExportRule::open(2, vec!["0.0.0.0/0".into()], false);
        assert_eq!(allowed(&[open.clone(), read.clone()], false), set(&["10.0.0.5"]));
        assert_eq!(allowed(&[open.clone(), read], true), set(&["10.0.0.5", "*"]));
        let root_squashed = ExportRule { superuser: vec!["none".into()], ..open.clone() };
        let smb = ExportRule { protocols: vec!["cifs".into()], ..open };
        assert!(allowed(&[root_squashed, smb], false).is_empty());
        assert_eq!(both(&set(&["a", "b"]), &set(&["*"])), set(&["a", "b"]));
        assert_eq!(both(&set(&["*"]), &set(&["b"])), set(&["b"]));
        assert_eq!(both(&set(&["a", "b"]), &set(&["b", "c"])), set(&["b"]));
        assert!(beneath("/a/b", "/a") && beneath("/a", "/") && !beneath("/ab", "/a") && !beneath("/a", "/a"));
    }
}
