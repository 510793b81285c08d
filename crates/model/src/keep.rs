//! How long a restore point is kept: `30m`, `12h`, `7d`, `4w`.

use std::time::Duration;

/// Reads a period. Units: m(inutes), h(ours), d(ays), w(eeks). One hour is the least, ten years the most.
pub fn parse_keep(text: &str) -> Result<Duration, String> {
    let wrong = || format!("'{text}' is no period; write a number and a unit, as 12h, 7d or 4w");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds_per_unit: u64 = match unit {
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return Err(wrong()),
    };
    let count: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    let seconds = count.checked_mul(seconds_per_unit).ok_or_else(wrong)?;
    if !(3_600..=315_360_000).contains(&seconds) {
        return Err(format!("'{text}' is out of range; use 1h to 3650d"));
    }
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods() {
        for (text, seconds) in [("60m", 3_600), ("12h", 43_200), ("7d", 604_800), ("4w", 2_419_200)] {
            assert_eq!(parse_keep(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "7", "d", "1m", "-1d", "7 d", "3651d", "99999999999999999999d", "7é"] {
            assert!(parse_keep(text).is_err(), "{text} was taken");
        }
    }
}
