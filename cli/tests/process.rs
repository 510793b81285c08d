//! The binary itself: what only a real process can show.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test that panics has failed, which is what it is for")]

use std::process::{Command, Stdio};

fn strata(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strata"));
    command.args(arguments).env_clear().env("HOME", "/nonexistent").stdin(Stdio::null());
    command
}

#[test]
fn a_reader_that_goes_away_is_success() {
    // The read end is closed before the program starts, so that the first write already fails.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = strata(&["completion", "bash"]).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    let ended = ended.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), b"".as_slice()));
}

#[test]
fn exit_codes_reach_the_shell() {
    for (arguments, code) in
        [(["--version"].as_slice(), 0), (&["help", "exit-codes"], 0), (&["vm", "list"], 2), (&["nonsense"], 2)]
    {
        let ended = strata(arguments).output().unwrap();
        assert_eq!(ended.status.code(), Some(code), "{arguments:?}");
        assert_eq!(ended.stdout.is_empty(), code != 0, "{arguments:?}: errors go to stderr");
        assert_eq!(ended.stderr.is_empty(), code == 0, "{arguments:?}: data goes to stdout");
    }
}
