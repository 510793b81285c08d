//! Everything that CI runs, quick things first, with the time of each part.

use crate::console;
use crate::part::{compose, demo, deny, lint, proto, services, tally::Tally, test, tidy};
use anyhow::{Context, Result};
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
const AFTER: &[Part] = &[("services", services::run), ("demo", demo::run), ("deny", deny::run)];

/// Runs all parts and stops at the first that fails. The last line is the tests' own count.
pub fn run() -> Result<()> {
    let mut times = Vec::new();
    let mut tally = Tally::default();
    let outcome = run_parts(&mut times, &mut tally);
    for (name, time) in &times {
        console::say(&format!("{name:<10} {:>7.1} s", time.as_secs_f64()));
    }
    outcome?;
    console::say(&tally.to_string());
    Ok(())
}

fn run_parts(times: &mut Vec<(&'static str, Duration)>, tally: &mut Tally) -> Result<()> {
    for (name, part) in BEFORE {
        timed(name, times, part)?;
    }
    *tally = timed("test", times, || test::run(&[]))?;
    for (name, part) in AFTER {
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
