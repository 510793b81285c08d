//! Bad input and bad surroundings: a clear error that names the object and the remedy, the right code and reason, and
//! nothing half done.

#[path = "bad_input/certificates.rs"]
mod certificates;
#[path = "bad_input/names.rs"]
mod names;
#[path = "bad_input/requests.rs"]
mod requests;
#[path = "bad_input/stores.rs"]
mod stores;
#[path = "bad_input/surroundings.rs"]
mod surroundings;

use strata_kit::status::ErrorReport;
use strata_tests::house::{House, Outcome, Picture};
use tonic::Code;

/// What an error must be.
struct Expected<'a> {
    code: Code,
    reason: &'a str,
    /// Each in the message, a hint or the metadata.
    words: &'a [&'a str],
}

impl Expected<'_> {
    fn check<T: std::fmt::Debug>(&self, what: &str, outcome: Outcome<T>) -> anyhow::Result<ErrorReport> {
        let error = match outcome {
            Ok(answer) => anyhow::bail!("{what}: it was done: {answer:?}"),
            Err(error) => error,
        };
        let right = error.code == self.code && error.reason == self.reason;
        anyhow::ensure!(right, "{what}: {:?} {} was expected: {error:?}", self.code, self.reason);
        for word in self.words {
            let told = error.message.contains(word)
                || error.hints.iter().any(|hint| hint.contains(word))
                || error.metadata.values().any(|value| value.contains(word));
            anyhow::ensure!(told, "{what}: '{word}' is not in {error:?}");
        }
        Ok(error)
    }
}

fn done<T>(outcome: Outcome<T>) -> anyhow::Result<T> {
    outcome.map_err(|error| anyhow::anyhow!("{}: {} {:?}", error.reason, error.message, error.metadata))
}

/// Nothing changed, and nothing is wrong.
async fn untouched(house: &House, before: &Picture) -> anyhow::Result<()> {
    before.expect_same(&house.picture().await?)?;
    house.check().await
}
