//! Medians, and tables in markdown.

use std::time::Duration;

/// The middle one of an odd number, else the lower of the two in the middle. Zero of none.
pub(super) fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all.get(all.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

/// `1.23 ms`.
pub(super) fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

/// A table: headings, then rows.
pub(super) fn markdown(headings: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(headings.iter().map(ToString::to_string).collect());
    text.push_str(&line(headings.iter().map(|_| "---".to_owned()).collect()));
    for row in rows {
        text.push_str(&line(row.clone()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_found() {
        let of = |all: &[u64]| median(all.iter().map(|ms| Duration::from_millis(*ms)).collect()).as_millis();
        assert_eq!((of(&[3, 1, 2]), of(&[4, 1, 3, 2]), of(&[])), (2, 2, 0));
        assert_eq!(markdown(&["a", "b"], &[vec!["1".into(), "2".into()]]), "| a | b |\n| --- | --- |\n| 1 | 2 |\n");
    }
}
