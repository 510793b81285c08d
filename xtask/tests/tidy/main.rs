//! The rules of the house as tests: what STYLE.md and ARCHITECTURE.md promise and a reviewer would otherwise have to
//! remember. A rule is a function from the repository's files to the places that break it; each is run on the
//! repository, which must have none, and on a bad sample, which must have one: a rule that cannot fail is worthless.

mod direction;
mod documents;
mod drivers;
mod files;
mod leftovers;
mod places;
mod safety;
mod source;
mod tree;
mod vocabulary;

use tree::Tree;

/// A rule: what it says when broken, one line a place.
type Rule = fn(&Tree) -> Vec<String>;

/// Every rule, and a file that breaks it.
const RULES: &[(&str, Rule, &str, &str)] = &[
    ("file size", files::sizes, "kit/src/big.rs", BIG),
    ("vcsimx that grows", files::vcsimx, "tests/interop/vcsimx/*.go", BIG),
    ("forbidden name", files::names, "kit/src/utils.rs", "//! Small things.\n"),
    ("forbidden folder", files::names, "kit/src/helpers/mod.rs", "//! Small things.\n"),
    ("module header", files::headers, "kit/src/lib.rs", "// not a header\nfn a() {}\n"),
    ("todo", leftovers::macros, "kit/src/lib.rs", "fn a() { todo!() }"),
    ("dbg", leftovers::macros, "kit/src/lib.rs", "fn a() { std::dbg!(1); }"),
    ("ignored test", leftovers::macros, "tests/tests/a.rs", "#[test]\n#[ignore = \"slow\"]\nfn a() {}"),
    ("note to self", leftovers::notes, "proto/a.proto", concat!("// TO", "DO: say more\n")),
    ("sled outside the store", places::crates, "gateway/src/api.rs", "use sled::Db;"),
    ("sled by path", places::crates, "gateway/src/api.rs", "fn a(db: &sled::Db) {}"),
    ("reqwest outside the HTTP client", places::crates, "storage-svc/src/a.rs", "use reqwest as r;"),
    ("XML outside SOAP", places::crates, "inventory-svc/src/rpc/a.rs", "use quick_xml::Reader;"),
    ("crate declared elsewhere", places::manifests, "cli/Cargo.toml", "[dependencies]\nsled.workspace = true\n"),
    ("incomplete driver", drivers::complete, "storage-svc/src/drivers/acme/mod.rs", "//! Acme."),
    ("driver that knows gRPC", drivers::ignorant, "storage-svc/src/drivers/acme/mod.rs", "use tonic::Status;"),
    ("path in a document", documents::paths, "README.md", "see `crates/kit/src/gone.rs` first"),
    ("link in a document", documents::paths, "docs/a.md", "see [the plan](gone.md)"),
    ("machine path", vocabulary::machines, "docs/a.md", concat!("cd /ro", "ot/strata")),
    ("registry host", vocabulary::machines, "go.sum", concat!("https://proxy.go", "lang.org/x")),
];

const BIG: &str = include_str!("big_sample.txt");

#[test]
fn the_repository_keeps_every_rule() {
    let tree = Tree::of_repository();
    assert!(tree.len() > 50, "only {} files: is this the repository?", tree.len());
    let mut rules: Vec<Rule> = RULES.iter().map(|(_, rule, _, _)| *rule).collect();
    rules.dedup_by_key(|rule| *rule as usize);
    let broken: Vec<String> = rules.iter().flat_map(|rule| rule(&tree)).collect();
    assert!(broken.is_empty(), "{} broken:\n{}", broken.len(), broken.join("\n"));
    for long in files::long(&tree) {
        println!("long, split it when next touched: {long}");
    }
}

#[test]
fn every_rule_can_fail() {
    for (name, rule, path, text) in RULES {
        let broken = rule(&Tree::of(&[(path, text)]));
        assert_eq!(broken.len(), 1, "{name}: {broken:?}");
        assert!(broken[0].contains(path), "{name} does not name the file: {broken:?}");
    }
}

#[test]
fn what_is_allowed_is_let_through() {
    let good = Tree::of(&[
        ("gateway/src/store/catalog/mod.rs", "//! The catalog in sled.\nuse sled::Db;\n"),
        ("gateway/src/catalog.rs", "//! Kept in sled::Db.\n/* todo!() */ const A: &str = \"todo!() sled::\";\n"),
        ("gateway/Cargo.toml", "[dependencies]\nsled.workspace = true\n"),
        ("crates/kit/src/http/reqwest_client.rs", "//! The client.\nuse reqwest::Client;\n"),
        ("README.md", "`gateway/src/catalog.rs`, `vcenters/{vc}/vms/{id}`, `application/json`, <https://a.example/b>"),
        ("storage-svc/src/drivers/mod.rs", "//! The vendors.\nmod acme;\n"),
        ("storage-svc/src/drivers/acme/mod.rs", "//! Acme; not over tonic.\n"),
        ("storage-svc/src/drivers/acme/config.rs", "//! Settings.\n"),
        ("storage-svc/src/drivers/acme/error.rs", "//! Errors.\n"),
        ("storage-svc/src/drivers/acme/README.md", "# Acme\n"),
    ]);
    for (name, rule, _, _) in RULES {
        assert_eq!(rule(&good), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn crates_depend_only_in_the_direction_of_the_design() {
    let broken = direction::broken(&direction::metadata());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn safety_rules_that_are_done_have_tests() {
    let missing = safety::without_test(safety::DONE, &Tree::of_repository());
    assert!(missing.is_empty(), "safety rules without a test that bears their name: {missing:?}");
}
