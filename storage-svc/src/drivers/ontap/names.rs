//! Native names. Snapshots, LUNs, igroups take what [`crate::naming`] renders; volumes and export policies allow no `-`, so that a
//! `-` of the key becomes `__` and one of the label `_`: `strata_c__0123_web_01`. No two keys give one name.

use crate::naming::{self, NameRules};

/// Of snapshots.
pub(super) const SNAPSHOTS: NameRules = NameRules { bytes_max: 120, separator: '_', punctuation: "-" };
/// Of LUNs cloned in place, and of igroups.
pub(super) const LUNS: NameRules = NameRules { bytes_max: 90, separator: '_', punctuation: "-" };
/// Before [`volume`] doubles what it must.
const VOLUMES: NameRules = NameRules { bytes_max: 100, separator: '_', punctuation: "" };

/// The name of a cloned volume, and of the export policy that belongs to it. At most 140 bytes of the 203 that ONTAP allows.
pub(super) fn volume(key: &str, label: &str) -> String {
    let plain = naming::render(&VOLUMES, key, label);
    let mut parts = plain.splitn(3, VOLUMES.separator);
    let mut name = parts.next().unwrap_or_default().to_owned();
    if let Some(key) = parts.next() {
        name.push_str(&format!("_{}", key.replace('-', "__")));
    }
    if let Some(label) = parts.next() {
        name.push_str(&format!("_{}", label.replace('-', "_")));
    }
    name
}

/// True where a volume's name was rendered for this key, with whatever label.
pub(super) fn is_volume_for_key(name: &str, key: &str) -> bool {
    // A key's `-` follows as `__`, a label begins with a letter or digit.
    let begins_label = |rest: &str| rest.strip_prefix('_').is_some_and(|label| label.starts_with(|c: char| c != '_'));
    name.strip_prefix(&volume(key, "")).is_some_and(|rest| rest.is_empty() || begins_label(rest))
}

/// A query for all snapshots or LUNs of a key: the names that begin so.
pub(super) fn begins(key: &str) -> String {
    format!("strata_{key}*")
}

/// A query for all volumes of a key.
pub(super) fn volume_begins(key: &str) -> String {
    format!("{}*", volume(key, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_as_an_administrator_sees_them() {
        for (key, label, name) in [
            ("c-0123456789ab", "web-01", "strata_c__0123456789ab_web_01"),
            ("c-1", "", "strata_c__1"),
            ("c1", "Größe @ 1", "strata_c1_Gr_e_1"),
        ] {
            assert_eq!(volume(key, label), name);
        }
    }

    proptest! {
        #[test]
        fn allowed_for_volumes_and_unique_by_key(a in "[a-z0-9-]{1,40}", b in "[a-z0-9-]{1,40}", label in any::<String>(),
                                                 other in any::<String>()) {
            let name = volume(&a, &label);
            prop_assert!(name.len() <= 203);
            prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{}", name);
            prop_assert!(is_volume_for_key(&name, &a));
            prop_assert!(name.starts_with(volume_begins(&a).trim_end_matches('*')));
            prop_assume!(a != b);
            prop_assert_ne!(&name, &volume(&b, &other));
            prop_assert!(!is_volume_for_key(&name, &b));
        }
    }
}
