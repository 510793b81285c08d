//! Refusals: ONTAP's error codes with their texts. The code is what clients go by; which HTTP status belongs to an
//! application code is not published (README.md), so it follows from the code's meaning.

use crate::world::{storage::StorageError, tree::TreeError};
use serde_json::{Value, json};

/// An error on its way out, at once or as a job's outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) target: Option<String>,
}

/// Codes whose meaning is that something is not there.
const ABSENT: [&str; 29] = [
    "4", "524601", "542797", "1638600", "917505", "2621462", "2621706", "2621707", "917506", "917927", "918235",
    "5374875", "5374876", "5374922", "5374852", "5374878", "72090006", "72090007", "72089731", "72090001", "72090021",
    "1703954", "6684674", "1254201", "918271", "917864", "53411842", "53411852", "5376463",
];
/// Codes whose meaning is that something is taken, in use or locked.
const TAKEN: [&str; 33] = [
    "1", "8", "525059", "917526", "13107405", "1260136", "5374242", "1254196", "5374023", "5374035", "1254207",
    "72089790", "72090025", "1704070", "1704071", "53411921", "53411865", "1638555", "1638543", "524615", "524481",
    "53412007", "53412008", "9437886", "1638480", "1254197", "1703945", "524486", "13107406", "1638532", "1254213",
    "1254324", "1254193",
];

impl Refusal {
    pub(super) fn new(status: u16, code: &str, message: &str) -> Self {
        Refusal { status, code: code.to_owned(), message: message.to_owned(), target: None }
    }

    /// An application code; the status follows from what it means.
    pub(super) fn code(code: &str, message: &str) -> Self {
        let status = match code {
            code if ABSENT.contains(&code) => 404,
            code if TAKEN.contains(&code) => 409,
            _ => 400,
        };
        Self::new(status, code, message)
    }

    #[must_use]
    pub(super) fn target(mut self, field: &str) -> Self {
        self.target = Some(field.to_owned());
        self
    }

    pub(super) fn absent() -> Self {
        Self::new(404, "4", "entry doesn't exist")
    }

    pub(super) fn no_such_api() -> Self {
        Self::new(404, "3", "API not found")
    }

    /// A value that cannot be what it should.
    pub(super) fn invalid(field: &str, value: &str) -> Self {
        Self::new(400, "2", &format!("An invalid value was entered for one of the fields: {}", short(value)))
            .target(field)
    }

    pub(super) fn bad_value(field: &str, value: &str) -> Self {
        let message = format!("The value \"{}\" is invalid for field \"{field}\".", short(value));
        Self::new(400, "262197", &message).target(field)
    }

    pub(super) fn missing(field: &str) -> Self {
        Self::new(400, "262177", &format!("Missing value: \"{field}\".")).target(field)
    }

    pub(super) fn unexpected(field: &str) -> Self {
        Self::new(400, "262179", &format!("Unexpected argument \"{}\".", short(field))).target(field)
    }

    pub(super) fn not_settable(field: &str) -> Self {
        Self::new(400, "262196", &format!("Field \"{field}\" cannot be set in this operation.")).target(field)
    }

    /// `{"message","code",...}` as it stands in bodies and jobs.
    pub(super) fn shown(&self) -> Value {
        let mut shown = json!({"message": self.message, "code": self.code});
        if let Some(target) = &self.target {
            shown["target"] = json!(target);
        }
        shown
    }

    /// As a job carries it.
    pub(super) fn packed(&self) -> Value {
        json!({"status": self.status, "error": self.shown()})
    }

    pub(super) fn unpacked(value: &Value) -> Self {
        let text = |field: &str| value["error"][field].as_str().map(str::to_owned);
        Refusal {
            status: value["status"].as_u64().and_then(|s| u16::try_from(s).ok()).unwrap_or(500),
            code: text("code").unwrap_or_default(),
            message: text("message").unwrap_or_default(),
            target: text("target"),
        }
    }

    /// Another code for one case of the world's refusals.
    #[must_use]
    pub(super) fn instead(self, of: &str, code: &str) -> Self {
        if self.code == of { Refusal { target: self.target, ..Refusal::code(code, &self.message) } } else { self }
    }
}

fn short(text: &str) -> String {
    text.chars().take(100).collect()
}

/// The general meaning; calls whose codes differ say so with [`Refusal::instead`].
impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        let message = error.to_string();
        let code = match &error {
            StorageError::NotFound { kind: "volume", .. } => "917927",
            StorageError::NotFound { kind: "snapshot", .. } => "1638600",
            StorageError::NotFound { kind: "LUN", .. } => "5374875",
            StorageError::NotFound { kind: "map", .. } => "5374922",
            StorageError::NotFound { kind: "initiator group", .. } => "5374878",
            StorageError::NotFound { .. } => "4",
            StorageError::Exists { kind: "snapshot", .. } => "525059",
            StorageError::Exists { kind: "volume", .. } => "917526",
            StorageError::Exists { kind: "export path", .. } => "918252",
            StorageError::Exists { kind: "LUN", .. } => "5374242",
            StorageError::Exists { kind: "map", .. } => "1254207",
            StorageError::Exists { kind: "LUN number", .. } => "1254324",
            StorageError::Exists { kind: "initiator group", .. } => "5374023",
            StorageError::Exists { .. } => "1",
            StorageError::Dependents { kind: "snapshot", .. } => "1638555",
            StorageError::Dependents { .. } => "524615",
            StorageError::Mapped { kind: "initiator group", .. } => "1254213",
            StorageError::Mapped { .. } => "1254197",
            StorageError::Exported(_) => "524486",
            StorageError::Invalid { field, value, .. } => {
                return Refusal { message, ..Refusal::bad_value(field, value) };
            }
            StorageError::Unsupported(_) => "1115127",
            StorageError::Limit(what) if what.contains("snapshots") => "525062",
            StorageError::Limit(_) => "7",
            StorageError::ReadOnly(_) => "1638461",
            StorageError::Forbidden(_) => return Refusal::new(403, "6", &message),
            StorageError::File(TreeError::NotFound(_)) => "6684674",
            StorageError::File(TreeError::Exists(_)) => "1",
            StorageError::File(TreeError::Full) => "524479",
            StorageError::File(TreeError::ReadOnly) => "1638461",
            StorageError::File(TreeError::WrongKind(..) | TreeError::Refused(..)) => "2",
        };
        Refusal::code(code, &message)
    }
}

impl From<TreeError> for Refusal {
    fn from(error: TreeError) -> Self {
        StorageError::from(error).into()
    }
}
