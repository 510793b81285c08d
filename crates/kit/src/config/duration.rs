//! Durations as people write them: `"30s"`, `"500ms"`, `"1h30m"`, `"7d"`. For `#[serde(with = "strata_kit::config::duration")]`.

use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
use std::time::Duration;

/// Units from the largest, in milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads numbers with units, largest first, each unit at most once.
///
/// # Errors
/// A sentence with an example.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!("'{text}' is no duration; write numbers with units, such as \"30s\", \"500ms\", \"1h30m\" or \"7d\"")
    };
    let (mut rest, mut total_ms, mut units) = (text, 0_u64, UNITS.as_slice());
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(wrong)?;
        let amount: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let letters = rest.find(|letter: char| letter.is_ascii_digit()).unwrap_or(rest.len());
        let index = units.iter().position(|(unit, _)| *unit == &rest[..letters]).ok_or_else(wrong)?;
        total_ms = amount.checked_mul(units[index].1).and_then(|ms| total_ms.checked_add(ms)).ok_or_else(wrong)?;
        units = &units[index + 1..];
        rest = &rest[letters..];
    }
    Ok(Duration::from_millis(total_ms))
}

/// The shortest text that [`parse`] reads back, to the millisecond.
pub fn format(period: Duration) -> String {
    let mut rest_ms = u64::try_from(period.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, size_ms) in UNITS {
        if rest_ms >= size_ms {
            text.push_str(&format!("{}{unit}", rest_ms / size_ms));
            rest_ms %= size_ms;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// For serde.
///
/// # Errors
/// As [`parse`].
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map_err(D::Error::custom)
}

/// For serde.
///
/// # Errors
/// The serializer's.
pub fn serialize<S: Serializer>(period: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*period))
}

/// The same for `Option<Duration>` (with `#[serde(default)]`).
pub mod optional {
    use super::{Deserializer, Duration, Serializer, parse};
    use serde::{Deserialize as _, de::Error as _};

    /// For serde.
    ///
    /// # Errors
    /// As [`parse`].
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).map(Some).map_err(D::Error::custom)
    }

    /// For serde.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(period: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match period {
            Some(period) => super::serialize(period, serializer),
            None => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_people_write_is_read_and_the_rest_refused() {
        for (text, ms) in [
            ("30s", Some(30_000)),
            ("500ms", Some(500)),
            ("1h30m", Some(5_400_000)),
            ("7d", Some(604_800_000)),
            ("0s", Some(0)),
            ("1d1ms", Some(86_400_001)),
            ("", None),
            ("30", None),
            ("s", None),
            ("-1s", None),
            ("1.5s", None),
            ("1s1s", None),
            ("1m1h", None),
            ("1 s", None),
            ("1w", None),
            ("99999999999999999999s", None),
            ("213503982335d", None),
        ] {
            assert_eq!(parse(text).ok(), ms.map(Duration::from_millis), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(ms in any::<u64>()) {
            prop_assert_eq!(parse(&format(Duration::from_millis(ms))), Ok(Duration::from_millis(ms)));
        }
    }
}
