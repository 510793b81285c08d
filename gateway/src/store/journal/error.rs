//! Why a journal does not open. Nothing in it has been changed then.

use std::{io, path::Path};
use strata_model::ErrorKind;

/// Why a journal does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Somebody else has it open.
    #[error("the journal in {directory} is in use by another process; only one gateway may run on a data directory")]
    InUse {
        /// Where.
        directory: String,
    },
    /// The disk refuses.
    #[error(
        "cannot {act} {path} of the journal ({kind}); free space, or mend permissions or the disk, and start again"
    )]
    Io {
        /// What was tried.
        act: &'static str,
        /// On what.
        path: String,
        /// In a word.
        kind: io::ErrorKind,
        /// The system's own words.
        #[source]
        source: io::Error,
    },
    /// Acknowledged records do not read.
    #[error(
        "the journal is damaged: {path} at byte {offset}: {what}; put the data directory back from a backup, or move it aside \
         and rebuild the catalog from the arrays"
    )]
    Damaged {
        /// Which file.
        path: String,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// Acknowledged records are not there.
    #[error(
        "the journal in {directory} has lost its last {lost_records} records ({present_records} are left); put the data \
         directory back from a backup, or start once with the loss accepted and look for orphans on the arrays"
    )]
    TailLost {
        /// Where.
        directory: String,
        /// How many are missing.
        lost_records: u64,
        /// How many are there.
        present_records: u64,
    },
    /// Records that this code does not know.
    #[error("record {number} of the journal was written by a newer gateway (kind {kind}); start that version again")]
    Newer {
        /// Which record.
        number: u64,
        /// Its kind.
        kind: u8,
    },
}

impl OpenError {
    pub(super) fn io<E: Into<io::Error>>(act: &'static str, path: &Path) -> impl FnOnce(E) -> Self {
        let path = path.display().to_string();
        move |error| {
            let source = error.into();
            Self::Io { act, path, kind: source.kind(), source }
        }
    }

    pub(super) fn damaged(path: &Path, offset: u64, what: &'static str) -> Self {
        Self::Damaged { path: path.display().to_string(), offset, what }
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            OpenError::InUse { .. } => ErrorKind::Conflict,
            OpenError::Io { kind: io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded, .. } => {
                ErrorKind::Exhausted
            }
            OpenError::Io { .. } => ErrorKind::Unavailable,
            OpenError::Damaged { .. } | OpenError::TailLost { .. } => ErrorKind::Unexpected,
            OpenError::Newer { .. } => ErrorKind::Unsupported,
        }
    }
}
