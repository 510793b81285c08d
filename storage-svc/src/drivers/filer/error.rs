//! The one table from what Linux says to what a caller can do about it.

use crate::driver::{DriverError, Reason};
use rustix::io::Errno;

/// Names the failure of a system call on an object.
pub(super) fn os(errno: Errno, object: impl std::fmt::Display) -> DriverError {
    let (reason, remedy) = match errno {
        Errno::NOENT | Errno::NOTDIR => (Reason::NotFound, "is not there"),
        Errno::EXIST | Errno::NOTEMPTY => (Reason::TargetExists, "exists already"),
        Errno::NOSPC | Errno::DQUOT => (Reason::NoSpace, "does not fit: the filer has no space left; free some"),
        Errno::ROFS => (Reason::ReadOnly, "is on a read-only file system"),
        Errno::ACCESS | Errno::PERM => (
            Reason::RightMissing,
            "may not be touched by the user that storage-svc runs as; run it as root or as its owner",
        ),
        Errno::LOOP => (Reason::UnsafePath, "leads through a symbolic link; Strata follows none"),
        Errno::XDEV => {
            (Reason::UnsafePath, "leads out of its volume, or into another file system or subvolume mounted in it")
        }
        Errno::OPNOTSUPP | Errno::NOSYS | Errno::NOTTY => (Reason::NotSupported, "cannot be done by this file system"),
        Errno::MFILE | Errno::NFILE | Errno::BUSY | Errno::TXTBSY | Errno::AGAIN => {
            (Reason::Busy, "cannot be worked on now; try again")
        }
        _ => (Reason::Unexpected, "failed"),
    };
    DriverError::new(reason, format!("{object} {remedy}"))
        .with_vendor(format!("errno {}", errno.raw_os_error()), errno.to_string())
        .because(errno)
}

/// The same for what std reports.
pub(super) fn io(error: std::io::Error, object: impl std::fmt::Display) -> DriverError {
    match error.raw_os_error() {
        Some(code) => os(Errno::from_raw_os_error(code), object),
        None => DriverError::new(Reason::Unexpected, format!("{object} failed")).because(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_model::ErrorKind;

    #[test]
    fn kinds() {
        for (errno, kind) in [
            (Errno::NOENT, ErrorKind::NotFound),
            (Errno::NOSPC, ErrorKind::Exhausted),
            (Errno::DQUOT, ErrorKind::Exhausted),
            (Errno::ROFS, ErrorKind::Conflict),
            (Errno::PERM, ErrorKind::Forbidden),
            (Errno::LOOP, ErrorKind::InvalidArgument),
            (Errno::IO, ErrorKind::Unexpected),
        ] {
            let error = os(errno, "file 'a'");
            assert_eq!(error.kind(), kind, "{errno}");
            assert!(error.message.starts_with("file 'a' "), "{error}");
        }
    }
}
