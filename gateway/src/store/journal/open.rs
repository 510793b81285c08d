//! Opening: lock, mark, scan, then the writer's thread.

use super::{
    DurableJournal, Inner, KIND_EVENT, KIND_OWNED, KIND_STRUCK,
    error::OpenError,
    frame::Chain,
    head::{Head, Mark},
    ledger::{self, Entries},
    parse_event,
    scan::{Scan, scan},
    segment::{self, Header, Segment},
    writer::{Place, SEGMENT_BYTES, Writer},
};
use std::{
    collections::HashMap,
    fs::{File, TryLockError},
    path::Path,
    sync::{Arc, Mutex, OnceLock, atomic::AtomicU64, mpsc},
};

/// How to open.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Open also where acknowledged records are missing at the end: a person has decided, for this once. Damage in the
    /// middle is refused all the same.
    pub accept_lost_tail: bool,
}

/// An open journal, and what an operator should hear about it.
#[derive(Debug)]
pub struct Opened {
    /// Ready for use.
    pub journal: DurableJournal,
    /// Sentences: an unfinished write that was dropped, a loss that was accepted.
    pub notes: Vec<String>,
}

impl DurableJournal {
    /// Opens the journal in `directory`, which is made where absent. Blocks on the disk.
    ///
    /// # Errors
    /// It is in use, damaged or shorter than it was, or the disk refuses. Nothing has been changed then.
    pub fn open(directory: &Path, options: Options) -> Result<Opened, OpenError> {
        Self::open_and(directory, options, |_| ())
    }

    pub(super) fn open_and(
        directory: &Path,
        options: Options,
        adjust: impl FnOnce(&mut Writer),
    ) -> Result<Opened, OpenError> {
        fs_err::create_dir_all(directory).map_err(OpenError::io("make", directory))?;
        let lock = take_lock(directory)?;
        let (head, mark) = open_head(directory, options)?;
        let found = scan(directory, &mark)?;
        let mut notes = Vec::new();
        if found.lost_records > 0 {
            let (lost_records, present_records) = (found.lost_records, found.found.len() as u64);
            if !options.accept_lost_tail {
                let directory = directory.display().to_string();
                return Err(OpenError::TailLost { directory, lost_records, present_records });
            }
            notes.push(format!(
                "the loss of the journal's last {lost_records} records was accepted; look for orphans on the arrays"
            ));
        }
        if found.dropped_bytes > 0 {
            notes.push(format!(
                "{} bytes of an unfinished write were dropped; nobody had been told of it",
                found.dropped_bytes
            ));
        }
        let (places, owned) = fold(&found)?;
        let flushes = Arc::new(AtomicU64::new(0));
        let mut writer = writer(directory, lock, head, &found, mark.records, &flushes)?;
        adjust(&mut writer);
        let failure = writer.failure.clone();
        let (requests, receiver) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || writer.run(receiver))
            .map_err(OpenError::io("start the thread of", directory))?;
        let inner = Inner {
            directory: directory.to_owned(),
            requests: Mutex::new(Some(requests)),
            thread: Mutex::new(Some(thread)),
            failure,
            places: Mutex::new(places),
            owned: Mutex::new(owned),
            ledger_gate: tokio::sync::Mutex::new(()),
            flushes,
        };
        Ok(Opened { journal: Self { inner: Arc::new(inner) }, notes })
    }
}

fn take_lock(directory: &Path) -> Result<File, OpenError> {
    let path = directory.join("lock");
    let open = File::options().read(true).write(true).create(true).truncate(false).open(&path);
    let file = open.map_err(OpenError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { directory: directory.display().to_string() }),
        Err(TryLockError::Error(error)) => Err(OpenError::io("lock", &path)(error)),
    }
}

/// The mark. A new journal's is made, durably, before the first segment; so segments without a mark are damage.
fn open_head(directory: &Path, options: Options) -> Result<(Head, Mark), OpenError> {
    let path = directory.join("head");
    let opened = match Head::open(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        opened => opened.map_err(OpenError::io("read", &path))?,
    };
    if let Some(opened) = opened {
        return Ok(opened);
    }
    if segment::path(directory, 1).exists() && !options.accept_lost_tail {
        return Err(OpenError::damaged(
            &path,
            0,
            "the high-water mark is gone, so nobody knows whether records are missing",
        ));
    }
    let head = Head::create(&path, 0, Chain::default()).map_err(OpenError::io("write", &path))?;
    File::open(directory).and_then(|file| file.sync_all()).map_err(OpenError::io("sync", directory))?;
    let mark = head.mark();
    Ok((head, mark))
}

fn fold(found: &Scan) -> Result<(HashMap<strata_saga::OperationId, Vec<Place>>, Entries), OpenError> {
    let (mut places, mut owned): (HashMap<_, Vec<Place>>, _) = (HashMap::new(), Entries::new());
    for (record, number) in found.found.iter().zip(1..) {
        let newer = OpenError::Newer { number, kind: record.kind };
        match record.kind {
            KIND_EVENT => {
                let event = parse_event(&record.payload).map_err(|_| newer)?;
                let place = Place { segment: record.segment, offset: record.offset };
                places.entry(event.operation).or_default().push(place);
            }
            KIND_OWNED | KIND_STRUCK => {
                ledger::fold(&mut owned, record.kind, &record.payload).map_err(|_| newer)?;
            }
            _ => return Err(newer),
        }
    }
    Ok((places, owned))
}

fn writer(
    directory: &Path,
    lock: File,
    mut head: Head,
    found: &Scan,
    marked: u64,
    flushes: &Arc<AtomicU64>,
) -> Result<Writer, OpenError> {
    let records = found.found.len() as u64;
    let (segment_first, segment) = match found.last {
        Some((first, end)) => {
            let path = segment::path(directory, first);
            (first, Segment::reopen(&path, end).map_err(OpenError::io("write", &path))?)
        }
        None => {
            let header = Header { first: records + 1, chain: found.chain };
            (header.first, Segment::create(directory, header).map_err(OpenError::io("write", directory))?)
        }
    };
    // What is there from now on counts as acknowledged: recovery acts on it.
    segment.flush().map_err(OpenError::io("sync", directory))?;
    if records != marked {
        head.advance(records, found.chain).and_then(|()| head.sync()).map_err(OpenError::io("write", directory))?;
    }
    Ok(Writer {
        directory: directory.to_owned(),
        segment,
        segment_first,
        head,
        records,
        durable: records,
        chain: found.chain,
        failure: Arc::new(OnceLock::new()),
        lock,
        segment_bytes: SEGMENT_BYTES,
        flushes: flushes.clone(),
    })
}
