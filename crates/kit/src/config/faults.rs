//! What is wrong with a configuration, all of it at once.

use std::fmt;
use strata_model::ErrorKind;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Path of the field, `vcenter[0].url`; empty for the whole.
    pub path: String,
    /// What is wrong with it. Never shows a secret.
    pub reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return f.write_str(&self.reason);
        }
        write!(f, "{}: {}", self.path, self.reason)
    }
}

/// A configuration that cannot be used.
#[derive(Debug)]
pub struct ConfigError {
    /// The file, or what stands for it.
    pub source_name: String,
    /// All that is wrong, in the order of the file's sections.
    pub faults: Vec<Fault>,
}

impl ConfigError {
    /// Always for the operator.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidArgument
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.faults.as_slice() {
            [fault] => write!(f, "{}: {fault}", self.source_name),
            faults => {
                write!(f, "{} has {} faults:", self.source_name, faults.len())?;
                faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
            }
        }
    }
}

impl std::error::Error for ConfigError {}
