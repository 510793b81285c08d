//! Restores by PATCH of a volume: all of it, which deletes every newer snapshot, or one file (from 9.10.1).

use super::super::{
    Face, Release,
    call::Call,
    refusal::Refusal,
    reply::{Reply, Work},
};
use crate::world::{
    storage::{Snapshot, Volume},
    tree::FileTree as _,
};
use serde_json::Value;
use uuid::Uuid;

/// How much of a range is moved at a time, in bytes.
const PIECE_BYTES: u64 = 1 << 20;

/// What is to be restored.
#[derive(Debug, Clone, Default)]
struct Restore {
    snapshot_id: Option<String>,
    snapshot_name: Option<String>,
    path: Option<String>,
    to: Option<String>,
    start_byte: Option<u64>,
    byte_count: Option<u64>,
}

/// A path of a volume as clients write it: leading `./` and `/` are the volume's root.
pub(super) fn within(path: &str) -> &str {
    path.trim_start_matches("./").trim_start_matches('/')
}

/// True where the query or the body speaks of a restore; ONTAP takes both.
pub(super) fn is_asked(call: &Call) -> bool {
    call.body.at("restore_to").is_some() || call.params.filters().any(|(key, _)| key.starts_with("restore_to."))
}

impl Restore {
    fn read(call: &Call) -> Result<Self, Refusal> {
        call.params.only(&[
            "restore_to.snapshot.name",
            "restore_to.snapshot.uuid",
            "restore_to.path",
            "restore_to.restore_path",
            "restore_to.start_byte",
            "restore_to.byte_count",
            "preserve_lun_ids",
        ])?;
        call.body.only(&["restore_to", "uuid", "name"], &call.params)?;
        let either = |field: &'static str| {
            let in_body = call.body.at(field).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
            in_body.or_else(|| call.params.get(field).map(str::to_owned))
        };
        let number = |field: &'static str| {
            let text = either(field);
            text.map(|text| text.parse().map_err(|_| Refusal::bad_value(field, &text))).transpose()
        };
        let restore = Restore {
            snapshot_id: either("restore_to.snapshot.uuid"),
            snapshot_name: either("restore_to.snapshot.name"),
            path: either("restore_to.path"),
            to: either("restore_to.restore_path"),
            start_byte: number("restore_to.start_byte")?,
            byte_count: number("restore_to.byte_count")?,
        };
        if restore.path.is_some() && call.face.release() < Release::V9_10_1 {
            return Err(Refusal::unexpected("restore_to.path"));
        }
        if restore.snapshot_id.is_none() && restore.snapshot_name.is_none() {
            return Err(
                Refusal::code("1638515", "The snapshot to restore from is not given.").target("restore_to.snapshot")
            );
        }
        Ok(restore)
    }

    fn snapshot(&self, face: &Face, volume: Uuid) -> Result<Snapshot, Refusal> {
        let fits = |s: &Snapshot| {
            self.snapshot_id.as_ref().is_none_or(|id| s.id.to_string() == *id)
                && self.snapshot_name.as_ref().is_none_or(|name| s.name == *name)
        };
        let absent = || Refusal::code("1638600", "The snapshot to restore from does not exist.");
        face.array()?.snapshots(volume)?.into_iter().find(fits).ok_or_else(absent)
    }

    fn make(&self, face: &Face, id: Uuid) -> Result<(), Refusal> {
        let array = face.array()?;
        let volume = array.volume(id)?;
        if !face.facts(&volume)?.online {
            return Err(Refusal::code("917775", &format!("Volume \"{}\" is not online.", volume.name)));
        }
        face.may_restore()?;
        let snapshot = self.snapshot(face, id)?;
        let Some(path) = &self.path else { return face.restore_volume(id, &snapshot) };
        let from = within(path);
        let to = self.to.as_deref().map_or(from, within);
        face.restore_file(id, &snapshot, (from, to), (self.start_byte, self.byte_count))
    }
}

impl Face {
    /// The whole volume. Newer snapshots go, so that what locks or needs one of them forbids it.
    fn restore_volume(&self, id: Uuid, snapshot: &Snapshot) -> Result<(), Refusal> {
        let array = self.array()?;
        let now = array.info()?.time;
        let newer = array.snapshots(id)?.into_iter().filter(|s| s.sequence > snapshot.sequence);
        for newer in newer {
            let facts = self.with(|state| state.snapshots.get(&newer.id).cloned()).unwrap_or_default();
            if facts.locked_until.is_some_and(|(_, until)| until > now) {
                let message = format!("The newer snapshot \"{}\" is locked.", newer.name);
                return Err(Refusal::code("9437886", &message));
            }
            if !facts.owners.is_empty() {
                let message = format!("The newer snapshot \"{}\" is the base of a replication.", newer.name);
                return Err(Refusal::code("1638480", &message));
            }
        }
        let done = array.restore_volume(id, snapshot.id)?;
        self.with(|state| {
            done.deleted_snapshots.iter().for_each(|gone| {
                state.snapshots.remove(gone);
            })
        });
        Ok(())
    }

    /// One file, or a range of its bytes.
    pub(super) fn restore_file(
        &self,
        id: Uuid,
        snapshot: &Snapshot,
        (from, to): (&str, &str),
        (start, count): (Option<u64>, Option<u64>),
    ) -> Result<(), Refusal> {
        let failed = |refusal: Refusal| refusal.instead("6684674", "524511").instead("2", "918251");
        let array = self.array()?;
        if start.is_none() && count.is_none() {
            return array.clone_file(id, Some(snapshot.id), from, to, true).map_err(Refusal::from).map_err(failed);
        }
        let (source, target) = (array.snapshot_tree(id, snapshot.id)?, array.tree(id)?);
        let size = source.stat(from).map_err(Refusal::from).map_err(failed)?.size_bytes;
        let mut at = start.unwrap_or(0);
        let end = count.map_or(size, |count| at.saturating_add(count).min(size));
        while at < end {
            let length = usize::try_from((end - at).min(PIECE_BYTES)).unwrap_or(usize::MAX);
            target.write(to, at, &source.read(from, at, length)?)?;
            at += length as u64;
        }
        Ok(())
    }
}

/// PATCH /storage/volumes/{uuid} with restore_to
pub(super) fn patch(call: &Call, volume: &Volume) -> Result<Reply, Refusal> {
    let restore = Restore::read(call)?;
    let id = volume.id;
    Ok(Work::changing(move |face| restore.make(face, id)))
}

/// A snapshot out of a body's reference, by name or uuid.
pub(super) fn named(face: &Face, volume: Uuid, reference: &Value) -> Result<Snapshot, Refusal> {
    let text = |part: &str| reference.get(part).and_then(Value::as_str).map(str::to_owned);
    let restore = Restore { snapshot_id: text("uuid"), snapshot_name: text("name"), ..Restore::default() };
    restore.snapshot(face, volume)
}
