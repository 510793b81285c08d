//! The whole test suite as a user runs it: peers first, then `cargo test` over the workspace, doc tests included.

use super::tally::Tally;
use crate::{console, peers, run};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

/// Runs the suite, or what `rest` narrows it to, and returns the counts.
///
/// # Errors
/// A peer that is missing in CI, a build that failed, or a test that failed (with the counts in the message).
pub fn run(rest: &[String]) -> Result<Tally> {
    peers::prepare_system()?;
    if rest.is_empty() {
        peers::test_own()?;
    }
    let mut cargo = run::cargo(&["test", "--locked", "--no-fail-fast"])?;
    cargo.envs(peers::prepare()?);
    if !rest.iter().any(|argument| argument == "-p" || argument.starts_with("--package")) {
        cargo.arg("--workspace");
    }
    cargo.args(rest).stdout(Stdio::piped()).stderr(Stdio::piped());
    console::say("$ cargo test --locked --workspace");
    let mut child = cargo.spawn().context("cannot start cargo test")?;
    let (stdout, stderr) = (child.stdout.take().context("no stdout")?, child.stderr.take().context("no stderr")?);
    let errors = std::thread::spawn(move || forward(stderr, std::io::stderr()));
    let mut tally = forward(stdout, std::io::stdout());
    tally.add(errors.join().map_err(|_| anyhow::anyhow!("the thread that reads cargo's stderr died"))?);
    let status = child.wait().context("cargo test")?;
    if !status.success() {
        bail!("cargo test: {tally}: {status}");
    }
    if tally.passed == 0 {
        bail!("cargo test ran no test");
    }
    Ok(tally)
}

/// Passes each line on as it comes, and counts.
fn forward(from: impl Read, mut to: impl Write) -> Tally {
    let mut tally = Tally::default();
    let mut lines = BufReader::new(from);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        tally.read(String::from_utf8_lossy(&line).trim_end());
        let _ = to.write_all(&line);
        line.clear();
    }
    tally
}
