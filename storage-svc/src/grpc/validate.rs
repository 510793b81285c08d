//! Requests are checked as a whole: every wrong field is named in one answer.

use crate::arrays::{Arrays, ConfiguredArray};
use strata_kit::status::{StatusBuilder, to_status};
use strata_model::{
    ErrorKind,
    ids::{ArrayName, VolumeId},
    mark::Mark,
    names,
};
use strata_proto::strata::common::v1 as common;
use tonic::Status;

/// Collects what is wrong.
#[derive(Debug, Default)]
pub(super) struct Fields {
    violations: Vec<(String, String)>,
}

impl Fields {
    pub(super) fn wrong(&mut self, field: impl Into<String>, text: impl Into<String>) {
        self.violations.push((field.into(), text.into()));
    }

    /// `arrays/{array}`; an empty name where wrong.
    pub(super) fn array(&mut self, field: &str, value: &str) -> ArrayName {
        match names::split(value, &["arrays"]) {
            Ok(mut parts) => ArrayName(parts.swap_remove(0)),
            Err(text) => {
                self.wrong(field, text);
                ArrayName(String::new())
            }
        }
    }

    /// `arrays/{array}/volumes/{volume}`.
    pub(super) fn volume(&mut self, field: &str, value: &str) -> (ArrayName, VolumeId) {
        match names::split(value, &["arrays", "volumes"]) {
            Ok(parts) => (ArrayName(parts[0].clone()), VolumeId(parts[1].clone())),
            Err(text) => {
                self.wrong(field, text);
                (ArrayName(String::new()), VolumeId(String::new()))
            }
        }
    }

    /// A volume that must be on this array.
    pub(super) fn volume_on(&mut self, array: &ArrayName, field: &str, value: &str) -> VolumeId {
        let (on, volume) = self.volume(field, value);
        if !on.0.is_empty() && !array.0.is_empty() && on != *array {
            self.wrong(field, format!("'{value}' is not on array '{array}'; one call is about one array"));
        }
        volume
    }

    /// Key and mark together.
    pub(super) fn mark(&mut self, key: &str, mark: Option<common::Mark>) -> Mark {
        if let Err(error) = crate::naming::check_key(key) {
            self.wrong("key", error.message);
        }
        let mark = mark.unwrap_or_default();
        let hex = mark.installation.len() == 32 && mark.installation.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !hex {
            self.wrong("mark.installation", format!("'{}' is not 32 hex digits", mark.installation.escape_debug()));
        }
        Mark { installation: mark.installation, key: key.to_owned(), generation: mark.generation }
    }

    /// All is well, or INVALID_ARGUMENT with every violation.
    pub(super) fn finish(self) -> Result<(), Status> {
        let Some((field, text)) = self.violations.first() else {
            return Ok(());
        };
        let more = self.violations.len() - 1;
        let others = if more > 0 { format!(" (and {more} more)") } else { String::new() };
        let mut builder =
            StatusBuilder::new(ErrorKind::InvalidArgument, "INVALID_REQUEST", format!("{field}: {text}{others}"));
        for (field, text) in &self.violations {
            builder = builder.violation(field, text);
        }
        Err(builder.build())
    }
}

/// The array, or NOT_FOUND.
pub(super) fn find<'a>(arrays: &'a Arrays, name: &ArrayName) -> Result<&'a ConfiguredArray, Status> {
    arrays.get(name).ok_or_else(|| {
        let known: Vec<&str> = arrays.iter().map(|array| array.name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let text = format!("no array '{name}' is configured; configured are: {known}");
        to_status(ErrorKind::NotFound, "ARRAY_NOT_CONFIGURED", text)
    })
}

/// Empty means absent.
pub(super) fn optional(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
