//! What stands in the comments of our objects: the mark, and the volumes that it was made for, so that a comment that was copied
//! to another volume (a replica, a clone that carries snapshots) proves nothing there (S2).
//!
//! `strata1;i=…;k=…;g=… v=7f1a2b3c,0b9d9a57`: the first eight digits of each volume's uuid, sorted. After that ` p=1` for the
//! parts of one point in time, and ` s=…` for what a LUN was cloned from.

use crate::driver::{DriverError, Reason};
use sha2::{Digest as _, Sha256};
use strata_model::mark::Mark;

/// Bytes of a snapshot's comment.
pub(super) const BYTES_MAX: u32 = 255;
const DIGITS: usize = 8;
/// The longest mark, ` v=` and ` p=1`.
const FIXED_BYTES: usize = 120 + 3 + 4;

/// The beginning of a volume's uuid that stands in comments.
pub(super) fn short(uuid: &str) -> String {
    uuid.chars().take(DIGITS).collect()
}

/// Eight digits that stand for a text.
pub(super) fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
}

/// How many volumes a comment can name.
pub(super) fn volumes_max() -> usize {
    (BYTES_MAX as usize - FIXED_BYTES + 1) / (DIGITS + 1)
}

/// A comment of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comment {
    pub(super) mark: Mark,
    volumes: Vec<String>,
    /// A part of one point in time.
    pub(super) one_point: bool,
    /// Digest of what it was made from.
    pub(super) source: Option<String>,
}

impl Comment {
    /// For these volumes, by uuid.
    pub(super) fn new<'a>(mark: &Mark, volumes: impl IntoIterator<Item = &'a str>) -> Self {
        Self { mark: mark.clone(), volumes: sorted(volumes), one_point: false, source: None }
    }

    /// As a part of one point in time.
    #[must_use]
    pub(super) fn at_one_point(mut self) -> Self {
        self.one_point = true;
        self
    }

    /// Made from this.
    #[must_use]
    pub(super) fn with_source(mut self, digest: String) -> Self {
        self.source = Some(digest);
        self
    }

    /// As the array keeps it.
    pub(super) fn write(&self) -> Result<String, DriverError> {
        let mut text = format!("{} v={}", self.mark, self.volumes.join(","));
        if self.one_point {
            text.push_str(" p=1");
        }
        if let Some(source) = &self.source {
            text.push_str(&format!(" s={source}"));
        }
        if text.len() > BYTES_MAX as usize {
            let why = format!("comments hold {BYTES_MAX} bytes, and that of '{}' needs {}", self.mark.key, text.len());
            return Err(DriverError::new(Reason::NotSupported, format!("{why}; snapshot fewer volumes at once")));
        }
        Ok(text)
    }

    /// `None` where it is not of this form.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.trim().split(' ');
        let mark = parts.next()?.parse().ok()?;
        let volumes = parts.next()?.strip_prefix("v=")?.split(',').map(str::to_owned).collect();
        let mut comment = Self { mark, volumes, one_point: false, source: None };
        for part in parts {
            match part.split_once('=')? {
                ("p", "1") => comment.one_point = true,
                ("s", source) => comment.source = Some(source.to_owned()),
                _ => return None,
            }
        }
        Some(comment)
    }

    /// True where it was written for this volume.
    pub(super) fn is_for(&self, volume: &str) -> bool {
        self.volumes.contains(&short(volume))
    }

    /// True where it was written for exactly these volumes.
    pub(super) fn is_for_all<'a>(&self, volumes: impl IntoIterator<Item = &'a str>) -> bool {
        self.volumes == sorted(volumes)
    }

    /// Same installation and key.
    pub(super) fn belongs_to(&self, mark: &Mark) -> bool {
        self.mark.installation == mark.installation && self.mark.key == mark.key
    }
}

fn sorted<'a>(volumes: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut short: Vec<String> = volumes.into_iter().map(self::short).collect();
    short.sort();
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_strangers() {
        let mark = Mark { installation: "a".repeat(32), key: "k".repeat(40), generation: u64::MAX };
        let volumes = ["7f1a2b3c-11aa-4bbb-8ccc-000000000001", "0b9d9a57-6a4e-4d59-9f38-3d2f3f0b1a01"];
        let plain = Comment::new(&mark, volumes);
        for comment in [plain.clone(), plain.clone().at_one_point(), plain.clone().with_source(digest("x"))] {
            assert_eq!(Comment::read(&comment.write().unwrap()), Some(comment));
        }
        assert!(plain.is_for(volumes[0]) && !plain.is_for("ffffffff-0000-4000-8000-000000000000"));
        assert!(plain.is_for_all([volumes[1], volumes[0]]) && !plain.is_for_all([volumes[0]]));
        for text in
            ["", "hourly", "strata1;i=a;k=b;g=1", "strata2;i=a;k=b;g=1 v=7f1a2b3c", "strata1;i=a;k=b;g=1 v=7 x=1"]
        {
            assert_eq!(Comment::read(text), None, "{text}");
        }
    }

    #[test]
    fn as_many_volumes_as_said_fit() {
        let mark = Mark { installation: "a".repeat(32), key: "k".repeat(40), generation: u64::MAX };
        let many: Vec<String> = (0..volumes_max() + 3).map(|n| format!("{n:08x}-0")).collect();
        let fits = Comment::new(&mark, many.iter().take(volumes_max()).map(String::as_str)).at_one_point();
        assert!(fits.write().is_ok());
        assert!(Comment::new(&mark, many.iter().map(String::as_str)).at_one_point().write().is_err());
    }
}
