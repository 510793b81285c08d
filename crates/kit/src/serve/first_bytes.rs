//! Notices a peer that connects and says nothing: hyper waits for its first bytes without a bound.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// As many bytes as tell h2 from h1 (the preface of h2); from here hyper's own limits hold.
const ENOUGH: usize = 24;

/// Counts what a peer said.
#[derive(Debug, Clone, Default)]
pub(super) struct FirstBytes(Arc<AtomicUsize>);

impl FirstBytes {
    /// True when the peer said enough to be served.
    pub(super) fn have_come(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= ENOUGH
    }

    /// Says that the peer sent a whole request; a short one of h1 may have fewer bytes.
    pub(super) fn request_came(&self) {
        self.0.fetch_max(ENOUGH, Ordering::Relaxed);
    }
}

/// A stream whose reads are counted until they are enough.
#[derive(Debug)]
pub(super) struct Counted<IO> {
    pub(super) stream: IO,
    pub(super) first: FirstBytes,
}

impl<IO: AsyncRead + Unpin> AsyncRead for Counted<IO> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if !self.first.have_come() {
            self.first.0.fetch_add(buffer.filled().len() - before, Ordering::Relaxed);
        }
        read
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Counted<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
