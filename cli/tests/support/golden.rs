//! Golden files: the whole exchange on a terminal, compared with what is kept beside the tests. `STRATA_BLESS=1` writes
//! them anew; the diff is then reviewed like code.

use std::{fs, path::PathBuf};

/// Compares with `tests/golden/<name>.txt`.
pub fn check(name: &str, found: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.txt"));
    if std::env::var_os("STRATA_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, found).unwrap();
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    if kept == found {
        return;
    }
    let line = kept.lines().zip(found.lines()).take_while(|(a, b)| a == b).count();
    panic!(
        "{name} differs from its golden file at line {} (STRATA_BLESS=1 rewrites it)\nkept:  {:?}\nfound: {:?}\n\n{found}",
        line + 1,
        kept.lines().nth(line),
        found.lines().nth(line),
    );
}
