//! What stands in the comments of our objects: the mark, and the volumes that it was made for, so that a comment that was
//! copied to another volume (a replica, a clone that carries snapshots) proves nothing there (S2).
//!
//! `strata1;i=…;k=…;g=… v=7f1a2b3c,0b9d9a57`: the first eight digits of each volume's id, sorted.

use crate::driver::{DriverError, Reason};
use strata_model::mark::Mark;

const DIGITS: usize = 8;
/// The longest mark, and ` v=`.
const MARK_BYTES_MAX: usize = 120 + 3;

/// The beginning of a volume's id that stands in comments.
pub(super) fn short(volume: &str) -> String {
    volume.chars().take(DIGITS).collect()
}

/// How many volumes a comment of this size can name.
pub(super) fn volumes_max(comment_bytes_max: u32) -> u32 {
    let room = (comment_bytes_max as usize).saturating_sub(MARK_BYTES_MAX);
    u32::try_from((room + 1) / (DIGITS + 1)).unwrap_or(u32::MAX)
}

/// Writes a comment.
pub(super) fn write<'a>(
    mark: &Mark,
    volumes: impl IntoIterator<Item = &'a str>,
    bytes_max: u32,
) -> Result<String, DriverError> {
    let mut short: Vec<String> = volumes.into_iter().map(self::short).collect();
    short.sort();
    let text = format!("{mark} v={}", short.join(","));
    if text.len() > bytes_max as usize {
        return Err(DriverError::new(
            Reason::NotSupported,
            format!("the array's comments hold {bytes_max} bytes, and the mark of '{}' needs {}", mark.key, text.len()),
        ));
    }
    Ok(text)
}

/// A comment of ours, read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comment {
    pub(super) mark: Mark,
    volumes: Vec<String>,
}

impl Comment {
    /// `None` where it is not of this form.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (mark, volumes) = text.split_once(" v=")?;
        Some(Self { mark: mark.parse().ok()?, volumes: volumes.split(',').map(str::to_owned).collect() })
    }

    /// True where it was written for this volume.
    pub(super) fn is_for(&self, volume: &str) -> bool {
        self.volumes.contains(&short(volume))
    }

    /// True where it was written for exactly these volumes.
    pub(super) fn is_for_all<'a>(&self, volumes: impl IntoIterator<Item = &'a str>) -> bool {
        let mut short: Vec<String> = volumes.into_iter().map(self::short).collect();
        short.sort();
        self.volumes == short
    }

    /// Same installation and key.
    pub(super) fn belongs_to(&self, mark: &Mark) -> bool {
        self.mark.installation == mark.installation && self.mark.key == mark.key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_strangers() {
        let mark = Mark { installation: "a".repeat(32), key: "k".repeat(40), generation: u64::MAX };
        let volumes = ["7f1a2b3c-11aa-4bbb-8ccc-000000000001", "0b9d9a57-6a4e-4d59-9f38-3d2f3f0b1a01"];
        let text = write(&mark, volumes, 255).unwrap();
        let read = Comment::read(&text).unwrap();
        assert_eq!(read.mark, mark);
        assert!(read.is_for(volumes[0]) && !read.is_for("ffffffff-0000-4000-8000-000000000000"));
        assert!(read.is_for_all(volumes) && !read.is_for_all([volumes[0]]));
        assert!(write(&mark, volumes, 127).is_err());
        for text in ["", "hourly", "strata1;i=a;k=b;g=1", "strata2;i=a;k=b;g=1 v=7f1a2b3c"] {
            assert_eq!(Comment::read(text), None, "{text}");
        }
        let many: Vec<String> = (0..volumes_max(255)).map(|n| format!("{n:08x}-0")).collect();
        assert!(write(&mark, many.iter().map(String::as_str), 255).unwrap().len() <= 255);
    }
}
