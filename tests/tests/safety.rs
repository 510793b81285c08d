//! The rules of safety over a whole installation, each by its number. After every test the invariants of
//! `House::check` hold.

#[path = "safety/apply_by_hash.rs"]
mod apply_by_hash;
#[path = "safety/clone_datastores.rs"]
mod clone_datastores;
#[path = "safety/clone_points.rs"]
mod clone_points;
#[path = "safety/delete_clone_in_use.rs"]
mod delete_clone_in_use;
#[path = "safety/failures.rs"]
mod failures;
#[path = "safety/half_restored.rs"]
mod half_restored;
#[path = "safety/jobs.rs"]
mod jobs;
#[path = "safety/late_effects.rs"]
mod late_effects;
#[path = "safety/late_shutdown.rs"]
mod late_shutdown;
#[path = "safety/revert_under_deltas.rs"]
mod revert_under_deltas;
#[path = "safety/rights.rs"]
mod rights;
#[path = "safety/s01_s02_ours.rs"]
mod s01_s02_ours;
#[path = "safety/s05_right_vm.rs"]
mod s05_right_vm;
#[path = "safety/s06_footing.rs"]
mod s06_footing;
#[path = "safety/s06_s07_neighbours.rs"]
mod s06_s07_neighbours;
#[path = "safety/s12_grades.rs"]
mod s12_grades;
#[path = "safety/s13_s15_cut.rs"]
mod s13_s15_cut;
#[path = "safety/s16_s17_clone.rs"]
mod s16_s17_clone;
#[path = "safety/s20_s24_revert.rs"]
mod s20_s24_revert;
#[path = "safety/skipped_undo.rs"]
mod skipped_undo;
#[path = "safety/templates.rs"]
mod templates;
#[path = "safety/two_datastores.rs"]
mod two_datastores;

use strata_kit::status::ErrorReport;
use strata_tests::house::Outcome;

/// A size that every simulated array and filesystem has.
const BLOCK: usize = 4096;

/// The error of something that must be refused for this reason, with these words in its text.
fn refused<T: std::fmt::Debug>(outcome: Outcome<T>, reason: &str, words: &[&str]) -> anyhow::Result<ErrorReport> {
    let error = match outcome {
        Ok(answer) => anyhow::bail!("{reason} was expected, and it was done: {answer:?}"),
        Err(error) => error,
    };
    anyhow::ensure!(error.reason == reason, "{reason} was expected: {error:?}");
    for word in words {
        let told = error.message.contains(word) || error.hints.iter().any(|hint| hint.contains(word));
        anyhow::ensure!(told, "'{word}' is not in: {} {:?}", error.message, error.hints);
    }
    Ok(error)
}

/// The answer of something that must be done.
fn done<T>(outcome: Outcome<T>) -> anyhow::Result<T> {
    outcome.map_err(|error| anyhow::anyhow!("{}: {} {:?}", error.reason, error.message, error.metadata))
}
