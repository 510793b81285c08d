//! The one place that writes to the terminal. stdout carries data that can be piped and nothing else; everything said to a
//! person goes to stderr.

use crate::{environment::Output, failure::Failure, failure::Report};
use serde_json::Value;
use std::{
    io::{self, Write},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How to print.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// Data and errors as JSON, nothing else.
    pub json: bool,
    /// No progress, notes and hints.
    pub quiet: bool,
    /// Colour on stdout.
    pub colour_out: bool,
    /// Colour on stderr.
    pub colour_err: bool,
    /// Columns to fit on stdout; `None`: as long as lines are.
    pub columns: Option<u16>,
    /// True where stderr is a terminal: progress may be redrawn.
    pub live: bool,
}

/// What a text is, where colour is used.
#[derive(Debug, Clone, Copy)]
pub enum Tone {
    /// Heads of tables and sections.
    Head,
    /// `error:`
    Bad,
    /// `warning:`
    Warning,
    /// `hint:`, `note:`
    Aside,
}

impl Tone {
    fn paint(self, text: &str) -> String {
        let code = match self {
            Tone::Head => "1",
            Tone::Bad => "1;31",
            Tone::Warning => "1;33",
            Tone::Aside => "1;36",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Writes for all commands.
pub struct Printer {
    style: Style,
    out: Mutex<Box<dyn Write + Send>>,
    err: Mutex<Box<dyn Write + Send>>,
}

impl std::fmt::Debug for Printer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Printer").field("style", &self.style).finish_non_exhaustive()
    }
}

impl Printer {
    /// Prints in this style to these streams.
    pub fn new(style: Style, out: Output, err: Output) -> Self {
        Self { style, out: Mutex::new(out.stream), err: Mutex::new(err.stream) }
    }

    /// How it prints.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Writes the head of a table or section as data.
    ///
    /// # Errors
    /// stdout cannot be written.
    pub fn head(&self, text: &str) -> Result<(), Failure> {
        let text = harmless(text);
        self.raw(&if self.style.colour_out { Tone::Head.paint(&text) } else { text })
    }

    /// Writes a line (or several) of data.
    ///
    /// # Errors
    /// stdout cannot be written.
    pub fn data(&self, text: &str) -> Result<(), Failure> {
        self.raw(&harmless(text))
    }

    /// Writes text that this program made itself, as it is: completion scripts.
    ///
    /// # Errors
    /// stdout cannot be written.
    pub fn raw(&self, text: &str) -> Result<(), Failure> {
        let mut out = lock(&self.out);
        out.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        out.flush()?;
        Ok(())
    }

    /// Writes one line of JSON as data.
    ///
    /// # Errors
    /// stdout cannot be written.
    pub fn json(&self, value: &Value) -> Result<(), Failure> {
        self.data(&value.to_string())
    }

    /// Says something worth knowing; not with `--quiet` or `--json`.
    pub fn note(&self, text: &str) {
        self.aside("note: ", Tone::Aside, text);
    }

    /// Says what to do next; not with `--quiet` or `--json`.
    pub fn hint(&self, text: &str) {
        self.aside("hint: ", Tone::Aside, text);
    }

    /// Says that something is missing from the answer; with `--json` too, as a line of JSON.
    pub fn warning(&self, text: &str) {
        if self.style.json {
            self.say("", &serde_json::json!({ "warning": text }).to_string());
        } else {
            self.say(&self.painted("warning: ", Tone::Warning), text);
        }
    }

    /// A line of progress; not with `--quiet` or `--json`.
    pub fn progress(&self, text: &str) {
        if self.talks() {
            self.say("", text);
        }
    }

    /// True where progress, notes and hints are wanted.
    pub fn talks(&self) -> bool {
        !self.style.json && !self.style.quiet
    }

    /// Asks a question: no newline after it.
    pub fn question(&self, text: &str) {
        let mut err = lock(&self.err);
        // Nobody is left to tell where stderr is closed; the same below.
        let _ = err.write_all(harmless(text).as_bytes()).and_then(|()| err.flush());
    }

    /// Tells why the program fails.
    pub fn failure(&self, failure: &Failure, exit_code: u8) {
        match failure {
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Failure::Output(error) => {
                self.say(&self.painted("error: ", Tone::Bad), &format!("{failure}: {error}"));
            }
            Failure::Report(report) if self.style.json => self.say("", &report.to_json(exit_code).to_string()),
            Failure::Report(report) => self.report(report),
        }
    }

    fn report(&self, report: &Report) {
        self.say(&self.painted("error: ", Tone::Bad), &report.message);
        for (field, description) in &report.violations {
            self.say("  ", &format!("{field}: {description}"));
        }
        for name in &report.candidates {
            self.say("  ", name);
        }
        for hint in &report.hints {
            self.say(&self.painted("hint: ", Tone::Aside), hint);
        }
    }

    fn aside(&self, word: &str, tone: Tone, text: &str) {
        if self.talks() {
            self.say(&self.painted(word, tone), text);
        }
    }

    fn painted(&self, text: &str, tone: Tone) -> String {
        if self.style.colour_err { tone.paint(text) } else { text.to_owned() }
    }

    fn say(&self, start: &str, text: &str) {
        let mut err = lock(&self.err);
        let _ = writeln!(err, "{start}{}", harmless(text)).and_then(|()| err.flush());
    }
}

/// Names come from vCenter and arrays, and may hold anything: no control character of theirs reaches the terminal.
pub fn harmless(text: &str) -> String {
    let wrong = |c: char| c.is_control() && c != '\n';
    if !text.contains(wrong) {
        return text.to_owned();
    }
    text.chars().flat_map(|c| if wrong(c) { c.escape_unicode().collect::<Vec<_>>() } else { vec![c] }).collect()
}

fn lock(stream: &Mutex<Box<dyn Write + Send>>) -> MutexGuard<'_, Box<dyn Write + Send>> {
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}
