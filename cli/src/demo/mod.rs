//! The demo: the main job end to end in a lab of its own, told step by step. Every claim is a check on bytes, identities or
//! what the array holds, and the demo succeeds only if all of them held.

mod copy;
mod going_back;
mod pattern;
mod picture;
mod report;
mod stage;
mod story;

pub use report::Report;

use crate::{
    context::Context,
    failure::Failure,
    lab::{ArrayKind, FilerOptions, Lab, LabOptions},
};
use stage::Stage;
use std::path::PathBuf;

/// Plays it, and cleans up whatever happens.
///
/// # Errors
/// The lab does not start, or a call failed where the story needs its answer.
pub async fn play(
    context: &Context,
    array: Option<ArrayKind>,
    filer: Option<PathBuf>,
    disk_bytes: u64,
) -> Result<Report, Failure> {
    let filer = filer.map(|directory| FilerOptions { directory, hosts: Vec::new(), path_prefix: None });
    let options = LabOptions { array, filer, web_disk_bytes: disk_bytes, ..LabOptions::default() };
    let lab = Lab::start(options, context.clock.clone(), context.time_zone.clone()).await?;
    let report = Report::new(&context.printer, &lab.array, disk_bytes);
    if report.is_told() {
        context.printer.head("Strata's main job, end to end")?;
        let array = &lab.array;
        context.printer.data(&format!("  array   {} ({}): {}", array.name, array.kind.as_str(), array.reason))?;
        context.printer.data("  vCenter simulated; the three services are the real ones, over gRPC on 127.0.0.1")?;
    }
    let mut stage = Stage::new(&lab, context, report, disk_bytes)?;
    let played = tokio::select! {
        played = story::tell(&mut stage) => played,
        () = context.interrupts.end() => Err(stopped()),
    };
    let report = stage.report;
    lab.stop().await?;
    played.map(|()| report)
}

fn stopped() -> Failure {
    Failure::new(strata_model::ErrorKind::Cancelled, "DEMO_STOPPED", "the demo was stopped").interrupted()
}
