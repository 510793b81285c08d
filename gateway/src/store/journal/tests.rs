//! Real files, hurt in every way that a disk, a kill or a person can.

mod with_engine;

use super::{DurableJournal, OpenError, Opened, Options, segment};
use crate::ledger::{Ledger, OwnedEntry, OwnedKind, Stage};
use std::path::Path;
use strata_saga::{Event, Journal, JournalError, OperationId, Record};
use tempfile::{TempDir, tempdir};
use uuid::Uuid;

fn open(directory: &Path) -> Result<Opened, OpenError> {
    DurableJournal::open(directory, Options::default())
}

impl DurableJournal {
    /// The disk is full after so many bytes more.
    fn open_on_small_disk(directory: &Path, left: u64) -> Result<Self, OpenError> {
        let opened = Self::open_and(directory, Options::default(), |writer| writer.segment.fill_disk_after(left));
        opened.map(|opened| opened.journal)
    }

    fn open_with_segments_of(directory: &Path, bytes: u64) -> Result<Self, OpenError> {
        let opened = Self::open_and(directory, Options::default(), |writer| writer.segment_bytes = bytes);
        opened.map(|opened| opened.journal)
    }

    async fn write_payload_for_tests(&self, payload: &str) {
        self.put(super::KIND_EVENT, payload.as_bytes().to_vec(), true).await.unwrap();
    }
}

fn record(operation: u128, seq: u32) -> Record {
    let event = Event::CancelRequested { who: format!("somebody with a name of some length, for the {seq}th time") };
    Record { operation: OperationId(Uuid::from_u128(operation)), seq, at: jiff::Timestamp::UNIX_EPOCH, event }
}

fn entry(key: &str, stage: Stage) -> OwnedEntry {
    OwnedEntry {
        array: "arrays/filer-1".into(),
        kind: OwnedKind::Snapshot,
        key: key.into(),
        label: "web-01".into(),
        volumes: vec!["arrays/filer-1/volumes/v1".into()],
        operation: "operations/1".into(),
        generation: 3,
        stage,
    }
}

/// Ten acknowledged records, the last of them alone in its flush.
async fn ten() -> (TempDir, Vec<Record>) {
    let directory = tempdir().unwrap();
    let journal = open(directory.path()).unwrap().journal;
    let records: Vec<_> = (0..10).map(|seq| record(u128::from(seq % 2) + 1, seq / 2)).collect();
    for record in &records {
        journal.append_flushed(record).await.unwrap();
    }
    (directory, records)
}

/// A copy of the journal as a dead process left it, with bytes of one file changed. In memory where the machine has a
/// place for that: what thousands of copies look like matters, not how they were synced.
fn copy(from: &Path, change: impl Fn(&str, &mut Vec<u8>)) -> TempDir {
    let to = tempfile::tempdir_in("/dev/shm").or_else(|_| tempdir()).unwrap();
    for file in fs_err::read_dir(from).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        let mut bytes = fs_err::read(file.path()).unwrap();
        change(&name, &mut bytes);
        fs_err::write(to.path().join(&name), bytes).unwrap();
    }
    to
}

const LOG: &str = "00000000000000000001.log";

/// The log without the room made ahead.
fn used(directory: &Path) -> usize {
    let bytes = fs_err::read(directory.join(LOG)).unwrap();
    bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1
}

#[tokio::test]
async fn what_was_written_is_read_and_goes_on() {
    let (directory, mut records) = ten().await;
    for round in 0..3 {
        let Opened { journal, notes } = open(directory.path()).unwrap();
        assert_eq!(notes, Vec::<String>::new());
        assert_eq!(journal.load().await.unwrap(), records, "round {round}");
        let more = record(1, 100 + round);
        journal.append(&more).await.unwrap();
        records.push(more);
        let of_one: Vec<_> = records.iter().filter(|record| record.operation.0.as_u128() == 1).cloned().collect();
        assert_eq!(journal.read(of_one[0].operation).await.unwrap(), of_one);
    }
}

#[tokio::test]
async fn a_second_opener_is_told() {
    let directory = tempdir().unwrap();
    let first = open(directory.path()).unwrap();
    let refused = open(directory.path()).unwrap_err();
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
    drop(first);
    open(directory.path()).expect("closed means unlocked");
}

#[tokio::test]
async fn every_flipped_bit_is_refused_or_harmless() {
    let (directory, records) = ten().await;
    let (mut refused, mut harmless) = (0, 0);
    let end = used(directory.path()).next_multiple_of(8);
    for name in [LOG, "head"] {
        let length = if name == LOG { used(directory.path()) } else { 1024 };
        for place in 0..length {
            let bit = 1 << (place % 8);
            let hurt = copy(directory.path(), |file, bytes| {
                if file == name {
                    bytes[place] ^= bit;
                }
                if file == LOG {
                    // Room made ahead says nothing here and takes time.
                    bytes.truncate(end);
                }
            });
            match open(hurt.path()) {
                Ok(opened) => {
                    harmless += 1;
                    assert_eq!(opened.journal.load().await.unwrap(), records, "{name} byte {place}");
                }
                Err(OpenError::Damaged { .. } | OpenError::TailLost { .. }) => refused += 1,
                Err(other) => panic!("{name} byte {place}: {other}"),
            }
        }
    }
    assert!(refused > 1_000 && harmless > 500, "{refused} {harmless}");
}

#[tokio::test]
async fn every_cut_tail_is_told() {
    let (directory, records) = ten().await;
    let whole = used(directory.path());
    let mut lost = std::collections::BTreeSet::new();
    for length in 0..=whole {
        let hurt = copy(directory.path(), |file, bytes| {
            if file == LOG {
                bytes.truncate(length);
            }
        });
        match open(hurt.path()) {
            Err(OpenError::TailLost { lost_records, present_records, .. }) => {
                assert_eq!(lost_records + present_records, 10);
                lost.insert(lost_records);
            }
            Err(OpenError::Damaged { .. }) => assert!(length < 64, "cut at {length}"),
            Ok(opened) => {
                assert!(length >= whole - 8, "cut at {length} of {whole} was not told");
                assert_eq!(opened.journal.load().await.unwrap(), records);
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(lost, (1..=10).collect());
}

#[tokio::test]
async fn a_lost_tail_can_be_accepted_once_and_is_told() {
    let (directory, records) = ten().await;
    let half = used(directory.path()) / 2;
    let hurt = copy(directory.path(), |file, bytes| {
        if file == LOG {
            bytes.truncate(half);
        }
    });
    let Opened { journal, notes } = DurableJournal::open(hurt.path(), Options { accept_lost_tail: true }).unwrap();
    assert!(notes[0].contains("accepted"), "{notes:?}");
    let left = journal.load().await.unwrap();
    assert_eq!(left, records[..left.len()]);
    drop(journal);
    assert_eq!(open(hurt.path()).unwrap().notes, Vec::<String>::new());
}

#[tokio::test]
async fn records_taken_out_or_put_elsewhere_are_refused() {
    let (directory, _) = ten().await;
    // All ten are of one size.
    let size = (used(directory.path()).next_multiple_of(8) - 64) / 10;
    for place in 0..9 {
        let (from, to) = (64 + place * size, 64 + (place + 1) * size);
        let taken = copy(directory.path(), |file, bytes| {
            if file == LOG {
                bytes.drain(from..to);
            }
        });
        assert!(matches!(open(taken.path()), Err(OpenError::Damaged { .. })), "record {place} taken out");
        let exchanged = copy(directory.path(), |file, bytes| {
            if file == LOG {
                let (one, two) = bytes[from..to + size].split_at_mut(size);
                one.swap_with_slice(two);
            }
        });
        assert!(matches!(open(exchanged.path()), Err(OpenError::Damaged { .. })), "record {place} exchanged");
    }
    let (other, _) = ten().await;
    let older = fs_err::read(other.path().join("head")).unwrap();
    fs_err::remove_file(other.path().join(LOG)).unwrap();
    assert!(matches!(open(other.path()), Err(OpenError::TailLost { lost_records: 10, .. })));
    fs_err::remove_file(directory.path().join("head")).unwrap();
    assert!(matches!(open(directory.path()), Err(OpenError::Damaged { .. })), "no mark");
    assert_eq!(older.len(), 1024);
}

#[tokio::test]
async fn a_kill_loses_at_most_what_was_not_flushed() {
    let directory = tempdir().unwrap();
    let journal = open(directory.path()).unwrap().journal;
    let flushed: Vec<_> = (0..5).map(|seq| record(1, seq)).collect();
    for record in &flushed {
        journal.append_flushed(record).await.unwrap();
    }
    let durable = used(directory.path()).next_multiple_of(8);
    for seq in 5..8 {
        journal.append(&record(1, seq)).await.unwrap();
    }
    // A power loss: anything of what was not flushed may be missing, also its beginning only.
    let end = used(directory.path()).next_multiple_of(8);
    for (from, to) in (durable..end).step_by(8).flat_map(|at| [(at, end), (durable, at)]) {
        let hurt = copy(directory.path(), |file, bytes| {
            if file == LOG {
                bytes[from..to].fill(0);
                bytes.truncate(end);
            }
        });
        let opened = open(hurt.path()).unwrap_or_else(|error| panic!("zeros from {from} to {to}: {error}"));
        let left = opened.journal.load().await.unwrap();
        assert!(left.len() >= 5 && left[..5] == flushed[..], "zeros from {from} to {to}");
        if to != from && from > durable {
            assert!(left.len() < 8);
        }
    }
}

#[tokio::test]
async fn a_full_disk_makes_it_read_only_and_nothing_panics() {
    let (directory, records) = ten().await;
    for left in [0_u64, 1, 50, 64, 200, 1_000, 5_000] {
        let hurt = copy(directory.path(), |_, _| {});
        let journal = DurableJournal::open_on_small_disk(hurt.path(), left).unwrap();
        let (mut accepted, mut refused) = (records.clone(), None);
        for seq in 0..40 {
            match journal.append_flushed(&record(9, seq)).await {
                Ok(()) => accepted.push(record(9, seq)),
                Err(error) => refused = Some(error),
            }
        }
        let Some(JournalError::ReadOnly(why)) = refused else { panic!("{left} bytes were not too few") };
        assert!(why.contains("full") && why.contains("free space"), "{why}");
        assert_eq!(journal.read_only(), Some(why));
        assert!(journal.write(&entry("k", Stage::Intended)).await.is_err());
        assert_eq!(journal.load().await.unwrap(), accepted, "reading goes on");
        drop(journal);
        assert_eq!(open(hurt.path()).unwrap().journal.load().await.unwrap(), accepted, "{left} bytes");
    }
}

#[tokio::test]
async fn the_ledger_is_in_the_same_log() {
    let directory = tempdir().unwrap();
    {
        let journal = open(directory.path()).unwrap().journal;
        journal.write(&entry("a", Stage::Intended)).await.unwrap();
        journal.append_flushed(&record(1, 0)).await.unwrap();
        journal.write(&entry("b", Stage::Intended)).await.unwrap();
        journal.write(&entry("a", Stage::Present)).await.unwrap();
        journal.strike("arrays/filer-1", OwnedKind::Snapshot, "b").await.unwrap();
        journal.strike("arrays/filer-1", OwnedKind::FileClone, "a").await.unwrap();
    }
    let journal = open(directory.path()).unwrap().journal;
    assert_eq!(journal.entries().await.unwrap(), [entry("a", Stage::Present)]);
    assert_eq!(journal.load().await.unwrap(), [record(1, 0)]);
}

#[tokio::test]
async fn notes_of_the_ledger_ride_on_the_next_flush() {
    let directory = tempdir().unwrap();
    let journal = open(directory.path()).unwrap().journal;
    journal.write(&entry("a", Stage::Intended)).await.unwrap();
    journal.write(&entry("b", Stage::Intended)).await.unwrap();
    let flushed = journal.flushes();
    journal.note(&entry("a", Stage::Present)).await.unwrap();
    journal.strike("arrays/filer-1", OwnedKind::Snapshot, "b").await.unwrap();
    assert_eq!(journal.flushes(), flushed, "neither waits for the disk");
    assert_eq!(journal.entries().await.unwrap(), [entry("a", Stage::Present)]);
    journal.append_flushed(&record(1, 0)).await.unwrap();
    assert_eq!(journal.flushes(), flushed + 1);
    // What a power loss leaves after that flush: the log as it stands now.
    let left = copy(directory.path(), |_, _| {});
    assert_eq!(open(left.path()).unwrap().journal.entries().await.unwrap(), [entry("a", Stage::Present)]);
}

#[tokio::test]
async fn many_segments_are_one_journal() {
    let directory = tempdir().unwrap();
    let records: Vec<_> = (0..40).map(|seq| record(u128::from(seq % 3), seq / 3)).collect();
    {
        let journal = DurableJournal::open_with_segments_of(directory.path(), 1_000).unwrap();
        for record in &records {
            journal.append_flushed(record).await.unwrap();
        }
        assert_eq!(journal.load().await.unwrap(), records);
    }
    assert!(fs_err::read_dir(directory.path()).unwrap().count() > 6);
    assert_eq!(open(directory.path()).unwrap().journal.load().await.unwrap(), records);
    // A segment in the middle is gone, or damaged.
    let middle = fs_err::read_dir(directory.path()).unwrap().map(|file| file.unwrap().path()).collect::<Vec<_>>();
    let mut middle: Vec<_> = middle.into_iter().filter(|path| path.extension().is_some_and(|it| it == "log")).collect();
    middle.sort();
    let gone = copy(directory.path(), |_, _| {});
    fs_err::remove_file(gone.path().join(middle[2].file_name().unwrap())).unwrap();
    assert!(matches!(open(gone.path()), Err(OpenError::Damaged { .. })));
    let hurt = copy(directory.path(), |_, _| {});
    let path = hurt.path().join(middle[2].file_name().unwrap());
    let mut bytes = fs_err::read(&path).unwrap();
    bytes[300] ^= 1;
    fs_err::write(&path, bytes).unwrap();
    assert!(matches!(open(hurt.path()), Err(OpenError::Damaged { .. })));
    assert_eq!(segment::path(Path::new(""), 1), Path::new(LOG));
}

#[tokio::test]
async fn concurrent_appends_share_flushes() {
    let directory = tempdir().unwrap();
    let journal = open(directory.path()).unwrap().journal;
    let one = |operation: u128| {
        let journal = journal.clone();
        async move {
            for seq in 0..20 {
                journal.append_flushed(&record(operation, seq)).await.unwrap();
            }
        }
    };
    futures::future::join_all((0..32).map(one)).await;
    let flushes = journal.flushes();
    assert!(flushes < 640 / 4, "640 records took {flushes} flushes");
    let records = journal.load().await.unwrap();
    assert_eq!(records.len(), 640);
    for operation in 0..32 {
        let places = records.iter().filter(|record| record.operation.0.as_u128() == operation);
        assert!(places.map(|record| record.seq).eq(0..20), "operation {operation} is out of order");
    }
}

#[tokio::test]
async fn events_of_newer_code_are_unknown_and_not_an_error() {
    let directory = tempdir().unwrap();
    let journal = open(directory.path()).unwrap().journal;
    for payload in [
        r#"{"operation":"01890000-0000-7000-8000-000000000001","seq":0,"at":"2026-01-01T00:00:00Z","event":{"type":"started"}}"#,
        r#"{"operation":"01890000-0000-7000-8000-000000000001","seq":1,"at":"2026-01-01T00:00:00Z","event":{"type":"new"}}"#,
    ] {
        journal.write_payload_for_tests(payload).await;
    }
    drop(journal);
    let events: Vec<_> =
        open(directory.path()).unwrap().journal.load().await.unwrap().into_iter().map(|record| record.event).collect();
    assert_eq!(events, [Event::Unknown, Event::Unknown]);
}
