//! Exit codes: one table, printed by `strata help exit-codes`.

use crate::failure::Failure;
use std::io;
use strata_kit::status;
use strata_model::ErrorKind;

/// Everything that was asked was done. A reader that closes the pipe early is success too.
pub const SUCCESS: u8 = 0;
/// Ctrl-C ended the program; the operation goes on unless it was cancelled.
pub const INTERRUPTED: u8 = 130;

/// The exit code of a kind of failure.
pub fn of_kind(kind: ErrorKind) -> u8 {
    status::row(kind).exit_code
}

/// The exit code of a failure.
pub fn of(failure: &Failure) -> u8 {
    match failure {
        Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => SUCCESS,
        Failure::Report(report) if report.interrupted => INTERRUPTED,
        other => of_kind(other.kind()),
    }
}

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    /// The exit code.
    pub code: u8,
    /// The kind as errors in JSON write it; empty for the codes that are no failures of the gateway.
    pub kind: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// All exit codes in order.
pub fn table() -> Vec<Row> {
    let mut rows = vec![
        Row { code: SUCCESS, kind: "", meaning: "done, or the reader of a pipe went away" },
        Row { code: INTERRUPTED, kind: "", meaning: "ended by Ctrl-C; the operation goes on" },
    ];
    rows.extend(ErrorKind::ALL.into_iter().map(|kind| Row {
        code: of_kind(kind),
        kind: status::row(kind).name,
        meaning: meaning(kind),
    }));
    rows.sort_by_key(|row| row.code);
    rows
}

fn meaning(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unexpected => "a fault of Strata's, or an answer that no document describes; see the message",
        ErrorKind::InvalidArgument => "the command is wrong, a name is ambiguous, or a confirmation is missing",
        ErrorKind::NotFound => "no such object",
        ErrorKind::Conflict => "the object is in a state that forbids it, or an operation is stuck",
        ErrorKind::Busy => "another operation holds the object; try later",
        ErrorKind::Unauthenticated => "no or wrong credentials, or a certificate that is not trusted",
        ErrorKind::Forbidden => "a privilege is missing; the message names it and the object",
        ErrorKind::Unsupported => "the array, vCenter or datastore cannot do it",
        ErrorKind::Exhausted => "space, a licence or a limit is used up",
        ErrorKind::Unavailable => "gateway, vCenter or array does not answer; with list and preflight: part is missing",
        ErrorKind::Timeout => "no answer in time; it may have happened all the same",
        ErrorKind::Cancelled => "the operation was cancelled and taken back",
    }
}

/// The table as help text.
pub fn help() -> String {
    let rows = table();
    let mut text = String::from("Exit codes:\n\n");
    for row in &rows {
        text.push_str(&format!("  {:>3}  {:<16}  {}\n", row.code, row.kind, row.meaning));
    }
    text.push_str("\nWith --json an error is one line of JSON on stderr; its `kind` and `exitCode` are those above.");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_kind_has_a_code_of_its_own() {
        let codes: BTreeSet<u8> = table().iter().map(|row| row.code).collect();
        assert_eq!(codes.len(), ErrorKind::ALL.len() + 2);
    }

    #[test]
    fn a_closed_pipe_is_success_and_a_full_disk_is_not() {
        assert_eq!(of(&Failure::Output(io::ErrorKind::BrokenPipe.into())), SUCCESS);
        assert_eq!(of(&Failure::Output(io::ErrorKind::StorageFull.into())), 1);
    }
}
