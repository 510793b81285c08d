//! Every safety rule that is done has a test that bears its number: `fn s15_a_live_copy_is_refused()`.

use super::source::code_of;
use super::tree::Tree;

/// The rules whose tests are in. A rule is added here with its test, and can then not lose it unnoticed.
pub const DONE: &[u32] = &[];

/// The rules among `numbers` for which no function is named `s<number>_...`.
pub fn without_test(numbers: &[u32], tree: &Tree) -> Vec<u32> {
    let codes: Vec<String> = tree.with_extension("rs").map(|(_, text)| code_of(text)).collect();
    let has_test = |number: &u32| codes.iter().any(|code| code.contains(&format!("fn s{number}_")));
    numbers.iter().copied().filter(|number| !has_test(number)).collect()
}

#[test]
fn a_rule_without_its_test_is_found() {
    let tree = Tree::of(&[("tests/tests/a.rs", "fn s2_marks_travel() {} // fn s5_in_a_comment()")]);
    assert_eq!(without_test(&[2, 5, 21], &tree), [5, 21]);
}
