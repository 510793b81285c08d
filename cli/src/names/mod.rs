//! From what a person types to the one object that is meant. Never guesses: where more than one fits, all are listed.

mod clone;
mod operation;
mod snapshot;
mod vm;

pub use clone::find_clone;
pub use operation::operation_name;
pub use snapshot::find_snapshot;
pub use vm::find_vm;

use crate::failure::Failure;
use strata_model::ErrorKind;

/// True for an id as Strata makes them: this prefix and 12 hex digits.
fn is_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|rest| rest.len() == 12 && rest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
}

fn ambiguous(what: &str, typed: &str, mut names: Vec<String>, hint: &str) -> Failure {
    names.sort();
    let message = format!("{} {what} are called '{typed}'", names.len());
    Failure::new(ErrorKind::InvalidArgument, "NAME_AMBIGUOUS", message).candidates(names).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        assert!(is_id("s-0123456789ab", "s-"));
        for text in
            ["s-0123456789a", "s-0123456789abc", "s-0123456789AB", "s-0123456789ag", "c-0123456789ab", "web", "s-"]
        {
            assert!(!is_id(text, "s-"), "{text}");
        }
    }
}
