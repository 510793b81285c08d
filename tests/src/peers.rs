//! Where the real peers are. `cargo xtask test` brings them and says so in the environment; a test that needs one asks
//! here, and where it cannot be had the test says `SKIPPED:` and why, or fails if this is CI.

use std::io::Write;
use std::path::PathBuf;

/// VMware's command line client.
pub const GOVC: &str = "STRATA_GOVC";
/// VMware's simulator with what the NFS flow needs added; see tests/interop/vcsimx.
pub const VCSIMX: &str = "STRATA_VCSIMX";
/// The gRPC command line client.
pub const GRPCURL: &str = "STRATA_GRPCURL";
/// A Python interpreter that can import pyVmomi.
pub const PYVMOMI: &str = "STRATA_PYVMOMI";
/// A Python interpreter that can import schemathesis.
pub const SCHEMATHESIS: &str = "STRATA_SCHEMATHESIS";
/// buf, for linting and for calling over Connect, gRPC and gRPC-Web.
pub const BUF: &str = "STRATA_BUF";

/// The peer's path, or `None` after having said that the test is skipped.
///
/// # Panics
/// With `CI=true`, where a missing peer is an error and not a reason to skip.
#[must_use]
pub fn find(variable: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.exists());
    if path.is_none() {
        skip(&format!("{variable} names no program; `cargo xtask test` brings it"));
    }
    path
}

/// Says that the running test is skipped, and why, past libtest's capturing, so that `cargo xtask test` can count it.
///
/// # Panics
/// With `CI=true`.
pub fn skip(why: &str) {
    let is_ci = std::env::var("CI").is_ok_and(|value| value == "true" || value == "1");
    assert!(!is_ci, "CI must not skip: {why}");
    let test = std::thread::current();
    let _ = writeln!(std::io::stderr(), "SKIPPED: {}: {why}", test.name().unwrap_or("a test"));
}
