//! Rights on arrays without which an operation would stop half way, asked for before its first effect.

use crate::{
    deps::Deps,
    error::{GatewayError, Result},
    layout::array_name,
};
use std::collections::BTreeSet;
use strata_model::ErrorKind;

/// How an array does it: what is missing for the other way is no hindrance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// File by file.
    File,
    /// Whole volumes.
    Volume,
}

impl Way {
    /// Of a clone.
    pub(super) fn of(by_volume: bool) -> Self {
        if by_volume { Self::Volume } else { Self::File }
    }
}

/// Refuses where our login on an array of these volumes lacks what the feature (`snapshot`, `clone`, `revert`) needs. An array that
/// does not answer says so itself when it is asked to act.
///
/// # Errors
/// Forbidden, which names each right and its object.
pub(super) async fn require<'a>(
    deps: &Deps,
    volumes: impl IntoIterator<Item = &'a String>,
    feature: &str,
    way: Way,
    display_name: &str,
) -> Result<()> {
    let arrays: BTreeSet<String> = volumes.into_iter().map(|volume| array_name(volume)).collect::<Result<_>>()?;
    for array in &arrays {
        let mut missing = match deps.ports.storage.preflight(array).await {
            Ok(answer) => answer.missing,
            Err(error) => {
                tracing::debug!(%error, array, "cannot ask for rights");
                continue;
            }
        };
        missing.retain(|right| is_for(&right.feature, feature, way));
        let Some(first) = missing.first() else { continue };
        let list: BTreeSet<String> =
            missing.iter().map(|right| format!("{} on {}", right.privilege, right.object)).collect();
        let list: Vec<String> = list.into_iter().collect();
        let message = format!(
            "our login on {array} lacks {}, without which nothing is begun on {display_name}; grant it and try again",
            list.join(", ")
        );
        return Err(GatewayError::new(ErrorKind::Forbidden, "ARRAY_PRIVILEGE_MISSING", message)
            .with("array", array)
            .with("privilege", &first.privilege)
            .hint("run `strata preflight`: it names each missing right and its object"));
    }
    Ok(())
}

/// Whether a right's feature, as storage.v1 words it, is this one by this way. `everything` is any; what is said of some
/// files only (`clone of files that belong to another user`) is a remark and no hindrance.
fn is_for(words: &str, feature: &str, way: Way) -> bool {
    let (what, of) = match (words.strip_suffix(" by file"), words.strip_suffix(" by volume")) {
        (Some(what), _) => (what, Some(Way::File)),
        (_, Some(what)) => (what, Some(Way::Volume)),
        (None, None) => (words, None),
    };
    of.is_none_or(|of| of == way) && what.split(" and ").any(|word| word == feature || word == "everything")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_counts_for_its_feature_and_way() {
        for (words, feature, way, expected) in [
            ("everything", "snapshot", Way::File, true),
            ("snapshot", "snapshot", Way::Volume, true),
            ("snapshot", "clone", Way::Volume, false),
            ("clone", "clone", Way::File, true),
            ("clone by volume", "clone", Way::Volume, true),
            ("clone by volume", "clone", Way::File, false),
            ("clone and revert by file", "revert", Way::File, true),
            ("clone and revert by file", "clone", Way::Volume, false),
            ("clone of files that belong to another user", "clone", Way::File, false),
        ] {
            assert_eq!(is_for(words, feature, way), expected, "{words} {feature} {way:?}");
        }
    }
}
