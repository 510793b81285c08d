//! What hosts put onto LUNs: a VMFS, which may span several, or raw bytes.
//!
//! A LUN's tree holds the file `raw` (its bytes, where no filesystem lies on it) or the file `vmfs` (the header: which
//! filesystem, which extent of it, and on which device it was put) with the directory `files` beside it. All of it is
//! within the LUN, so that snapshots, clones and restores of the array take it along, and copies can be told from originals
//! only as a host tells them: by a header that names another device than it lies on.

mod corrupt;
mod extent;
mod header;
mod references;
mod span;

pub use corrupt::Corrupt;
pub use extent::ExtentFiles;
pub use header::Header;
pub use references::rewrite_references;
pub use span::{STRIPE_BYTES, Span};

/// The file that holds the bytes of a LUN without a filesystem.
pub const RAW: &str = "raw";
