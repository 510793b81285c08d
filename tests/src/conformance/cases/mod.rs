//! The cases, by what they are about.

mod crashes;
mod file_clones;
mod identity;
mod limits;
mod luns;
mod names;
mod removal;
mod restore;
mod sessions;
mod snapshots;
mod strangers;
mod volume_clones;
mod volume_restore;

use super::Case;

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Case> {
    let groups: [&'static [Case]; 13] = [
        identity::CASES,
        snapshots::CASES,
        names::CASES,
        removal::CASES,
        strangers::CASES,
        file_clones::CASES,
        volume_clones::CASES,
        volume_restore::CASES,
        luns::CASES,
        restore::CASES,
        crashes::CASES,
        limits::CASES,
        sessions::CASES,
    ];
    groups.into_iter().flatten()
}

/// A case from its name, its needs and its function.
macro_rules! case {
    ($name:literal, [$($need:ident),*], $run:ident) => {
        $crate::conformance::Case {
            name: $name,
            needs: &[$($crate::conformance::Need::$need),*],
            run: |lab| Box::pin($run(lab)),
        }
    };
}
use case;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn there_are_at_least_forty_and_each_has_its_own_name() {
        let names: Vec<&str> = all().map(|case| case.name).collect();
        assert!(names.len() >= 40, "{}", names.len());
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }
}
