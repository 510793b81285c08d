//! The `btrfs` command, for what needs ioctls that no safe interface has.

use crate::driver::{DriverError, Reason};
use std::{path::Path, process::Command};

/// What `btrfs subvolume show` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subvolume {
    pub(super) uuid: String,
    pub(super) read_only: bool,
}

/// True where the command is installed.
pub(super) fn is_installed() -> bool {
    Command::new("btrfs").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Uuid and flags of a subvolume.
pub(super) fn show(path: &Path) -> Result<Subvolume, DriverError> {
    let text = run(&["subvolume", "show"], &[path])?;
    parse_show(&text).ok_or_else(|| {
        DriverError::new(Reason::Unexpected, format!("btrfs told no UUID of the subvolume {}", path.display()))
    })
}

/// A read-only snapshot; atomic over all files, durable when this returns.
pub(super) fn snapshot_read_only(source: &Path, target: &Path) -> Result<(), DriverError> {
    run(&["subvolume", "snapshot", "-r"], &[source, target]).map(drop)
}

/// Deletes a subvolume.
pub(super) fn delete(path: &Path) -> Result<(), DriverError> {
    run(&["subvolume", "delete"], &[path]).map(drop)
}

fn run(verb: &[&str], paths: &[&Path]) -> Result<String, DriverError> {
    let object = paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" -> ");
    let output =
        Command::new("btrfs").args(verb).arg("--").args(paths).env("LC_ALL", "C").output().map_err(|error| {
            DriverError::new(Reason::NotSupported, "the command 'btrfs' cannot be run; install btrfs-progs")
                .because(error)
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(DriverError::new(reason_of(&text), format!("btrfs {} of {object} failed: {text}", verb.join(" ")))
        .with_vendor(format!("exit {}", output.status.code().unwrap_or(-1)), text))
}

/// The command prints strerror texts (LC_ALL=C), and nothing that a program could read better.
fn reason_of(text: &str) -> Reason {
    let table = [
        ("No space left on device", Reason::NoSpace),
        ("Disk quota exceeded", Reason::NoSpace),
        ("Read-only file system", Reason::ReadOnly),
        ("Operation not permitted", Reason::RightMissing),
        ("Permission denied", Reason::RightMissing),
        ("No such file or directory", Reason::NotFound),
        ("File exists", Reason::TargetExists),
        ("Not a Btrfs subvolume", Reason::NotSupported),
        ("not a subvolume", Reason::NotSupported),
    ];
    table.iter().find(|(part, _)| text.contains(part)).map_or(Reason::Unexpected, |(_, reason)| *reason)
}

fn parse_show(text: &str) -> Option<Subvolume> {
    let field =
        |name: &str| text.lines().find_map(|line| line.trim().strip_prefix(name).map(|rest| rest.trim().to_owned()));
    let uuid = field("UUID:").filter(|uuid| uuid.len() == 36)?;
    Some(Subvolume { uuid, read_only: field("Flags:").is_some_and(|flags| flags.contains("readonly")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn show_is_read() {
        let text = "ds1\n\tName: \t\t\tds1\n\tUUID: \t\t\t6b0a9b8e-0000-4000-8000-000000000001\n\tParent UUID: \t\t-\n\tFlags: \t\t\treadonly\n";
        let found = parse_show(text).unwrap();
        assert_eq!(found.uuid, "6b0a9b8e-0000-4000-8000-000000000001");
        assert!(found.read_only);
        assert!(!parse_show(&text.replace("readonly", "-")).unwrap().read_only);
        assert_eq!(parse_show("UUID: -\n"), None);
    }

    #[test]
    fn reasons() {
        assert_eq!(reason_of("ERROR: cannot snapshot '/a': No space left on device"), Reason::NoSpace);
        assert_eq!(reason_of("ERROR: something new"), Reason::Unexpected);
    }
}
