//! POST /storage/file/clone: one file within a volume, from its live files or from `.snapshot/<name>/`, in constant time.

use super::{
    super::{
        Face, Release,
        call::Call,
        dispatch::Route,
        refusal::Refusal,
        reply::{Reply, Work},
        state::Share,
    },
    volume_restore::within,
};
use crate::world::tree::FileTree as _;
use std::time::Duration;
use uuid::Uuid;

pub(super) const ROUTES: &[Route] = &[(Release::V9_8, "POST", "storage/file/clone", post)];

impl Face {
    /// Blocks start to be shared; refused where too many are already (13565952).
    pub(super) fn start_sharing(&self, volume: Uuid, snapshot: Option<Uuid>) -> Result<(), Refusal> {
        let settings = self.settings();
        let until = self.array()?.info()?.time.checked_add(Duration::from_millis(settings.share_window_ms));
        let until = until.unwrap_or(jiff::Timestamp::MAX);
        self.with(|state| {
            if state.shares.len() >= settings.shares_max {
                return Err(Refusal::code("13565952", "Clone start failed: EBUSY: the node's split load is used up."));
            }
            if settings.share_window_ms > 0 {
                state.shares.push(Share { volume, snapshot, until });
            }
            Ok(())
        })
    }

    /// `.snapshot/<name>/rest` as the snapshot and the path in it; else the live files.
    pub(super) fn source_of<'p>(&self, volume: Uuid, path: &'p str) -> Result<(Option<Uuid>, &'p str), Refusal> {
        let path = within(path);
        let Some(rest) = path.strip_prefix(".snapshot/") else { return Ok((None, path)) };
        let (name, rest) = rest.split_once('/').unwrap_or((rest, ""));
        let found = self.array()?.snapshots(volume)?.into_iter().find(|s| s.name == name);
        let absent =
            || Refusal::code("917864", &format!("Could not get a file handle: \".snapshot/{name}\" is not there."));
        Ok((Some(found.ok_or_else(absent)?.id), rest))
    }

    fn clone_file(&self, volume: Uuid, from: &str, to: &str, overwrite: bool) -> Result<(), Refusal> {
        self.may_clone()?;
        let array = self.array()?;
        let held = array.volume(volume)?;
        if !self.facts(&held)?.online {
            return Err(Refusal::code("917752", &format!("Volume \"{}\" is offline.", held.name)));
        }
        let (snapshot, path) = self.source_of(volume, from)?;
        let absent = |refusal: Refusal| refusal.instead("6684674", "917864");
        array.tree_at(volume, snapshot)?.stat(path).map_err(Refusal::from).map_err(absent)?;
        self.start_sharing(volume, snapshot)?;
        array.clone_file(volume, snapshot, path, within(to), overwrite).map_err(Refusal::from).map_err(absent)
    }
}

/// The paths of a clone are relative; a leading `/` is 917812.
fn relative(call: &Call, field: &'static str) -> Result<String, Refusal> {
    let path = call.body.required(field)?;
    if path.starts_with('/') || path.is_empty() {
        let message = format!("The path \"{path}\" must be relative to the volume.");
        return Err(Refusal::code("917812", &message).target(field));
    }
    Ok(path.to_owned())
}

fn post(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    call.params.only(&[])?;
    let known = ["volume", "source_path", "destination_path", "overwrite_destination", "autodelete", "is_backup"];
    call.body.only(&known, &call.params)?;
    let volume = call.named_volume(call.body.at("volume"), "volume", "918235")?;
    let (from, to) = (relative(call, "source_path")?, relative(call, "destination_path")?);
    let overwrite = call.body.flag("overwrite_destination")? == Some(true);
    Ok(Work::changing(move |face| face.clone_file(volume.id, &from, &to, overwrite)))
}
