//! Grades of consistency: how good the bytes in a snapshot are, as asked and as achieved (safety.md S10 to S13).

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Ordered from weakest to strongest; a request is never answered with a weaker one silently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// As after a power failure: all disks at one point in time, nothing flushed.
    Crash,
    /// A VMware snapshot was open during the cut: file systems quiesced where VMware Tools could.
    Vm,
    /// Applications were told (VSS, freeze scripts) and said that they were ready.
    App,
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Grade::Crash => "crash",
            Grade::Vm => "vm",
            Grade::App => "app",
        })
    }
}

impl FromStr for Grade {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "crash" => Ok(Grade::Crash),
            "vm" => Ok(Grade::Vm),
            "app" => Ok(Grade::App),
            other => Err(format!("'{other}' is no grade; use crash, vm or app")),
        }
    }
}
