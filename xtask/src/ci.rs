//! Everything that CI runs, quick things first, with the time of each part.

use crate::console;
use crate::part::{bench, compose, demo, deny, lint, proto, services, tally::Tally, test, tidy};
use anyhow::{Context, Result, bail};
use std::time::{Duration, Instant};

/// A part's name and what it does.
type Part = (&'static str, fn() -> Result<()>);

/// The parts before and after the tests, in their order: what fails fastest comes first.
const BEFORE: &[Part] = &[
    ("format", lint::format),
    ("tidy", tidy::run),
    ("proto", proto::run),
    ("compose", compose::run),
    ("clippy", lint::clippy),
];
const AFTER: &[Part] =
    &[("services", services::run), ("demo", demo::run), ("bench", || bench::run(true)), ("deny", deny::run)];

/// Runs all parts, or only those named, and stops at the first that fails. The last line is the tests' own count.
///
/// # Errors
/// A part that failed, or a name that is no part's.
pub fn run(only: &[String]) -> Result<()> {
    let known = || BEFORE.iter().chain(AFTER).map(|(name, _)| *name).chain(["test"]);
    if let Some(unknown) = only.iter().find(|name| known().all(|part| part != name.as_str())) {
        bail!("CI has no part {unknown}; its parts are {}", known().collect::<Vec<_>>().join(", "));
    }
    let is_wanted = |name: &str| only.is_empty() || only.iter().any(|wanted| wanted == name);
    let mut times = Vec::new();
    let mut tally = Tally::default();
    let outcome = run_parts(&is_wanted, &mut times, &mut tally);
    for (name, time) in &times {
        console::say(&format!("{name:<10} {:>7.1} s", time.as_secs_f64()));
    }
    outcome?;
    if is_wanted("test") {
        console::say(&tally.to_string());
    }
    Ok(())
}

fn run_parts(
    is_wanted: &impl Fn(&str) -> bool,
    times: &mut Vec<(&'static str, Duration)>,
    tally: &mut Tally,
) -> Result<()> {
    for (name, part) in BEFORE.iter().filter(|(name, _)| is_wanted(name)) {
        timed(name, times, part)?;
    }
    if is_wanted("test") {
        *tally = timed("test", times, || test::run(&[]))?;
    }
    for (name, part) in AFTER.iter().filter(|(name, _)| is_wanted(name)) {
        timed(name, times, part)?;
    }
    Ok(())
}

fn timed<T>(
    name: &'static str,
    times: &mut Vec<(&'static str, Duration)>,
    part: impl FnOnce() -> Result<T>,
) -> Result<T> {
    console::say(&format!("== {name}"));
    let start = Instant::now();
    let outcome = part();
    times.push((name, start.elapsed()));
    outcome.with_context(|| format!("part {name}"))
}
