//! Native names, rendered from key and label by a pure function: `strata_<key>_<label>`.
//!
//! The key alone makes a name unique; the label is for people and fills what room is left. An object can so be looked for by
//! its name when an answer was lost, and nothing has to be remembered.

use crate::driver::{DriverError, Reason};
use sha2::{Digest as _, Sha256};

/// What an array allows in a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameRules {
    /// Longest name in bytes; at least 32.
    pub bytes_max: usize,
    /// Between the parts; a character that keys never hold.
    pub separator: char,
    /// Allowed in a label besides ASCII letters and digits.
    pub punctuation: &'static str,
}

impl NameRules {
    /// What nearly every array allows.
    pub const PORTABLE: NameRules = NameRules { bytes_max: 64, separator: '_', punctuation: "-" };
}

const PREFIX: &str = "strata";
const KEY_BYTES_MAX: usize = 40;

/// Refuses a key that is not `[a-z0-9-]{1,40}`.
pub fn check_key(key: &str) -> Result<(), DriverError> {
    let valid = key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if valid && !key.is_empty() && key.len() <= KEY_BYTES_MAX {
        return Ok(());
    }
    Err(DriverError::new(
        Reason::InvalidRequest,
        format!("'{}' is no key; use 1 to 40 of a-z, 0-9 and '-'", key.escape_default()),
    ))
}

/// The beginning that all names of this key share, whatever the label.
fn head(rules: &NameRules, key: &str) -> String {
    let whole = format!("{PREFIX}{}{key}", rules.separator);
    if whole.len() <= rules.bytes_max {
        return whole;
    }
    let room = rules.bytes_max.saturating_sub(PREFIX.len() + rules.separator.len_utf8());
    let mut digest = hex(&Sha256::digest(key.as_bytes()));
    digest.truncate(room);
    format!("{PREFIX}{}{digest}", rules.separator)
}

/// The array's name for the object of this key.
pub fn render(rules: &NameRules, key: &str, label: &str) -> String {
    let mut name = head(rules, key);
    let room = rules.bytes_max.saturating_sub(name.len() + rules.separator.len_utf8());
    let mut readable = String::new();
    for character in label.chars() {
        let kept = character.is_ascii_alphanumeric()
            || (rules.punctuation.contains(character) && character != rules.separator && character != '.');
        match (kept, readable.ends_with('-')) {
            (true, _) => readable.push(character),
            (false, false) => readable.push('-'),
            (false, true) => {}
        }
    }
    // All ASCII by now, so that cutting by bytes is cutting by characters.
    let mut readable = readable.trim_matches('-').to_owned();
    readable.truncate(room);
    let readable = readable.trim_end_matches('-');
    if !readable.is_empty() {
        name.push(rules.separator);
        name.push_str(readable);
    }
    name
}

/// True where the name was rendered for this key, with whatever label.
pub fn is_for_key(rules: &NameRules, name: &str, key: &str) -> bool {
    name.strip_prefix(&head(rules, key)).is_some_and(|rest| rest.is_empty() || rest.starts_with(rules.separator))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_as_an_administrator_sees_them() {
        let cases = [
            ("s-0123456789ab", "web-01", "strata_s-0123456789ab_web-01"),
            ("s-1", "", "strata_s-1"),
            ("s-1", "../../etc/passwd", "strata_s-1_etc-passwd"),
            ("s-1", "Größe @ 100% / #1:x", "strata_s-1_Gr-e-100-1-x"),
            ("s-1", "///", "strata_s-1"),
            ("s-1", "\0\n", "strata_s-1"),
        ];
        for (key, label, name) in cases {
            assert_eq!(render(&NameRules::PORTABLE, key, label), name, "{label:?}");
        }
    }

    #[test]
    fn keys() {
        for key in ["a", "s-0123456789ab", &"k".repeat(40)] {
            assert!(check_key(key).is_ok(), "{key}");
        }
        for key in ["", "A", "a_b", "a/b", "ü", "a b", &"k".repeat(41)] {
            assert!(check_key(key).is_err(), "{key} was taken");
        }
    }

    fn rules() -> impl Strategy<Value = NameRules> {
        (32usize..260, prop::sample::select(vec!['_', '.', ':']), prop::sample::select(vec!["", "-", "-_.:"]))
            .prop_map(|(bytes_max, separator, punctuation)| NameRules { bytes_max, separator, punctuation })
    }

    proptest! {
        #[test]
        fn within_limits_and_character_set(rules in rules(), key in "[a-z0-9-]{1,40}", label in any::<String>()) {
            let name = render(&rules, &key, &label);
            prop_assert!(name.len() <= rules.bytes_max);
            let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == rules.separator
                || rules.punctuation.contains(c);
            prop_assert!(name.chars().all(allowed), "{}", name);
            prop_assert!(is_for_key(&rules, &name, &key));
        }

        #[test]
        fn unique_by_key(rules in rules(), a in "[a-z0-9-]{1,40}", b in "[a-z0-9-]{1,40}", label in any::<String>(),
                         other in any::<String>()) {
            prop_assume!(a != b);
            let name = render(&rules, &a, &label);
            prop_assert_ne!(&name, &render(&rules, &b, &other));
            prop_assert!(!is_for_key(&rules, &name, &b));
        }
    }
}
