//! The `grpc-timeout` header: at most 8 digits and a unit (PROTOCOL-HTTP2.md, Timeout).

use std::time::Duration;

/// Its name.
pub const GRPC_TIMEOUT: &str = "grpc-timeout";

const DIGITS_MAX: usize = 8;

/// The time that a header value gives; `None` where it is malformed.
pub fn parse_timeout(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > DIGITS_MAX || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let amount: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    match unit {
        b'H' => Some(Duration::from_secs(amount * 3600)),
        b'M' => Some(Duration::from_secs(amount * 60)),
        b'S' => Some(Duration::from_secs(amount)),
        b'm' => Some(Duration::from_millis(amount)),
        b'u' => Some(Duration::from_micros(amount)),
        b'n' => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

/// The finest header value that 8 digits hold; never longer than `period`, so that the callee gives up first.
pub fn format_timeout(period: Duration) -> String {
    const LIMIT: u128 = 100_000_000;
    let units = [
        (period.as_nanos(), 'n'),
        (period.as_micros(), 'u'),
        (period.as_millis(), 'm'),
        (u128::from(period.as_secs()), 'S'),
        (u128::from(period.as_secs() / 60), 'M'),
    ];
    match units.into_iter().find(|(amount, _)| *amount < LIMIT) {
        Some((amount, unit)) => format!("{amount}{unit}"),
        None => format!("{}H", (period.as_secs() / 3600).min(99_999_999)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn malformed_values_are_told_from_good_ones() {
        for (value, expected) in [
            ("1S", Some(Duration::from_secs(1))),
            ("500m", Some(Duration::from_millis(500))),
            ("99999999H", Some(Duration::from_secs(99_999_999 * 3600))),
            ("0n", Some(Duration::ZERO)),
            ("7u", Some(Duration::from_micros(7))),
            ("2M", Some(Duration::from_secs(120))),
            ("", None),
            ("S", None),
            ("1", None),
            ("1s", None),
            ("-1S", None),
            ("+1S", None),
            ("1.5S", None),
            (" 1S", None),
            ("123456789S", None),
            ("1234567890123m", None),
        ] {
            assert_eq!(parse_timeout(value.as_bytes()), expected, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn a_formatted_value_reads_back_as_at_most_one_part_in_a_million_less(nanos in 0_u64..u64::MAX) {
            let period = Duration::from_nanos(nanos);
            let back = parse_timeout(format_timeout(period).as_bytes());
            prop_assert!(back.is_some());
            let back = back.unwrap_or_default();
            prop_assert!(back <= period);
            prop_assert!(period - back <= period / 1_000_000);
        }
    }
}
