//! Which release of ONTAP, and what came with which.

use serde::{Deserialize, Deserializer, de::Error as _};
use std::{fmt, str::FromStr};

/// `generation.major.minor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    /// 9.
    pub generation: u32,
    /// 14 of 9.14.1.
    pub major: u32,
    /// 1 of 9.14.1.
    pub minor: u32,
}

impl Release {
    /// The oldest that has what clones and reverts need (clones of files, the files' API).
    pub const OLDEST: Release = Release::of(8, 0);
    /// Consistency groups.
    pub(super) const CONSISTENCY_GROUPS: Release = Release::of(10, 1);
    /// Clones of files in FlexGroups.
    pub(super) const FLEXGROUP_FILES: Release = Release::of(14, 1);
    /// `serial_number_hex` of LUNs.
    pub(super) const SERIAL_HEX: Release = Release::of(17, 1);

    const fn of(major: u32, minor: u32) -> Self {
        Self { generation: 9, major, minor }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.minor {
            0 => write!(f, "{}.{}", self.generation, self.major),
            minor => write!(f, "{}.{}.{minor}", self.generation, self.major),
        }
    }
}

impl FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no release; write it like 9.14.1");
        let mut numbers = text.split('.').map(|part| part.parse::<u32>().map_err(|_| wrong()));
        let mut next = || numbers.next().transpose();
        let (generation, major, minor) = (next()?, next()?, next()?);
        match (generation, major, next()?) {
            (Some(generation), Some(major), None) => Ok(Self { generation, major, minor: minor.unwrap_or_default() }),
            _ => Err(wrong()),
        }
    }
}

impl<'de> Deserialize<'de> for Release {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_and_ordered_as_numbers() {
        for text in ["9.8", "9.10.1", "9.14.1"] {
            assert_eq!(text.parse::<Release>().unwrap().to_string(), text);
        }
        assert!("9.8".parse::<Release>().unwrap() < Release::CONSISTENCY_GROUPS);
        assert!("9.9.1".parse::<Release>().unwrap() < "9.10.1".parse().unwrap());
        for text in ["", "9", "9.x", "9.1.2.3", "nine"] {
            assert!(text.parse::<Release>().is_err(), "{text}");
        }
    }
}
