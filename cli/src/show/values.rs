//! Single values.

use jiff::{Timestamp, tz::TimeZone};
use strata_proto::strata::{
    common::v1::Grade,
    gateway::v1::{OperationState, ProtectionState, SnapshotState, StepState},
};

/// `2026-05-01 10:04` in this zone; empty where not set.
pub fn time(time: Option<&prost_types::Timestamp>, zone: &TimeZone) -> String {
    let Some(time) = time else { return String::new() };
    match Timestamp::new(time.seconds, time.nanos) {
        Ok(time) => zone.to_datetime(time).strftime("%Y-%m-%d %H:%M").to_string(),
        Err(_) => String::new(),
    }
}

/// `4.1s`, `2m05s`, `1h02m`: the time between the two; `None` where one is not set or they stand the wrong way round.
pub fn seconds(start: Option<&prost_types::Timestamp>, end: Option<&prost_types::Timestamp>) -> Option<String> {
    let (start, end) = (start?, end?);
    let nanos = (i128::from(end.seconds) - i128::from(start.seconds)) * 1_000_000_000 + i128::from(end.nanos)
        - i128::from(start.nanos);
    (nanos >= 0).then(|| span(nanos))
}

/// The same of a duration.
pub fn duration(period: &prost_types::Duration) -> String {
    span(i128::from(period.seconds) * 1_000_000_000 + i128::from(period.nanos))
}

fn span(nanos: i128) -> String {
    // Tenths first, so that 59.96 s is 1m00s and not 60.0s.
    let tenths = (nanos + 50_000_000) / 100_000_000;
    let whole = tenths / 10;
    match whole {
        0..60 => format!("{whole}.{}s", tenths % 10),
        60..3_600 => format!("{}m{:02}s", whole / 60, whole % 60),
        _ => format!("{}h{:02}m", whole / 3_600, whole % 3_600 / 60),
    }
}

/// `40.0 GiB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `arrays/{array}/volumes/{volume}` as `array:volume`; another text as it is. An array that knows its volumes by uuid only
/// shows the first part of it: the full name is in JSON.
pub fn volume(name: &str) -> String {
    match strata_model::names::split(name, &["arrays", "volumes"]).as_deref() {
        Ok([array, volume]) if uuid::Uuid::try_parse(volume).is_ok() => {
            format!("{array}:{}", volume.split('-').next().unwrap_or(volume))
        }
        Ok([array, volume]) => format!("{array}:{volume}"),
        _ => name.to_owned(),
    }
}

/// The same by the volume's name for people, where the gateway tells it.
pub fn volume_named(name: &str, display_name: &str) -> String {
    match strata_model::names::split(name, &["arrays", "volumes"]).as_deref() {
        Ok([array, _]) if !display_name.is_empty() => format!("{array}:{display_name}"),
        _ => volume(name),
    }
}

/// The volumes of a VM, comma-separated.
pub fn volumes(vm: &strata_proto::strata::gateway::v1::Vm) -> String {
    let named =
        |(at, name): (usize, &String)| volume_named(name, vm.volume_display_names.get(at).map_or("", String::as_str));
    vm.volumes.iter().enumerate().map(named).collect::<Vec<_>>().join(", ")
}

/// `1 disk`, `2 disks`.
pub fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// `crash`, `vm`, `app`; empty where not known.
pub fn grade(value: i32) -> &'static str {
    match Grade::try_from(value) {
        Ok(Grade::Crash) => "crash",
        Ok(Grade::Vm) => "vm",
        Ok(Grade::App) => "app",
        Ok(Grade::Unspecified) | Err(_) => "",
    }
}

/// `on`, or `template`.
pub fn power(power_state: &str, template: bool) -> String {
    if template { "template".to_owned() } else { power_state.to_owned() }
}

/// `protected`.
pub fn protection(value: i32) -> &'static str {
    match ProtectionState::try_from(value) {
        Ok(ProtectionState::Unprotected) => "unprotected",
        Ok(ProtectionState::Protected) => "protected",
        Ok(ProtectionState::Unsupported) => "unsupported",
        Ok(ProtectionState::Unspecified) | Err(_) => "unknown",
    }
}

/// `ready`.
pub fn snapshot_state(value: i32) -> &'static str {
    match SnapshotState::try_from(value) {
        Ok(SnapshotState::Ready) => "ready",
        Ok(SnapshotState::Deleting) => "deleting",
        Ok(SnapshotState::Lost) => "lost",
        Ok(SnapshotState::Unspecified) | Err(_) => "unknown",
    }
}

/// `running`.
pub fn operation_state(value: i32) -> &'static str {
    match OperationState::try_from(value) {
        Ok(OperationState::Accepted) => "accepted",
        Ok(OperationState::Running) => "running",
        Ok(OperationState::Undoing) => "undoing",
        Ok(OperationState::Succeeded) => "succeeded",
        Ok(OperationState::Failed) => "failed",
        Ok(OperationState::Cancelled) => "cancelled",
        Ok(OperationState::Stuck) => "stuck",
        Ok(OperationState::Unspecified) | Err(_) => "unknown",
    }
}

/// `done`.
pub fn step_state(value: i32) -> &'static str {
    match StepState::try_from(value) {
        Ok(StepState::Waiting) => "waiting",
        Ok(StepState::Running) => "running",
        Ok(StepState::Succeeded) => "done",
        Ok(StepState::Failed) => "failed",
        Ok(StepState::Undoing) => "undoing",
        Ok(StepState::Undone) => "undone",
        Ok(StepState::Stuck) => "stuck",
        Ok(StepState::Unspecified) | Err(_) => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (count, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (42_949_672_960, "40.0 GiB"),
            (1_048_575, "1.0 MiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(bytes(count), text);
        }
    }

    #[test]
    fn volumes() {
        for (name, text) in [
            ("arrays/a/volumes/nfs-01", "a:nfs-01"),
            ("arrays/a/volumes/x%2Fy", "a:x/y"),
            ("arrays/a/volumes/dac94832-5ac1-4f6d-9325-64371735f32c", "a:dac94832"),
            ("", ""),
            ("arrays/a", "arrays/a"),
        ] {
            assert_eq!(volume(name), text);
        }
    }

    #[test]
    fn spans() {
        for (millis, text) in [
            (0, "0.0s"),
            (4_123, "4.1s"),
            (59_960, "1m00s"),
            (125_000, "2m05s"),
            (3_599_960, "1h00m"),
            (7_380_000, "2h03m"),
        ] {
            assert_eq!(span(millis * 1_000_000), text, "{millis} ms");
        }
    }

    #[test]
    fn a_clock_that_went_back_gives_no_time() {
        let at = |seconds| prost_types::Timestamp { seconds, nanos: 0 };
        assert_eq!(seconds(Some(&at(5)), Some(&at(4))), None);
        assert_eq!(seconds(Some(&at(4)), Some(&at(5))).as_deref(), Some("1.0s"));
        assert_eq!(time(Some(&at(i64::MAX)), &TimeZone::UTC), "");
    }
}
