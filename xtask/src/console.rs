//! The one place where xtask prints. All of it goes to stderr; stdout belongs to the programs that it runs.

use std::io::Write;

/// Prints a line. A closed stderr is not worth failing for.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Prints that something was left out, and why. The word is what people and CI look for.
pub fn skipped(what: &str, why: &str) {
    say(&format!("SKIPPED: {what}: {why}"));
}
