//! The same cases over both kinds of tree, and long random walks in which the two must agree.

use super::{CHUNK_BYTES, DirTree, MemTree, Space};
use crate::world::tree::{FileTree, TreeError};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

fn kinds() -> Vec<(&'static str, Box<dyn FileTree>, Option<tempfile::TempDir>)> {
    let dir = tempfile::tempdir().unwrap();
    let over_dir = DirTree::open(dir.path()).unwrap();
    vec![("MemTree", Box::new(MemTree::new(Space::unlimited())), None), ("DirTree", Box::new(over_dir), Some(dir))]
}

/// What a call came to, in one comparable word.
fn word<T: std::fmt::Debug>(result: Result<T, TreeError>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(TreeError::NotFound(path)) => format!("NotFound {path}"),
        Err(TreeError::Exists(path)) => format!("Exists {path}"),
        Err(TreeError::WrongKind(path, _)) => format!("WrongKind {path}"),
        Err(TreeError::ReadOnly) => "ReadOnly".to_owned(),
        Err(TreeError::Full) => "Full".to_owned(),
        Err(TreeError::Refused(path, _)) => format!("Refused {path}"),
    }
}

type Call = fn(&dyn FileTree) -> String;

/// Run in this order on one tree.
const CASES: [(&str, Call, &str); 37] = [
    ("an empty root lists nothing", |t| word(t.list("")), "[]"),
    ("no file appears in an absent directory", |t| word(t.write("d/f", 0, b"x")), "NotFound d"),
    ("directories are made on the way", |t| word(t.create_dir_all("d/e")), "()"),
    ("and made again without complaint", |t| word(t.create_dir_all("d/e")), "()"),
    ("a file is written", |t| word(t.write("d/f", 0, b"hello")), "()"),
    ("and read", |t| word(t.read("d/f", 0, 99).map(|b| String::from_utf8(b).unwrap())), "\"hello\""),
    ("from the middle", |t| word(t.read("d/f", 3, 1)), "[108]"),
    ("and not beyond its end", |t| word(t.read("d/f", 5, 1)), "[]"),
    ("nor far beyond", |t| word(t.read("d/f", u64::MAX, 1)), "[]"),
    ("a write behind the end leaves a hole", |t| word(t.write("d/f", 7, b"!")), "()"),
    ("that reads as zeros", |t| word(t.read("d/f", 4, 4)), "[111, 0, 0, 33]"),
    ("a cut", |t| word(t.set_len("d/f", 2)), "()"),
    ("forgets what it cut", |t| word(t.set_len("d/f", 4).and_then(|()| t.read("d/f", 0, 9))), "[104, 101, 0, 0]"),
    ("a huge sparse file is fine", |t| word(t.set_len("big", 1 << 40)), "()"),
    ("with zeros at its end", |t| word(t.read("big", (1 << 40) - 1, 9)), "[0]"),
    ("a negative length is refused", |t| word(t.set_len("d/f", u64::MAX)), "Refused d/f"),
    ("and a write beyond all lengths", |t| word(t.write("d/f", u64::MAX, b"ab")), "Refused d/f"),
    ("a file shows its length", |t| word(t.stat("d/f").map(|e| (e.name, e.is_dir, e.size_bytes))), "(\"f\", false, 4)"),
    ("a directory none", |t| word(t.stat("d").map(|e| (e.name, e.is_dir, e.size_bytes))), "(\"d\", true, 0)"),
    ("the root is a directory", |t| word(t.stat("").map(|e| (e.name, e.is_dir))), "(\"\", true)"),
    ("nothing is nothing", |t| word(t.stat("x")), "NotFound x"),
    (
        "a listing is sorted",
        |t| word(t.list("d").map(|l| l.into_iter().map(|e| e.name).collect::<Vec<_>>())),
        "[\"e\", \"f\"]",
    ),
    ("a file does not list", |t| word(t.list("d/f")), "WrongKind d/f"),
    ("nor is it a directory on the way", |t| word(t.read("d/f/g", 0, 1)), "WrongKind d/f"),
    ("nor made one", |t| word(t.create_dir_all("d/f/g")), "WrongKind d/f"),
    ("a directory is not read", |t| word(t.read("d", 0, 1)), "WrongKind d"),
    ("nor written", |t| word(t.write("d", 0, b"x")), "WrongKind d"),
    ("a rename never replaces", |t| word(t.rename("big", "d/f")), "Exists d/f"),
    ("not even itself", |t| word(t.rename("big", "big")), "Exists big"),
    ("nor moves a directory into itself", |t| word(t.rename("d", "d/e/x")), "Refused d"),
    ("nor into nothing", |t| word(t.rename("big", "no/big")), "NotFound no"),
    ("a directory moves with its files", |t| word(t.rename("d", "m").and_then(|()| t.read("m/f", 0, 1))), "[104]"),
    ("a path that climbs is refused", |t| word(t.read("m/../big", 0, 1)), "Refused m/../big"),
    ("an absolute one too", |t| word(t.write("/x", 0, b"x")), "Refused /x"),
    ("a directory goes with its files", |t| word(t.remove("m").and_then(|()| t.stat("m/f"))), "NotFound m"),
    ("the absent is not removed", |t| word(t.remove("m")), "NotFound m"),
    ("the root stays", |t| word(t.remove("")), "Refused "),
];

#[test]
fn both_kinds_behave_alike() {
    for (kind, tree, _dir) in kinds() {
        for (case, call, expected) in CASES {
            assert_eq!(call(tree.as_ref()), expected, "{kind}: {case}");
        }
    }
}

fn random_path(rng: &mut StdRng) -> String {
    let depth = rng.random_range(1..=3);
    (0..depth).map(|_| ["a", "b", "c"][rng.random_range(0..3)]).collect::<Vec<_>>().join("/")
}

/// Near chunk borders, where mistakes live.
fn random_offset(rng: &mut StdRng) -> u64 {
    let border = rng.random_range(0..4) * CHUNK_BYTES as u64;
    (border + rng.random_range(0..6)).saturating_sub(3)
}

/// FNV-1a: a listing of the bytes themselves would take most of the test's time.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn random_call(rng: &mut StdRng, trees: [&dyn FileTree; 2]) -> [String; 2] {
    let (path, other, offset) = (random_path(rng), random_path(rng), random_offset(rng));
    let (kind, length) = (rng.random_range(0..8), rng.random_range(0..(2 * CHUNK_BYTES)));
    let base = rng.random::<u8>();
    let bytes: Vec<u8> = (0..length).map(|i| (i as u8).wrapping_mul(7).wrapping_add(base)).collect();
    trees.map(|tree| match kind {
        0 => word(tree.create_dir_all(&path)),
        1 | 2 => word(tree.write(&path, offset, &bytes)),
        3 => word(tree.set_len(&path, offset)),
        4 => word(tree.rename(&path, &other)),
        5 => word(tree.remove(&path)),
        6 => word(tree.list(&path)),
        _ => word(tree.read(&path, offset, length).map(|read| (read.len(), fingerprint(&read)))),
    })
}

#[test]
fn random_walks_agree() {
    for seed in 0..8 {
        let kinds = kinds();
        let mut rng = StdRng::seed_from_u64(seed);
        for step in 0..120 {
            let [mem, dir] = random_call(&mut rng, [kinds[0].1.as_ref(), kinds[1].1.as_ref()]);
            assert!(mem == dir, "seed {seed}, step {step}: {:.200} against {:.200}", mem, dir);
        }
    }
}

#[test]
fn links_and_special_files_of_a_directory_are_refused() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), b"s").unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), dir.path().join("link")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret"), dir.path().join("file")).unwrap();
    let tree = DirTree::open(dir.path()).unwrap();
    assert_eq!(word(tree.read("link/secret", 0, 1)), "Refused link");
    assert_eq!(word(tree.read("file", 0, 1)), "Refused file");
    assert_eq!(word(tree.write("file", 0, b"x")), "Refused file");
    assert_eq!(word(tree.remove("link")), "Refused link");
    assert_eq!(word(tree.rename("link", "x")), "Refused link");
    assert_eq!(word(tree.list("")), "[]");
    assert!(word(DirTree::open(&dir.path().join("none"))).starts_with("NotFound"));
}

#[test]
fn a_snapshot_keeps_its_bytes_and_costs_space_only_when_the_live_tree_changes() {
    let chunk = CHUNK_BYTES as u64;
    let live = MemTree::new(Space::with_quota(5 * chunk));
    live.write("disk", 0, &vec![1; 3 * CHUNK_BYTES]).unwrap();
    let snapshot = live.snapshot();
    assert_eq!(live.space().used_bytes(), 3 * chunk);
    live.write("disk", chunk, b"new").unwrap();
    assert_eq!(live.space().used_bytes(), 4 * chunk);
    assert_eq!(snapshot.read("disk", chunk, 3).unwrap(), [1, 1, 1]);
    assert_eq!(snapshot.write("disk", 0, b"x"), Err(TreeError::ReadOnly));
    live.clone_file(&snapshot, "disk", "copy", false).unwrap();
    assert_eq!(live.space().used_bytes(), 4 * chunk, "a file clone shares");
    assert_eq!(live.clone_file(&snapshot, "disk", "copy", false), Err(TreeError::Exists("copy".to_owned())));
    live.write("copy", 0, b"c").unwrap();
    assert_eq!(live.write("copy", 2 * chunk, b"c"), Err(TreeError::Full));
    assert_eq!(snapshot.read("disk", 0, 1).unwrap(), [1]);
    live.restore(&snapshot).unwrap();
    assert_eq!(word(live.stat("copy")), "NotFound copy");
    assert_eq!(live.read("disk", chunk, 1).unwrap(), [1]);
    assert_eq!(live.space().used_bytes(), 3 * chunk, "what nobody holds is given back");
    live.set_len("disk", 1).and_then(|()| live.set_len("disk", 2)).unwrap();
    assert_eq!(live.read("disk", 0, 2).unwrap(), [1, 0], "what a cut took off a shared chunk reads as zeros");
    assert_eq!(snapshot.read("disk", 1, 1).unwrap(), [1]);
    let fork = live.fork(Space::unlimited());
    live.destroy();
    assert!(word(live.stat("disk")).starts_with("Refused"));
    assert_eq!(fork.read("disk", 0, 1).unwrap(), [1]);
}

#[test]
fn snapshots_together_are_one_point_while_writers_run() {
    // Many trees, so that a cut that is not one point is most likely torn by the writer.
    let trees: Vec<Arc<MemTree>> = (0..64).map(|_| Arc::new(MemTree::new(Space::unlimited()))).collect();
    for tree in &trees {
        tree.write("n", 0, &0_u64.to_le_bytes()).unwrap();
    }
    let read = |tree: &MemTree| u64::from_le_bytes(tree.read("n", 0, 8).unwrap().try_into().unwrap());
    let (started, enough) = (AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|scope| {
        // The writer counts up in order, so at any one point no later tree may be ahead of an earlier one.
        scope.spawn(|| {
            for n in 1.. {
                trees.iter().for_each(|tree| tree.write("n", 0, &u64::to_le_bytes(n)).unwrap());
                started.store(true, Ordering::Relaxed);
                if enough.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        while !started.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        // Until the writer has gone far enough beside enough cuts, however the machine schedules the two.
        let (mut cuts, mut first, mut last) = (0, None, 0);
        while cuts < 500 || last - first.unwrap_or(last) < 100 {
            let cut: Vec<u64> = MemTree::snapshot_together(&trees).iter().map(read).collect();
            let whole = cut.is_sorted_by(|a, b| a >= b) && cut[0] - cut[63] <= 1;
            // Before the panic, which waits for the writer.
            enough.store(!whole, Ordering::Relaxed);
            assert!(whole, "torn: {cut:?}");
            (cuts, last) = (cuts + 1, cut[0]);
            first.get_or_insert(last);
            std::thread::yield_now();
        }
        enough.store(true, Ordering::Relaxed);
    });
}

#[test]
fn snapshots_forks_and_file_clones_share_instead_of_copying() {
    let live = MemTree::new(Space::unlimited());
    live.set_len("disk", 1 << 40).unwrap();
    let snapshot = live.snapshot();
    assert!(live.shares("", &snapshot, "") && live.shares("", &live.fork(Space::unlimited()), ""));
    live.clone_file(&snapshot, "disk", "copy", false).unwrap();
    assert!(live.shares("copy", &snapshot, "disk"));
    live.write("copy", 0, b"x").unwrap();
    assert!(!live.shares("copy", &snapshot, "disk") && live.shares("disk", &snapshot, "disk"));
}
