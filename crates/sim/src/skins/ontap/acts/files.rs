//! Files of a volume: `/storage/volumes/{uuid}/files/{path}`, the path percent-encoded whole.

use super::{
    super::{
        Face, Release,
        call::Call,
        dispatch::Route,
        query::Kind,
        refusal::Refusal,
        reply::{Reply, Work},
    },
    time,
    volume_restore::within,
};
use crate::world::{
    MemTree,
    storage::Volume,
    tree::{Entry, FileTree as _},
};
use serde_json::{Value, json};
use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

pub(super) const ROUTES: &[Route] = &[
    (Release::V9_8, "GET", "storage/volumes/{}/files", root),
    (Release::V9_8, "GET", "storage/volumes/{}/files/{}", get),
    (Release::V9_8, "POST", "storage/volumes/{}/files/{}", post),
    (Release::V9_8, "PATCH", "storage/volumes/{}/files/{}", patch),
    (Release::V9_8, "DELETE", "storage/volumes/{}/files/{}", delete),
];

/// The most that one call reads of a file.
const CONTENT_BYTES_MAX: u64 = 1 << 20;

const FILE: Kind = Kind {
    href: "/api/storage/volumes/{volume.uuid}/files/{location}?return_metadata=true",
    key: &["name"],
    shown: &["path", "name", "volume.uuid"],
    expensive: &["analytics", "qos_policy", "constituent"],
    fields: "accessed_time analytics bytes_used changed_time constituent creation_time fill_enabled group_id \
        hard_links_count inode_generation inode_number is_empty is_junction is_snapshot is_vm_aligned modified_time name \
        overwrite_enabled owner_id path qos_policy size target type unique_bytes unix_permissions volume{uuid,name}",
};

fn inode(path: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    // Real ones have 32 bits.
    hasher.finish() & 0xffff_ffff
}

fn record(volume: &Volume, dir: &str, entry: &Entry, name: &str) -> Value {
    let location = if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") };
    let mut record = json!({
        "path": if dir.is_empty() { "." } else { dir },
        "name": name,
        "type": if entry.is_dir { "directory" } else { "file" },
        "volume": {"uuid": volume.id, "name": volume.name},
        "unix_permissions": if entry.is_dir { 755 } else { 644 },
        "owner_id": 0,
        "group_id": 0,
        "hard_links_count": 1,
        "inode_number": inode(&location),
        "modified_time": time(volume.created),
        "location": location,
    });
    if entry.is_dir {
        record["size"] = json!(4096);
    } else {
        record["size"] = json!(entry.size_bytes);
        record["bytes_used"] = json!(entry.size_bytes);
    }
    record
}

impl Face {
    /// The files behind a path, live or in `.snapshot/<name>/`, and the path within them.
    fn tree_of<'p>(&self, volume: &Volume, path: &'p str) -> Result<(Arc<MemTree>, &'p str), Refusal> {
        if !self.facts(volume)?.online {
            return Err(Refusal::code("917752", &format!("Volume \"{}\" is offline.", volume.name)));
        }
        let absent = |refusal: Refusal| refusal.instead("917864", "6684674");
        let (snapshot, path) = self.source_of(volume.id, path).map_err(absent)?;
        Ok((self.array()?.tree_at(volume.id, snapshot)?, path.trim_end_matches('/')))
    }
}

fn plain(path: &str) -> &str {
    if path == "." { "" } else { within(path) }
}

fn listed(call: &Call, volume: &Volume, path: &str) -> Result<Reply, Refusal> {
    let shown = plain(path).trim_end_matches('/');
    let directory = |name: &str| Entry { name: name.to_owned(), is_dir: true, size_bytes: 0 };
    let mut records: Vec<Value> =
        [".", ".."].map(|name| record(volume, shown, &directory(name), name)).into_iter().collect();
    if shown == ".snapshot" {
        let snapshots = call.face.array()?.snapshots(volume.id)?;
        records.extend(snapshots.iter().map(|s| record(volume, shown, &directory(&s.name), &s.name)));
        return Ok(Reply::List(&FILE, records));
    }
    let (tree, within) = call.face.tree_of(volume, shown)?;
    if !tree.stat(within)?.is_dir {
        return Ok(Reply::One(&FILE, alone(volume, shown, &tree.stat(within)?)));
    }
    records.extend(tree.list(within)?.iter().map(|entry| record(volume, shown, entry, &entry.name)));
    Ok(Reply::List(&FILE, records))
}

/// One file or directory by itself.
fn alone(volume: &Volume, path: &str, entry: &Entry) -> Value {
    let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
    record(volume, dir, entry, if name.is_empty() { "." } else { name })
}

fn root(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    listed(call, &call.volume(ids[0])?, "")
}

fn get(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let volume = call.volume(ids[0])?;
    if call.wants_form && call.params.get("length").is_some() {
        return content(call, &volume, ids[1]);
    }
    if call.params.flag("return_metadata")? != Some(true) {
        return listed(call, &volume, ids[1]);
    }
    let path = plain(ids[1]).trim_end_matches('/');
    let (tree, within) = call.face.tree_of(&volume, path)?;
    let entry = tree.stat(within)?;
    let mut record = alone(&volume, path, &entry);
    if entry.is_dir {
        record["is_empty"] = json!(tree.list(within)?.is_empty());
    }
    Ok(Reply::One(&FILE, record))
}

/// Bytes of a file: no more than a mebibyte, and no more than there are.
fn content(call: &Call, volume: &Volume, path: &str) -> Result<Reply, Refusal> {
    let length = call.params.number("length", (1_u64, CONTENT_BYTES_MAX))?.unwrap_or(CONTENT_BYTES_MAX);
    let offset = call.params.number("byte_offset", (0_u64, u64::MAX))?.unwrap_or(0);
    let (tree, within) = call.face.tree_of(volume, plain(path))?;
    let entry = tree.stat(within)?;
    if entry.is_dir {
        return Err(Refusal::bad_value("path", path));
    }
    let length = length.min(entry.size_bytes.saturating_sub(offset));
    Ok(Reply::Form(tree.read(within, offset, usize::try_from(length).unwrap_or(usize::MAX))?))
}

/// Makes a directory; writing small files by multipart is not simulated.
fn post(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let volume = call.volume(ids[0])?;
    call.params.only(&[])?;
    call.body.only(&["type", "unix_permissions", "path", "name", "volume"], &call.params)?;
    if call.body.required("type")? != "directory" {
        return Err(Refusal::bad_value("type", call.body.required("type")?));
    }
    let path = plain(ids[1]).to_owned();
    let (tree, _) = call.face.tree_of(&volume, "")?;
    if tree.stat(&path).is_ok() {
        return Err(Refusal::code("1", &format!("\"{path}\" exists.")));
    }
    // Unlike the world, ONTAP makes the last directory only.
    let (above, _) = path.rsplit_once('/').unwrap_or(("", &path));
    tree.stat(above)?;
    call.face.array()?.create_dir_all(volume.id, &path)?;
    Ok(Reply::Made(&FILE, alone(&volume, &path, &tree.stat(&path)?)))
}

/// Renames a file or directory.
fn patch(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let volume = call.volume(ids[0])?;
    call.params.only(&[])?;
    call.body.only(&["path", "unix_permissions", "name", "volume"], &call.params)?;
    let (tree, from) = call.face.tree_of(&volume, plain(ids[1]))?;
    if let Some(to) = call.body.text("path")? {
        tree.rename(from, within(to))?;
    }
    Ok(Reply::Done(json!({})))
}

/// Removes a file, an empty directory, or with `recurse` a directory with all it holds.
fn delete(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let volume = call.volume(ids[0])?;
    call.params.only(&["recurse", "throttle_deletion"])?;
    let recurse = call.params.flag("recurse")? == Some(true);
    let path = plain(ids[1]).to_owned();
    if path.starts_with(".snapshot") {
        return Err(Refusal::code("1638461", "A snapshot cannot be changed."));
    }
    let (tree, _) = call.face.tree_of(&volume, "")?;
    if tree.stat(&path)?.is_dir && !recurse && !tree.list(&path)?.is_empty() {
        return Err(Refusal::code("6684674", &format!("Directory \"{path}\" is not empty.")));
    }
    if !recurse {
        call.face.array()?.remove_path(volume.id, &path)?;
        return Ok(Reply::Done(json!({})));
    }
    Ok(Work::changing(move |face| Ok(face.array()?.remove_path(volume.id, &path)?)))
}
