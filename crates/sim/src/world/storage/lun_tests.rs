//! Tests of LUNs: what lies in them, who sees them, and what snapshots, clones and restores do to them.

use super::*;
use crate::{
    clock::HandClock,
    world::{World, tree::FileTree as _},
};
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;

const IQN: &str = "iqn.1998-01.com.vmware:esx1";
const WWPN: &str = "20:00:00:25:b5:00:00:01";

struct Lab {
    world: Arc<World>,
    volume: Uuid,
    lun: Uuid,
    group: Uuid,
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

fn new_lun(name: &str) -> NewLun {
    NewLun { name: name.into(), comment: String::new(), size_bytes: 64 << 20 }
}

fn new_volume(name: &str) -> NewVolume {
    NewVolume { name: name.into(), comment: String::new(), export_path: String::new(), size_bytes: 1 << 30 }
}

fn lab() -> Lab {
    let world = World::new(HandClock::shared());
    world.add_array(ArraySpec::new("san1", "10.0.0.1")).unwrap();
    let array = world.array("san1").unwrap();
    let volume = array.create_volume(new_volume("vol1")).unwrap().id;
    let lun = array.create_lun(volume, new_lun("qt/lun1")).unwrap().id;
    let group = array.create_initiator_group("esx", set(&[IQN, WWPN])).unwrap().id;
    array.map_lun(lun, group, None).unwrap();
    Lab { world, volume, lun, group }
}

impl Lab {
    fn array(&self) -> Array<'_> {
        self.world.array("san1").unwrap()
    }

    fn write(&self, lun: Uuid, text: &str) {
        self.array().lun_content(lun, None).unwrap().write("raw", 0, text.as_bytes()).unwrap();
    }

    fn read(&self, lun: Uuid) -> String {
        String::from_utf8(self.array().lun_content(lun, None).unwrap().read("raw", 0, 99).unwrap()).unwrap()
    }

    fn names(&self, initiator: &str) -> Vec<String> {
        self.world.luns_seen_by(initiator).into_iter().map(|f| f.canonical_name).collect()
    }
}

#[test]
fn a_volume_clone_has_the_luns_with_new_names_shown_to_nobody() {
    let lab = lab();
    lab.write(lab.lun, "old");
    let snapshot = lab.array().create_snapshot(lab.volume, "s1", "").unwrap().id;
    lab.write(lab.lun, "new");
    let new = NewClone { name: "c1".into(), comment: String::new(), export_path: String::new() };
    let clone = lab.array().clone_volume(lab.volume, snapshot, new).unwrap();
    let live = lab.array().lun(lab.lun).unwrap();
    let copies = lab.array().luns(clone.id).unwrap();
    assert_eq!(copies.len(), 1);
    let copy = &copies[0];
    assert_eq!((copy.name.as_str(), copy.size_bytes, copy.volume), ("qt/lun1", 64 << 20, clone.id));
    assert!(copy.id != live.id && copy.serial != live.serial && copy.canonical_name != live.canonical_name);
    assert_eq!((copy.maps.len(), live.maps.len()), (0, 1));
    assert_eq!(copy.origin, Some(LunOrigin { lun: lab.lun, snapshot: Some(snapshot) }));
    assert_eq!(lab.read(copy.id), "old");
    lab.write(copy.id, "own");
    assert_eq!((lab.read(lab.lun).as_str(), lab.read(copy.id).as_str()), ("new", "own"));
    assert_eq!(lab.array().snapshot_luns(lab.volume, snapshot).unwrap()[0].id, lab.lun);
}

#[test]
fn a_restore_in_place_keeps_who_the_lun_is_and_who_sees_it() {
    let lab = lab();
    let before = lab.array().lun(lab.lun).unwrap();
    lab.write(lab.lun, "old");
    let gone = lab.array().create_lun(lab.volume, new_lun("gone")).unwrap().id;
    let snapshot = lab.array().create_snapshot(lab.volume, "s1", "").unwrap().id;
    lab.write(lab.lun, "new");
    lab.array().delete_lun(gone).unwrap();
    let younger = lab.array().create_lun(lab.volume, new_lun("younger")).unwrap().id;
    lab.array().map_lun(younger, lab.group, Some(7)).unwrap();
    let (_, held) = lab.world.reach_lun(IQN, &before.canonical_name).unwrap();

    lab.array().restore_volume(lab.volume, snapshot).unwrap();
    let after = lab.array().lun(lab.lun).unwrap();
    assert_eq!(Lun { rollbacks: 1, ..before }, after, "all but the content is as it was");
    assert_eq!(lab.read(lab.lun), "old");
    assert_eq!(held.read("raw", 0, 3).unwrap(), b"old", "who holds the disk sees the old content");
    assert!(lab.array().lun(younger).is_err(), "a LUN made since is gone, mapped or not");
    assert_eq!(lab.array().lun(gone).unwrap().maps, [], "one deleted since is back");

    lab.write(lab.lun, "now");
    lab.array().restore_lun(lab.lun, snapshot).unwrap();
    assert_eq!((lab.read(lab.lun).as_str(), lab.array().lun(lab.lun).unwrap().rollbacks), ("old", 2));
    assert_eq!(lab.names(IQN), [after.canonical_name]);
}

#[test]
fn one_lun_is_cloned_within_its_volume() {
    let lab = lab();
    lab.write(lab.lun, "old");
    let snapshot = lab.array().create_snapshot(lab.volume, "s1", "").unwrap().id;
    lab.write(lab.lun, "new");
    let new = |name: &str| NewLunClone { name: name.into(), comment: "mine".into() };
    for (name, from, holds) in [("c1", Some(snapshot), "old"), ("c2", None, "new")] {
        let made = lab.array().clone_lun(lab.lun, from, new(name)).unwrap();
        assert_eq!((lab.read(made.id).as_str(), made.maps.len(), made.comment.as_str()), (holds, 0, "mine"));
        assert_eq!((made.volume, made.origin), (lab.volume, Some(LunOrigin { lun: lab.lun, snapshot: from })));
    }
    assert!(matches!(lab.array().clone_lun(lab.lun, None, new("c1")), Err(StorageError::Exists { .. })));
    assert!(matches!(lab.array().clone_lun(Uuid::nil(), None, new("c3")), Err(StorageError::NotFound { .. })));
    lab.array().behave(|b| b.lun_clones = false).unwrap();
    assert!(matches!(lab.array().clone_lun(lab.lun, None, new("c3")), Err(StorageError::Unsupported(_))));
}

#[test]
fn hosts_see_what_is_mapped_to_them_and_no_longer() {
    let lab = lab();
    let name = lab.array().lun(lab.lun).unwrap().canonical_name;
    assert_eq!(lab.names(&IQN.to_uppercase()), [name.as_str()]);
    assert_eq!(lab.names("20000025B5000001"), [name.as_str()], "one name, however it is written");
    assert_eq!(lab.names("iqn.1998-01.com.vmware:esx2"), Vec::<String>::new());
    assert!(lab.world.reach_lun("iqn.1998-01.com.vmware:esx2", &name).is_none());
    lab.array().set_lun_online(lab.lun, false).unwrap();
    assert!(lab.world.reach_lun(IQN, &name).is_none(), "offline");
    lab.array().set_lun_online(lab.lun, true).unwrap();
    lab.array().unmap_lun(lab.lun, lab.group).unwrap();
    assert!(lab.world.reach_lun(IQN, &name).is_none() && lab.names(WWPN).is_empty());
    assert!(matches!(lab.array().unmap_lun(lab.lun, lab.group), Err(StorageError::NotFound { .. })));
}

#[test]
fn lun_numbers_do_not_clash() {
    let lab = lab();
    let array = lab.array();
    let second = array.create_lun(lab.volume, new_lun("lun2")).unwrap().id;
    let third = array.create_lun(lab.volume, new_lun("lun3")).unwrap().id;
    // A group that shares an initiator shares the numbers.
    let other = array.create_initiator_group("other", set(&[WWPN])).unwrap().id;
    let apart = array.create_initiator_group("apart", set(&["iqn.2000-01.test:x"])).unwrap().id;
    assert!(matches!(array.map_lun(second, other, Some(0)), Err(StorageError::Exists { kind: "LUN number", .. })));
    assert!(matches!(array.map_lun(lab.lun, other, None), Err(StorageError::Exists { kind: "map", .. })));
    assert!(matches!(array.map_lun(second, other, Some(4096)), Err(StorageError::Invalid { .. })));
    assert_eq!(array.map_lun(second, other, None).unwrap().number, 1);
    assert_eq!(array.map_lun(lab.lun, apart, None).unwrap().number, 0, "one LUN to two groups of other hosts");
    assert_eq!(array.map_lun(third, apart, Some(1)).unwrap().number, 1);
    let together = array.set_initiators(apart, set(&["iqn.2000-01.test:x", WWPN]));
    assert!(matches!(together, Err(StorageError::Exists { kind: "LUN number", .. })), "{together:?}");
    assert_eq!(array.initiator_group(apart).unwrap().initiators.len(), 1);
}

#[test]
fn what_is_mapped_stays() {
    let lab = lab();
    let mapped = |r: Result<(), StorageError>| matches!(r, Err(StorageError::Mapped { .. }));
    assert!(mapped(lab.array().delete_lun(lab.lun)));
    assert!(mapped(lab.array().delete_volume(lab.volume)));
    assert!(mapped(lab.array().delete_initiator_group(lab.group)));
    lab.array().unmap_lun(lab.lun, lab.group).unwrap();
    lab.array().delete_initiator_group(lab.group).unwrap();
    lab.array().delete_volume(lab.volume).unwrap();
    assert!(lab.array().all_luns().unwrap().is_empty());
}

#[test]
fn a_cut_of_several_volumes_holds_the_luns_of_all() {
    let lab = lab();
    let other = lab.array().create_volume(new_volume("vol2")).unwrap().id;
    let lun = lab.array().create_lun(other, new_lun("lun1")).unwrap().id;
    for (at, text) in [(lab.lun, "one"), (lun, "two")] {
        lab.write(at, text);
    }
    let cut = lab.array().create_group(&[lab.volume, other], "g1", "").unwrap();
    for (snapshot, at, text) in [(&cut[0], lab.lun, "one"), (&cut[1], lun, "two")] {
        lab.write(at, "later");
        let image = lab.array().lun_content(at, Some(snapshot.id)).unwrap();
        assert_eq!(image.read("raw", 0, 9).unwrap(), text.as_bytes());
        assert!(image.write("raw", 0, b"x").is_err(), "a snapshot is not written");
    }
}

#[test]
fn luns_pay_from_their_volume() {
    let lab = lab();
    let used = || lab.array().volume(lab.volume).unwrap().used_bytes;
    lab.write(lab.lun, "one");
    let (one, snapshot) = (used(), lab.array().create_snapshot(lab.volume, "s1", "").unwrap().id);
    assert!(one > 0 && used() == one, "a snapshot takes nothing");
    lab.write(lab.lun, "two");
    assert_eq!(used(), 2 * one, "overwriting beneath a snapshot takes space");
    lab.array().delete_snapshot(lab.volume, snapshot).unwrap();
    assert_eq!(used(), one);
    lab.array().unmap_lun(lab.lun, lab.group).unwrap();
    lab.array().delete_lun(lab.lun).unwrap();
    assert_eq!(used(), 0);
}

#[test]
fn names_and_sizes_are_held_to_the_rules() {
    let lab = lab();
    for (name, size_bytes, good) in [
        ("lun2", 512, true),
        ("lun2", 512, false),
        ("qt/lun2", 512, true),
        ("", 512, false),
        ("/lun", 512, false),
        ("a//b", 512, false),
        ("lun3", 0, false),
        ("lun3", 513, false),
    ] {
        let made = lab.array().create_lun(lab.volume, NewLun { size_bytes, ..new_lun(name) });
        assert_eq!(made.is_ok(), good, "'{name}' of {size_bytes}: {made:?}");
    }
    assert!(lab.array().grow_lun(lab.lun, 32 << 20).is_err());
    lab.array().grow_lun(lab.lun, 128 << 20).unwrap();
    assert_eq!(lab.world.luns_seen_by(IQN)[0].size_bytes, 128 << 20);
    for bad in ["", "iqn", "iqn.a b", "20:00", "zz:00:00:25:b5:00:00:01"] {
        assert!(canonical_initiator(bad).is_err(), "{bad}");
    }
    lab.array().behave(|b| b.luns_max = 3).unwrap();
    assert!(matches!(lab.array().create_lun(lab.volume, new_lun("lun9")), Err(StorageError::Limit(_))));
    lab.array().rename_lun(lab.lun, "other", "text").unwrap();
    let shown = lab.array().lun(lab.lun).unwrap();
    assert_eq!((shown.name.as_str(), shown.comment.as_str()), ("other", "text"));
}

#[test]
fn a_replica_has_other_luns_and_they_are_not_written() {
    let lab = lab();
    lab.world.add_array(ArraySpec::new("san2", "10.0.0.2")).unwrap();
    lab.write(lab.lun, "old");
    let replica = lab.array().replicate(lab.volume, "san2").unwrap();
    let far = lab.world.array("san2").unwrap();
    let copies = far.luns(replica.id).unwrap();
    assert_eq!(copies.len(), 1);
    assert!(copies[0].serial != lab.array().lun(lab.lun).unwrap().serial && copies[0].maps.is_empty());
    let content = far.lun_content(copies[0].id, None).unwrap();
    assert!(content.read("raw", 0, 3).unwrap() == b"old" && content.write("raw", 0, b"x").is_err());
    assert!(matches!(far.create_lun(replica.id, new_lun("x")), Err(StorageError::ReadOnly(_))));
}
