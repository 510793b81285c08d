//! The one thread that writes. What has gathered while it was flushing goes out with the next flush: group commit without
//! a timer.

use super::{
    frame::{self, Chain},
    head::Head,
    segment::{Header, Segment},
};
use std::{
    io,
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
};
use tokio::sync::oneshot;

/// By default a segment is closed when it is longer.
pub(super) const SEGMENT_BYTES: u64 = 64 << 20;
/// No more goes out with one flush, so that the first caller does not wait for the last.
const BATCH_BYTES: usize = 4 << 20;

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The number of its segment's first record.
    pub(super) segment: u64,
    /// Where its frame begins.
    pub(super) offset: u64,
}

/// Why the journal takes no more records; set once.
pub(super) type Failure = Arc<OnceLock<String>>;
/// What is told of a record that has been written: its place.
pub(super) type Written = oneshot::Sender<Result<Place, String>>;

/// A record on its way.
pub(super) struct Request {
    pub(super) kind: u8,
    pub(super) payload: Vec<u8>,
    /// The caller waits for the medium and not only for the system.
    pub(super) flush: bool,
    pub(super) written: Written,
}

pub(super) struct Writer {
    pub(super) directory: PathBuf,
    pub(super) segment: Segment,
    pub(super) segment_first: u64,
    pub(super) head: Head,
    pub(super) records: u64,
    /// How many of them have reached the medium.
    pub(super) durable: u64,
    pub(super) chain: Chain,
    pub(super) failure: Failure,
    /// Locked against a second opener for as long as this lives.
    pub(super) lock: std::fs::File,
    pub(super) segment_bytes: u64,
    pub(super) flushes: Arc<AtomicU64>,
}

impl Writer {
    /// Until nobody can send any more.
    pub(super) fn run(mut self, requests: mpsc::Receiver<Request>) {
        while let Ok(first) = requests.recv() {
            let mut bytes = first.payload.len();
            let mut batch = vec![first];
            while bytes < BATCH_BYTES
                && let Ok(more) = requests.try_recv()
            {
                bytes += more.payload.len();
                batch.push(more);
            }
            self.write(batch);
        }
        // What nobody waited for is written all the same, and a mark that is not durable is only weaker: there is nobody
        // left to tell.
        let _ = self.segment.flush().and_then(|()| self.mark_durable()).and_then(|()| self.head.sync());
        let _ = self.lock.unlock();
    }

    fn write(&mut self, batch: Vec<Request>) {
        let result = match self.failure.get() {
            Some(why) => Err(why.clone()),
            None => self.put(&batch).map_err(|error| {
                let why = explain(&error, &self.directory);
                tracing::error!(%why, "the journal takes no more records");
                self.failure.get_or_init(|| why).clone()
            }),
        };
        match result {
            // A caller who went away is fine.
            Ok(places) => {
                batch.into_iter().zip(places).for_each(|(request, place)| drop(request.written.send(Ok(place))))
            }
            Err(why) => batch.into_iter().for_each(|request| drop(request.written.send(Err(why.clone())))),
        }
    }

    fn put(&mut self, batch: &[Request]) -> io::Result<Vec<Place>> {
        if self.segment.end > self.segment_bytes {
            // Everything in the old segment is durable before the new one exists.
            self.segment.flush()?;
            self.mark_durable()?;
            let header = Header { first: self.records + 1, chain: self.chain };
            self.segment = Segment::create(&self.directory, header)?;
            self.segment_first = header.first;
        }
        // A batch is everything between two flushes: that it has begun proves that what was before it is durable.
        let (start, batch_first) = (self.segment.end, self.durable + 1);
        let (mut bytes, mut chain, mut places) = (Vec::new(), self.chain, Vec::with_capacity(batch.len()));
        for (request, number) in batch.iter().zip(self.records + 1..) {
            places.push(Place { segment: self.segment_first, offset: start + bytes.len() as u64 });
            chain = frame::encode(&mut bytes, number, batch_first, request.kind, &chain, &request.payload);
        }
        let flush = batch.iter().any(|request| request.flush);
        let written = self.segment.append(&bytes).and_then(|()| if flush { self.segment.flush() } else { Ok(()) });
        if let Err(error) = written {
            self.segment.cut(start);
            return Err(error);
        }
        (self.records, self.chain) = (self.records + batch.len() as u64, chain);
        if flush {
            self.flushes.fetch_add(1, Ordering::Relaxed);
            self.mark_durable()?;
        }
        Ok(places)
    }

    fn mark_durable(&mut self) -> io::Result<()> {
        self.durable = self.records;
        self.head.advance(self.records, self.chain)
    }
}

fn explain(error: &io::Error, directory: &std::path::Path) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!("the disk of {} is full; free space and restart the gateway", directory.display())
        }
        _ => format!("writing to {} failed ({error}); mend the disk and restart the gateway", directory.display()),
    }
}
