//! Tests of arrays, volumes, snapshots, clones and jobs.

use super::*;
use crate::{
    clock::HandClock,
    world::{World, invariants, tree::FileTree as _},
};
use serde_json::json;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use uuid::Uuid;

struct Lab {
    clock: Arc<HandClock>,
    world: Arc<World>,
    volume: Uuid,
}

fn new_volume(name: &str) -> NewVolume {
    NewVolume { name: name.into(), comment: String::new(), export_path: format!("/{name}"), size_bytes: 1 << 30 }
}

fn new_clone(name: &str) -> NewClone {
    NewClone { name: name.into(), comment: "strata1;i=a;k=c-1;g=1".into(), export_path: format!("/{name}") }
}

fn lab() -> Lab {
    let clock = HandClock::shared();
    let world = World::new(clock.clone());
    world.add_array(ArraySpec::new("nas1", "10.0.0.1")).unwrap();
    let volume = world.array("nas1").unwrap().create_volume(new_volume("vol1")).unwrap().id;
    Lab { clock, world, volume }
}

impl Lab {
    fn array(&self) -> Array<'_> {
        self.world.array("nas1").unwrap()
    }

    fn write(&self, text: &str) {
        self.array().tree(self.volume).unwrap().write("disk", 0, text.as_bytes()).unwrap();
    }

    fn read(&self, volume: Uuid) -> String {
        String::from_utf8(self.array().tree(volume).unwrap().read("disk", 0, 99).unwrap()).unwrap()
    }
}

#[test]
fn a_clone_starts_as_the_snapshot_and_goes_its_own_way() {
    let lab = lab();
    lab.write("old");
    let snapshot = lab.array().create_snapshot(lab.volume, "s1", "").unwrap();
    lab.write("new");
    let clone = lab.array().clone_volume(lab.volume, snapshot.id, new_clone("c1")).unwrap();
    assert_eq!(lab.read(clone.id), "old");
    assert_eq!(clone.parent, Some(Provenance { volume: lab.volume, snapshot: snapshot.id }));
    lab.array().tree(clone.id).unwrap().write("disk", 0, b"own").unwrap();
    assert_eq!((lab.read(lab.volume).as_str(), lab.read(clone.id).as_str()), ("new", "own"));
    assert_eq!(lab.array().snapshot_tree(lab.volume, snapshot.id).unwrap().read("disk", 0, 3).unwrap(), b"old");
    assert_eq!(lab.world.counters().get("nas1", "clones_made"), 1);
}

#[test]
fn what_others_depend_on_stays() {
    let lab = lab();
    let snapshot = lab.array().create_snapshot(lab.volume, "s1", "").unwrap().id;
    let clone = lab.array().clone_volume(lab.volume, snapshot, new_clone("c1")).unwrap().id;
    let dependents = vec![clone.to_string()];
    let refused = StorageError::Dependents { kind: "snapshot", id: snapshot.to_string(), dependents };
    assert_eq!(lab.array().delete_snapshot(lab.volume, snapshot), Err(refused));
    assert!(matches!(lab.array().delete_volume(lab.volume), Err(StorageError::Dependents { kind: "volume", .. })));
    lab.array().set_export(clone, BTreeSet::from(["esx1".to_owned()])).unwrap();
    assert_eq!(lab.array().delete_volume(clone), Err(StorageError::Exported(clone.to_string())));
    lab.array().set_export(clone, BTreeSet::new()).unwrap();
    lab.array().delete_volume(clone).unwrap();
    lab.array().delete_snapshot(lab.volume, snapshot).unwrap();
    assert!(matches!(lab.array().delete_snapshot(lab.volume, snapshot), Err(StorageError::NotFound { .. })));
}

#[test]
fn a_host_reaches_what_is_exported_to_it_and_loses_what_is_not() {
    let lab = lab();
    let tree_of = |client| lab.world.nfs_as(client, "10.0.0.1", "/vol1").is_some();
    assert!(lab.world.nfs("10.0.0.1", "/vol1").is_none());
    lab.array().set_export(lab.volume, BTreeSet::from(["esx1".to_owned()])).unwrap();
    assert!(lab.world.nfs("10.0.0.1", "/vol1").is_some());
    assert!(lab.world.nfs("10.0.0.1", "/vol1/").is_some());
    assert!(lab.world.nfs("10.0.0.2", "/vol1").is_none() && lab.world.nfs("10.0.0.1", "/vol").is_none());
    assert!(tree_of("esx1") && !tree_of("esx2"));
    lab.array().set_export(lab.volume, BTreeSet::from([EVERYONE.to_owned()])).unwrap();
    assert!(tree_of("esx2"));
    let held = lab.world.nfs("10.0.0.1", "/vol1").unwrap();
    lab.array().set_export(lab.volume, BTreeSet::new()).unwrap();
    lab.array().delete_volume(lab.volume).unwrap();
    assert!(held.list("").unwrap_err().to_string().contains("stale"));
}

#[test]
fn a_restore_eats_newer_snapshots_only_where_the_array_does() {
    for eats in [false, true] {
        let lab = lab();
        lab.array().behave(|b| b.restore_eats_newer = eats).unwrap();
        lab.write("one");
        let first = lab.array().create_snapshot(lab.volume, "s1", "").unwrap().id;
        lab.write("two");
        let second = lab.array().create_snapshot(lab.volume, "s2", "").unwrap().id;
        let clone = lab.array().clone_volume(lab.volume, second, new_clone("c1")).unwrap().id;
        let refused = lab.array().restore_volume(lab.volume, first);
        assert_eq!(refused.is_err(), eats, "a clone pins the newer snapshot");
        assert_eq!(lab.read(lab.volume), if eats { "two" } else { "one" });
        lab.array().delete_volume(clone).unwrap();
        let done = lab.array().restore_volume(lab.volume, first).unwrap();
        assert_eq!(done.deleted_snapshots, if eats { vec![second] } else { vec![] });
        assert_eq!(lab.read(lab.volume), "one");
        assert_eq!(lab.array().snapshots(lab.volume).unwrap().len(), if eats { 1 } else { 2 });
    }
}

#[test]
fn many_threads_leave_nothing_behind() {
    let lab = lab();
    lab.write("base");
    let before = lab.array().volume(lab.volume).unwrap().used_bytes;
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let lab = &lab;
            scope.spawn(move || {
                for round in 0..50 {
                    let name = format!("t{thread}-{round}");
                    let array = lab.array();
                    let snapshot = array.create_snapshot(lab.volume, &name, "").unwrap().id;
                    lab.array().tree(lab.volume).unwrap().write("disk", 4 * round, b"live").unwrap();
                    let clone = array.clone_volume(lab.volume, snapshot, new_clone(&name)).unwrap().id;
                    array.tree(clone).unwrap().write("disk", 0, b"clone").unwrap();
                    array.clone_file(lab.volume, Some(snapshot), "disk", &name, false).unwrap();
                    array.remove_path(lab.volume, &name).unwrap();
                    array.delete_volume(clone).unwrap();
                    array.delete_snapshot(lab.volume, snapshot).unwrap();
                }
            });
        }
    });
    let after = lab.array().volume(lab.volume).unwrap();
    assert_eq!(after.used_bytes, before, "space leaked");
    assert!(lab.array().snapshots(lab.volume).unwrap().is_empty() && lab.array().volumes().unwrap().len() == 1);
    for what in ["snapshots_made", "snapshots_removed", "clones_made", "file_clones_made", "paths_removed"] {
        assert_eq!(lab.world.counters().total(what), 200, "{what}");
    }
    assert_eq!(invariants::check(&lab.world, &BTreeSet::new(), &[]), []);
}

#[test]
fn a_group_is_all_or_none() {
    let lab = lab();
    let other = lab.array().create_volume(new_volume("vol2")).unwrap().id;
    lab.array().create_snapshot(other, "taken", "").unwrap();
    let both = [lab.volume, other];
    assert!(matches!(lab.array().create_group(&both, "taken", ""), Err(StorageError::Exists { .. })));
    assert!(lab.array().snapshots(lab.volume).unwrap().is_empty());
    let made = lab.array().create_group(&both, "g1", "").unwrap();
    assert!(made.len() == 2 && made[0].group.is_some() && made[0].group == made[1].group);
    assert_eq!(lab.world.counters().get("nas1", "cuts"), 2);
    assert!(lab.array().create_group(&[other, other], "g2", "").is_err());
    assert!(lab.array().create_group(&[], "g2", "").is_err());
    lab.array().behave(|b| b.group_snapshots = false).unwrap();
    assert!(matches!(lab.array().create_group(&both, "g3", ""), Err(StorageError::Unsupported(_))));
}

#[test]
fn names_comments_and_paths_are_held_to_the_rules() {
    let lab = lab();
    let long = "n".repeat(65);
    for (name, comment, good) in [
        ("a", "", true),
        (&long[1..], "", true),
        (&long, "", false),
        ("", "", false),
        ("a/b", "", false),
        ("ü", "", false),
        (".a", "", false),
        ("b", &"c".repeat(255), true),
        ("c", &"c".repeat(256), false),
        ("d", "two\nlines", false),
        ("a", "", false),
    ] {
        let made = lab.array().create_snapshot(lab.volume, name, comment);
        assert_eq!(made.is_ok(), good, "name '{name}', comment of {} bytes: {made:?}", comment.len());
    }
    for path in ["vol", "/", "/a//b", "/a/../b", "/vol1"] {
        let new = NewVolume { export_path: path.to_owned(), ..new_volume("p") };
        assert!(lab.array().create_volume(new).is_err(), "{path}");
    }
    lab.array().behave(|b| b.snapshots_max = 3).unwrap();
    assert!(matches!(lab.array().create_snapshot(lab.volume, "z", ""), Err(StorageError::Limit(_))));
}

#[test]
fn a_file_is_cloned_and_restored_inside_the_volume() {
    let lab = lab();
    lab.write("old");
    let snapshot = lab.array().create_snapshot(lab.volume, "s1", "").unwrap().id;
    lab.write("new");
    let clone = |to, overwrite| lab.array().clone_file(lab.volume, Some(snapshot), "disk", to, overwrite);
    clone("copy", false).unwrap();
    assert!(matches!(clone("copy", false), Err(StorageError::File(_))));
    lab.array().restore_file(lab.volume, snapshot, "disk").unwrap();
    assert_eq!(lab.read(lab.volume), "old");
    lab.array().behave(|b| b.file_clones = false).unwrap();
    assert!(matches!(clone("more", false), Err(StorageError::Unsupported(_))));
}

#[test]
fn a_job_is_done_when_its_time_has_come_and_not_before() {
    let lab = lab();
    let volume = lab.volume;
    let effect: Effect = Box::new(move |world| {
        world.array("nas1")?.create_snapshot(volume, "late", "")?;
        Ok(json!("made"))
    });
    let job = lab.array().queue("snapshot", Duration::from_secs(5), effect).unwrap();
    lab.clock.advance(Duration::from_secs(4));
    assert_eq!(lab.array().job(job.id).unwrap().state, JobState::Queued);
    assert!(lab.array().snapshots(volume).unwrap().is_empty());
    lab.clock.advance(Duration::from_secs(1));
    assert_eq!(lab.array().snapshots(volume).unwrap().len(), 1);
    assert_eq!(lab.array().job(job.id).unwrap().state, JobState::Succeeded(json!("made")));
}

#[test]
fn a_replica_carries_the_marks_and_refuses_changes() {
    let lab = lab();
    lab.world.add_array(ArraySpec::new("nas2", "10.0.0.2")).unwrap();
    lab.write("old");
    lab.array().create_snapshot(lab.volume, "s1", "strata1;i=a;k=s-1;g=1").unwrap();
    let replica = lab.array().replicate(lab.volume, "nas2").unwrap();
    let far = lab.world.array("nas2").unwrap();
    let copied = far.snapshots(replica.id).unwrap();
    assert_eq!(copied[0].comment, "strata1;i=a;k=s-1;g=1");
    assert!(matches!(far.create_snapshot(replica.id, "s2", ""), Err(StorageError::ReadOnly(_))));
    assert!(far.clone_volume(replica.id, copied[0].id, new_clone("c1")).is_ok());
}

#[test]
fn invariants_see_what_they_are_for() {
    let lab = lab();
    let known = BTreeSet::from(["s-1".to_owned()]);
    let mark = |key: &str| format!("strata1;i=a;k={key};g=1");
    let first = lab.array().create_snapshot(lab.volume, "s1", &mark("s-1")).unwrap().id;
    lab.array().create_snapshot(lab.volume, "hourly", "taken by hand").unwrap();
    lab.array().set_export(lab.volume, BTreeSet::from(["*".to_owned()])).unwrap();
    let mount = ("10.0.0.1".to_owned(), "/vol1".to_owned());
    let rules = |mounts: &[(String, String)]| -> Vec<&'static str> {
        invariants::check(&lab.world, &known, mounts).into_iter().map(|v| v.rule).collect()
    };
    assert_eq!(rules(std::slice::from_ref(&mount)), Vec::<&str>::new());
    lab.array().create_snapshot(lab.volume, "s2", &mark("s-2")).unwrap();
    lab.array().create_snapshot(lab.volume, "s3", "strata1;").unwrap();
    assert_eq!(rules(&[]), ["unknown-mark", "unknown-mark"]);
    lab.array().clone_volume(lab.volume, first, new_clone("c1")).unwrap();
    assert_eq!(rules(&[]).len(), 3, "the clone's key is unknown too");
    lab.array().behave(|b| b.clones_pin_snapshots = false).unwrap();
    lab.array().delete_snapshot(lab.volume, first).unwrap();
    lab.array().behave(|b| b.clones_pin_snapshots = true).unwrap();
    assert!(rules(&[]).contains(&"dangling-clone"));
    lab.array().set_export(lab.volume, BTreeSet::new()).unwrap();
    assert!(rules(&[mount]).contains(&"mount-without-export"));
}
