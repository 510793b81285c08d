//! Tests of the fault rules.

use super::*;

fn ask<'a>(method: &'a str, path: &'a str, object: &'a str) -> Ask<'a> {
    Ask { face: "reference/nas1", method, path, object }
}

#[test]
fn filters_fit_as_they_say() {
    let cases = [
        ("no filter", Rule::new(Action::Drop), true),
        ("face by its start", Rule::new(Action::Drop).face("reference"), true),
        ("another array", Rule::new(Action::Drop).face("reference/nas2"), false),
        ("method", Rule::new(Action::Drop).method("POST"), true),
        ("another method", Rule::new(Action::Drop).method("GET"), false),
        ("part of a path", Rule::new(Action::Drop).path("/snapshots"), true),
        ("another path", Rule::new(Action::Drop).path("/clones"), false),
        ("object in the body", Rule::new(Action::Drop).object("s-1"), true),
        ("object in the path", Rule::new(Action::Drop).object("vol7"), true),
        ("another object", Rule::new(Action::Drop).object("s-2"), false),
        ("never", Rule::new(Action::Drop).chance(0.0), false),
        ("no times", Rule::new(Action::Drop).times(0), false),
    ];
    for (case, rule, acts) in cases {
        let faults = Faults::new(1);
        let id = faults.add(rule);
        let verdict = faults.decide(&ask("POST", "/api/v1/volumes/vol7/snapshots", "{\"name\":\"s-1\"}"));
        assert_eq!(verdict.action.is_some(), acts, "{case}");
        assert_eq!(faults.acted(id), u64::from(acts), "{case}");
    }
}

#[test]
fn skip_and_times_count_only_what_fits() {
    let faults = Faults::new(1);
    faults.add(Rule::new(Action::Hang).method("POST").skip(1).times(2));
    let mut acted = Vec::new();
    for method in ["POST", "GET", "POST", "GET", "POST", "POST"] {
        acted.push(faults.decide(&ask(method, "/", "")).action.is_some());
    }
    assert_eq!(acted, [false, false, true, false, true, false]);
}

#[test]
fn delays_add_up_and_the_first_other_action_wins() {
    let faults = Faults::new(1);
    faults.add(Rule::new(Action::Delay { ms: 5 }));
    faults.add(Rule::new(Action::Drop).times(1));
    let later = faults.add(Rule::new(Action::Hang).times(1));
    faults.add(Rule::new(Action::Delay { ms: 7 }));
    assert_eq!(faults.decide(&ask("GET", "/", "")), Verdict { delay_ms: 12, action: Some(Action::Drop) });
    assert_eq!(faults.acted(later), 0, "a rule that did not act is not used up");
    assert_eq!(faults.decide(&ask("GET", "/", "")).action, Some(Action::Hang));
    assert_eq!(faults.decide(&ask("GET", "/", "")), Verdict { delay_ms: 12, action: None });
    faults.clear();
    assert_eq!(faults.decide(&ask("GET", "/", "")), Verdict::default());
}

#[test]
fn the_same_seed_decides_the_same_and_rules_do_not_disturb_each_other() {
    let run = |seed: u64, disturbed: bool| {
        let faults = Faults::new(seed);
        faults.add(Rule::new(Action::Drop).chance(0.5).path("/a"));
        faults.add(Rule::new(Action::Delay { ms: 1 }).chance(0.5));
        let one = |n: u32| {
            if disturbed && n.is_multiple_of(3) {
                faults.decide(&ask("GET", "/b", ""));
            }
            faults.decide(&ask("GET", "/a", "")).action.is_some()
        };
        (0..200).map(one).collect::<Vec<_>>()
    };
    assert_eq!(run(7, false), run(7, false));
    assert_eq!(run(7, false), run(7, true));
    assert_ne!(run(7, false), run(8, false));
    let acted = run(7, false).iter().filter(|acts| **acts).count();
    assert!((60..140).contains(&acted), "{acted} of 200 at probability 0.5");
}
