//! Volumes that came into the world by other ways than this face, as ONTAP shows them; and what time does by itself.

use super::{
    Face, jobs,
    state::{ExportRule, VolumeFacts},
};
use crate::world::storage::{EVERYONE, NewVolume, StorageError, Volume};
use uuid::Uuid;

/// The size of an SVM's root volume, in bytes.
const ROOT_BYTES: u64 = 1 << 30;

/// A volume's facts when nothing was said of them.
pub(super) fn plain_facts(svm: &str, policy: u64, dsid: u64) -> VolumeFacts {
    VolumeFacts {
        svm: svm.to_owned(),
        policy,
        is_root: false,
        online: true,
        snapshot_policy: "none".to_owned(),
        guarantee: "none".to_owned(),
        security_style: "unix".to_owned(),
        unix_permissions: 755,
        uid: 0,
        gid: 0,
        snapshot_locking: false,
        snapshot_directory: true,
        dsid,
        queued_until: None,
    }
}

impl Face {
    /// Each SVM's name space starts with a volume. Its policy `default` lets everybody read and nobody write, so that
    /// junctions beneath can be reached and a volume whose policy was forgotten cannot be used.
    pub(super) fn make_roots(&self) -> Result<(), StorageError> {
        let svms = self.settings().svms;
        for svm in svms {
            let name = format!("{svm}_root");
            let new = NewVolume { name, comment: String::new(), export_path: String::new(), size_bytes: ROOT_BYTES };
            let made = self.array()?.create_volume(new)?;
            self.with(|state| {
                let policy =
                    state.add_policy(&svm, "default", vec![ExportRule::open(1, vec!["0.0.0.0/0".into()], false)]);
                state.next_dsid += 1;
                let facts = plain_facts(&svm, policy, 1024 + state.next_dsid);
                state.volumes.insert(made.id, VolumeFacts { is_root: true, ..facts });
            });
        }
        Ok(())
    }

    /// Takes note of volumes that came and went, ends what is past its time.
    pub(super) fn adopt(&self) -> Result<(), StorageError> {
        let array = self.array()?;
        let now = array.info()?.time;
        let volumes = array.volumes()?;
        let known = self.with(|state| {
            state.volumes.retain(|id, _| volumes.iter().any(|v| v.id == *id));
            state.shares.retain(|share| share.until > now);
            state.jobs.retain(|_, job| !jobs::is_forgotten(job, now));
            state.volumes.keys().copied().collect::<Vec<Uuid>>()
        });
        let mut changed = false;
        for volume in volumes.iter().filter(|v| !known.contains(&v.id)) {
            self.adopt_one(volume);
            changed = true;
        }
        let over = self.with(|state| {
            let over = |id: &Uuid, facts: &VolumeFacts| facts.queued_until.filter(|until| *until <= now).map(|_| *id);
            state.volumes.iter().filter_map(|(id, facts)| over(id, facts)).collect::<Vec<Uuid>>()
        });
        for volume in over {
            // A volume of which another queued one was cloned goes in a later round.
            let _still_needed = self.destroy_volume(volume);
        }
        self.abort_group_snapshots(now)?;
        if changed {
            self.export_again()?;
        }
        Ok(())
    }

    /// Who may mount it becomes a policy: everybody's is shared, a list of hosts is the volume's own.
    fn adopt_one(&self, volume: &Volume) {
        let svm = self.settings().svms.first().cloned().unwrap_or_default();
        self.with(|state| {
            let clients: Vec<String> = volume.clients.iter().cloned().collect();
            let everybody = clients.iter().any(|client| client == EVERYONE);
            let name = match (everybody, clients.is_empty()) {
                (true, _) => "everyone".to_owned(),
                (false, true) => "default".to_owned(),
                (false, false) => format!("{}_hosts", volume.name),
            };
            let known = state.policy_named(&svm, &name).map(|policy| policy.id);
            let policy = known.unwrap_or_else(|| {
                let clients = if everybody { vec!["0.0.0.0/0".to_owned()] } else { clients };
                state.add_policy(&svm, &name, vec![ExportRule::open(1, clients, true)])
            });
            state.next_dsid += 1;
            let facts = plain_facts(&svm, policy, 1024 + state.next_dsid);
            state.volumes.insert(volume.id, facts);
        });
    }

    /// A cut whose fence was not committed in time is undone.
    fn abort_group_snapshots(&self, now: jiff::Timestamp) -> Result<(), StorageError> {
        let aborted = self.with(|state| {
            let mut aborted = Vec::new();
            for group in state.groups.values_mut() {
                group.snapshots.retain(|cut| {
                    let late = cut.pending_until.is_some_and(|until| until <= now);
                    if late {
                        aborted.extend(cut.members.iter().copied());
                    }
                    !late
                });
            }
            aborted
        });
        for (volume, snapshot) in aborted {
            // One that somebody deleted meanwhile is as gone as it should be.
            let _gone = self.array()?.delete_snapshot(volume, snapshot);
        }
        Ok(())
    }
}
