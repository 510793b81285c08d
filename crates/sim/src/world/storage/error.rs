//! Why an array refused.

use crate::world::tree::TreeError;

/// An array's refusal; each skin tells it in its vendor's own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// The object is not there.
    #[error("there is no {kind} '{id}'")]
    NotFound {
        /// What was looked for: `array`, `volume`, `snapshot`, `LUN`, `job`.
        kind: &'static str,
        /// The id or name asked for.
        id: String,
    },
    /// The name or path is taken.
    #[error("the {kind} '{name}' exists")]
    Exists {
        /// What it would have been.
        kind: &'static str,
        /// The taken name.
        name: String,
    },
    /// Others depend on the object.
    #[error("{kind} '{id}' has dependents: {}", dependents.join(", "))]
    Dependents {
        /// What was to go.
        kind: &'static str,
        /// Its id.
        id: String,
        /// Ids of the volumes that stand in the way.
        dependents: Vec<String>,
    },
    /// The volume is exported and cannot go.
    #[error("volume '{0}' is exported; remove its exports first")]
    Exported(String),
    /// Hosts are shown the LUN, or LUNs of the volume, or LUNs through the group.
    #[error("{kind} '{id}' is mapped; remove its maps first")]
    Mapped {
        /// What was to go.
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// A name, comment or path that the array does not take.
    #[error("{field} '{value}': {why}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What was given.
        value: String,
        /// The rule it breaks.
        why: String,
    },
    /// The array cannot do this.
    #[error("this array does not support {0}")]
    Unsupported(&'static str),
    /// A limit of the array is reached.
    #[error("the limit of {0} is reached")]
    Limit(String),
    /// The volume is a replica or otherwise read-only.
    #[error("volume '{0}' is read-only")]
    ReadOnly(String),
    /// A file operation failed.
    #[error("file operation refused: {0}")]
    File(TreeError),
    /// The login lacks a right.
    #[error("the login lacks the privilege '{0}'")]
    Forbidden(&'static str),
}

impl From<TreeError> for StorageError {
    fn from(error: TreeError) -> Self {
        StorageError::File(error)
    }
}

impl StorageError {
    /// An object of this kind is absent.
    pub(super) fn absent(kind: &'static str, id: impl ToString) -> Self {
        StorageError::NotFound { kind, id: id.to_string() }
    }
}
