//! `strata demo`.

use crate::{
    context::Context,
    demo,
    exit_code::{self, SUCCESS},
    failure::Failure,
    lab::ArrayKind,
};
use clap::Args;
use std::path::PathBuf;
use strata_model::ErrorKind;

/// How to play it.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// What it is played on; a filer where this machine can, else the reference array
    #[arg(long, value_name = "KIND")]
    array: Option<ArrayKind>,
    /// Put the filer below this directory, on btrfs or on XFS made with reflink=1
    #[arg(long, value_name = "DIR")]
    filer: Option<PathBuf>,
    /// Size of the disk that is snapshotted, cloned, reverted and, for comparison, copied
    #[arg(long = "disk-mib", value_name = "MIB", default_value_t = 512, value_parser = clap::value_parser!(u64).range(1..=65_536))]
    disk_mib: u64,
}

/// Plays the demo. The exit code says whether all checks held.
///
/// # Errors
/// The lab does not start, or the story could not go on.
pub async fn run(args: DemoArgs, context: &Context) -> Result<u8, Failure> {
    let report = demo::play(context, args.array, args.filer, args.disk_mib << 20).await?;
    if context.printer.style().json {
        context.printer.json(&report.to_json())?;
    } else {
        report.print(&context.printer)?;
    }
    Ok(if report.held() { SUCCESS } else { exit_code::of_kind(ErrorKind::Unexpected) })
}
