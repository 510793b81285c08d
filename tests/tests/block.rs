//! The whole installation over LUNs: VMFS datastores of one and of several extents, on volumes of their own and shared.

#[path = "block/clones.rs"]
mod clones;
#[path = "block/reverts.rs"]
mod reverts;
#[path = "block/snapshots.rs"]
mod snapshots;
#[path = "block/teardown.rs"]
mod teardown;

use strata_kit::status::ErrorReport;
use strata_tests::house::Outcome;

/// A size that every simulated array has.
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
