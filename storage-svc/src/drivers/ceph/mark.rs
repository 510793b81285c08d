//! Marks. A snapshot of RBD has no comment, and the dashboard neither shows nor sets an image's metadata: what is ours and of
//! what it was made stands in the name, which is there from the object's first moment and is made by the same call.
//!
//! A snapshot: `strata_<key>_i<installation>_g<generation>_v<image id>_c<cut>_<label>`, where the cut is a digest of all
//! volumes of the snapshot. A clone: `strata_<key>_i<installation>_g<generation>_v<image id>_s<snapshot id>_<label>`. The image
//! is the source; a name that was copied to another image (mirroring, `rbd deep cp`) proves nothing there (S2).

use crate::{
    driver::{DriverError, Reason},
    naming::{self, NameRules},
};
use sha2::{Digest as _, Sha256};
use strata_model::{ids::VolumeId, mark::Mark};

/// RBD takes names of thousands of bytes; the kernel's client stops at about 240 for snapshots.
pub(super) const RULES: NameRules = NameRules { bytes_max: 200, separator: '_', punctuation: "-" };

/// The name of a snapshot.
pub(super) fn snapshot_name(mark: &Mark, image: &str, cut: &str, label: &str) -> Result<String, DriverError> {
    name(mark, image, &format!("c{cut}"), label)
}

/// The name of a clone.
pub(super) fn clone_name(mark: &Mark, image: &str, snapshot: u64, label: &str) -> Result<String, DriverError> {
    name(mark, image, &format!("s{snapshot}"), label)
}

fn name(mark: &Mark, image: &str, last: &str, label: &str) -> Result<String, DriverError> {
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !plain(&mark.installation) || !plain(image) || mark.installation.len() > 40 || image.len() > 32 {
        let text = format!("installation '{}' or image id '{image}' cannot stand in a name", mark.installation);
        return Err(DriverError::new(Reason::InvalidRequest, text));
    }
    let fields = format!("_i{}_g{}_v{image}_{last}", mark.installation, mark.generation);
    let rules = NameRules { bytes_max: RULES.bytes_max.saturating_sub(fields.len()), ..RULES };
    let head = naming::render(&rules, &mark.key, "");
    let whole = naming::render(&rules, &mark.key, label);
    Ok(format!("{head}{fields}{}", whole.strip_prefix(&head).unwrap_or_default()))
}

/// Which volumes a snapshot was cut of, in 12 digits.
pub(super) fn cut_of<'v>(volumes: impl IntoIterator<Item = &'v VolumeId>) -> String {
    let mut volumes: Vec<&str> = volumes.into_iter().map(VolumeId::as_str).collect();
    volumes.sort_unstable();
    Sha256::digest(volumes.join(",")).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// A name of ours, read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) mark: Mark,
    /// The image that it was made of.
    pub(super) image: String,
    last: String,
}

impl Name {
    /// `None` where it is not of this form.
    pub(super) fn read(name: &str) -> Option<Self> {
        let mut fields = name.strip_prefix("strata_")?.split('_');
        let key = fields.next().filter(|key| naming::check_key(key).is_ok())?.to_owned();
        let mut field = |letter: char| fields.next()?.strip_prefix(letter).filter(|rest| !rest.is_empty());
        let installation = field('i')?.to_owned();
        let generation = field('g')?.parse().ok()?;
        let image = field('v')?.to_owned();
        Some(Self { mark: Mark { installation, key, generation }, image, last: fields.next()?.to_owned() })
    }

    /// For snapshots: the cut.
    pub(super) fn cut(&self) -> Option<&str> {
        self.last.strip_prefix('c')
    }

    /// For clones: the source's snapshot.
    pub(super) fn snapshot(&self) -> Option<u64> {
        self.last.strip_prefix('s')?.parse().ok()
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
    fn round_trip_at_its_longest() {
        let mark = Mark { installation: "a".repeat(32), key: "k".repeat(40), generation: u64::MAX };
        let volumes = [VolumeId::from("2.10ab67f3cc21"), VolumeId::from("2.10ab67f3cc22")];
        let cut = cut_of(&volumes);
        assert_eq!(cut, cut_of(volumes.iter().rev()), "the order of volumes must not matter");
        assert_ne!(cut, cut_of([&volumes[0]]));
        let text = snapshot_name(&mark, "10ab67f3cc21", &cut, &"l".repeat(300)).unwrap();
        assert_eq!(text.len(), RULES.bytes_max);
        assert!(naming::is_for_key(&RULES, &text, &mark.key));
        let read = Name::read(&text).unwrap();
        assert_eq!((&read.mark, read.image.as_str(), read.cut()), (&mark, "10ab67f3cc21", Some(cut.as_str())));
        let text = clone_name(&mark, "10ab67f3cc21", u64::MAX, "../x@y/z").unwrap();
        assert!(text.ends_with("_x-y-z") && text.len() <= RULES.bytes_max, "{text}");
        let read = Name::read(&text).unwrap();
        assert_eq!((read.snapshot(), read.cut()), (Some(u64::MAX), None));
    }

    #[test]
    fn strangers_are_not_read() {
        for text in [
            "",
            "hourly.0",
            "strata_s-1",
            "strata_s-1_web-01",
            "strata_s-1_i0_g1_v",
            "strata_s-1_i0_g1_v10ab",
            "strata_s-1_i0_gx_v10ab_c1",
            "strata_S_i0_g1_v10ab_c1",
            "strata__i0_g1_v10ab_c1",
        ] {
            assert_eq!(Name::read(text), None, "{text}");
        }
        let mark = Mark { installation: "a_b".into(), key: "k".into(), generation: 1 };
        assert!(snapshot_name(&mark, "10ab", "0", "").is_err());
    }
}
