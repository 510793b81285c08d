//! What a snapshot and a clone cost, and what Strata itself adds. See docs/benchmarks.md.

mod by_size;
mod disk;
mod own_time;
mod stopwatch;
mod table;

use crate::house::ArrayKind;
use strata_kit::{clock::SystemClock, program::Output};

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// For CI: the ends of the tables, few runs; shows that it does not grow, and is no figure to quote.
    Quick,
    /// For docs/benchmarks.md.
    Full,
}

/// Measures, and prints markdown. An array that this machine cannot have is skipped aloud.
///
/// # Errors
/// What failed.
pub async fn run(depth: Depth, output: &Output) -> anyhow::Result<()> {
    output.line(&machine());
    let (runs, own_runs) = if depth == Depth::Full { (7, 100) } else { (3, 20) };
    let rows = if depth == Depth::Full { &by_size::ROWS[..] } else { &by_size::ROWS[..3] };
    let mut usable = None;
    for array in [ArrayKind::FilerOnXfs, ArrayKind::FilerOnBtrfs] {
        if let Err(missing) = crate::house::House::builder().array(array).start().await {
            output.line(&format!("SKIPPED: {array:?}: {missing:#}\n"));
            continue;
        }
        usable.get_or_insert(array);
        output.line(&format!("### {array:?}: medians of {runs}\n"));
        output.line(&by_size::table(array, rows, runs).await?);
    }
    let Some(array) = usable else {
        output.line("SKIPPED: Strata's own time: it needs an array that snapshots a running VM\n");
        return Ok(());
    };
    output.line(&format!("### Strata's own time ({array:?})\n"));
    output.line(&own_time::table(array, own_runs).await?);
    Ok(())
}

/// When and where this is measured.
fn machine() -> String {
    let read = |path: &str| fs_err::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = read("/proc/loadavg");
    let build = if cfg!(debug_assertions) {
        "dev build: own times are several times those of a release"
    } else {
        "release build"
    };
    format!(
        "{}; {cores} cores, {}; Linux {}; load {} when it began; {build}\n",
        SystemClock::shared().now().strftime("%Y-%m-%d"),
        model.trim_start_matches([' ', '\t', ':']).trim(),
        read("/proc/sys/kernel/osrelease").trim(),
        load.split(' ').next().unwrap_or_default(),
    )
}
