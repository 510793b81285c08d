//! Sentences that several plans share.

use crate::layout::Neighbour;
use jiff::Timestamp;
use strata_proto::strata::gateway::v1 as pb;

/// The neighbours as the API shows them.
pub(super) fn neighbours(found: &[Neighbour]) -> Vec<pb::Neighbour> {
    found
        .iter()
        .map(|neighbour| pb::Neighbour {
            kind: neighbour.kind.clone(),
            vm: neighbour.vm.clone(),
            display_name: neighbour.display_name.clone(),
            datastore: neighbour.datastore.clone(),
            volume: neighbour.volume.clone(),
            volume_display_name: neighbour.volume_display_name.clone(),
        })
        .collect()
}

/// `a`, `a and b`, `a, b and 3 more`.
pub(super) fn list(names: &[String], most: usize) -> String {
    match names {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        _ if names.len() <= most => {
            let (last, first) =
                names.split_last().map_or((String::new(), &[][..]), |(last, first)| (last.clone(), first));
            format!("{} and {last}", first.join(", "))
        }
        _ => format!("{} and {} more", names[..most].join(", "), names.len() - most),
    }
}

/// `12 minutes`, `3 hours`, `2 days` between two times; never negative.
pub(super) fn age(from: Timestamp, to: Timestamp) -> String {
    let minutes = to.duration_since(from).as_secs().max(0) / 60;
    match minutes {
        0 => "less than a minute".to_owned(),
        1 => "1 minute".to_owned(),
        2..=179 => format!("{minutes} minutes"),
        180..=2_879 => format!("{} hours", minutes / 60),
        _ => format!("{} days", minutes / 1_440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        let names = |count: usize| (0..count).map(|n| format!("v{n}")).collect::<Vec<_>>();
        for (count, expected) in
            [(0, "nothing"), (1, "v0"), (2, "v0 and v1"), (3, "v0, v1 and v2"), (9, "v0, v1, v2 and 6 more")]
        {
            assert_eq!(list(&names(count), 3), expected);
        }
    }

    #[test]
    fn ages() {
        let start = Timestamp::from_second(1_000_000).unwrap();
        for (seconds, expected) in [
            (-5, "less than a minute"),
            (59, "less than a minute"),
            (60, "1 minute"),
            (7_200, "120 minutes"),
            (90_000, "25 hours"),
            (259_200, "3 days"),
        ] {
            assert_eq!(age(start, start + jiff::SignedDuration::from_secs(seconds)), expected);
        }
    }
}
