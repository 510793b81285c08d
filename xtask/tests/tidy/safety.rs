//! Every safety rule that is done has a test that bears its number in two digits: `fn s05_the_right_vm()`.

use super::source::code_of;
use super::tree::Tree;

/// The rules whose tests are in. A rule is added here with its test, and can then not lose it unnoticed.
pub const DONE: &[u32] = &[1, 2, 5, 6, 7, 8, 10, 11, 12, 13, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24];

/// The rules among `numbers` for which no function is named `s<two digits>_...`.
pub fn without_test(numbers: &[u32], tree: &Tree) -> Vec<u32> {
    let codes: Vec<String> = tree.with_extension("rs").map(|(_, text)| code_of(text)).collect();
    let has_test = |number: &u32| codes.iter().any(|code| code.contains(&format!("fn s{number:02}_")));
    numbers.iter().copied().filter(|number| !has_test(number)).collect()
}

#[test]
fn a_rule_without_its_test_is_found() {
    let tree = Tree::of(&[("tests/tests/a.rs", "fn s02_marks_travel() {} // fn s05_in_a_comment()")]);
    assert_eq!(without_test(&[2, 5, 21], &tree), [5, 21]);
}
