//! From file and environment to a typed value.

use super::{
    env,
    faults::{ConfigError, Fault},
    secret,
};
use serde::de::DeserializeOwned;
use std::{collections::BTreeMap, path::Path};
use toml::{Table, Value};

/// More faults than this are not looked for.
const FAULTS_MAX: usize = 50;

/// A configuration and what should be said about it.
#[derive(Debug)]
pub struct Loaded<T> {
    /// The configuration.
    pub value: T,
    /// For the log: secrets in the clear and the like.
    pub warnings: Vec<String>,
}

/// Reads a TOML file (none: all from the environment and defaults) and applies the overrides of `env`, which is
/// `std::env::vars()` in a binary.
///
/// # Errors
/// Everything that is wrong, each with the path of the field.
pub fn load<T: DeserializeOwned>(
    file: Option<&Path>,
    env: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded<T>, ConfigError> {
    let Some(file) = file else {
        return load_text("the environment", "", env);
    };
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| ConfigError {
        source_name: name.clone(),
        faults: vec![Fault { path: String::new(), reason: format!("cannot be read: {error}") }],
    })?;
    load_text(&name, &text, env)
}

/// As [`load`], from a text; `source_name` stands in messages.
///
/// # Errors
/// As [`load`].
pub fn load_text<T: DeserializeOwned>(
    source_name: &str,
    text: &str,
    env: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded<T>, ConfigError> {
    let fail = |faults| ConfigError { source_name: source_name.to_owned(), faults };
    let mut table: Table = text.parse().map_err(|error: toml::de::Error| {
        // Only message and line: the parser's own text quotes the line, which may hold a secret.
        let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
        let place = line.map(|line| format!("line {line}")).unwrap_or_default();
        fail(vec![Fault { path: place, reason: format!("no TOML: {}", error.message()) }])
    })?;
    let env: BTreeMap<String, String> = env.into_iter().collect();
    let (mut faults, mut warnings) = (Vec::new(), Vec::new());
    let overridden = env::apply(&mut table, &env, &mut faults);
    secret::resolve(&mut table, "", &env, &mut faults, &mut warnings);
    let mut tree = Value::Table(table);
    let mut removed: Vec<String> = Vec::new();
    // Serde stops at the first fault; so what is wrong is noted and taken out, until the rest reads or nothing is left.
    while faults.len() < FAULTS_MAX {
        let error = match serde_path_to_error::deserialize::<_, T>(tree.clone()) {
            Ok(value) if faults.is_empty() => return Ok(Loaded { value, warnings }),
            Ok(_) => break,
            Err(error) => error,
        };
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        let reason = error.inner().message().to_owned();
        if overridden.contains(&path)
            && let Some(Value::String(text)) = at(&mut tree, &path)
            && let Some(typed) = env::typed(text)
            && !typed.is_str()
        {
            if let Some(slot) = at(&mut tree, &path) {
                *slot = typed;
            }
            continue;
        }
        let unknown = quoted_after(&reason, "unknown field `");
        let missing = quoted_after(&reason, "missing field `");
        let victim = match (&unknown, &missing) {
            (Some(name), _) if !path.ends_with(name.as_str()) => join(&path, name),
            _ => path.clone(),
        };
        let named = missing.as_ref().map_or_else(|| victim.clone(), |name| join(&path, name));
        // A field that is missing because it was taken out was told already.
        let told = removed.iter().any(|gone| *gone == named || gone.starts_with(&format!("{named}.")));
        if !told {
            faults.push(Fault { path: named, reason });
        }
        if victim.is_empty() || !remove(&mut tree, &victim) {
            break;
        }
        removed.push(victim);
    }
    Err(fail(faults))
}

/// The name that serde quotes after `start`.
fn quoted_after(reason: &str, start: &str) -> Option<String> {
    Some(reason.strip_prefix(start)?.split('`').next()?.to_owned())
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// `a.b[0].c` as a, b, 0, c.
fn segments(path: &str) -> Vec<&str> {
    path.split(['.', '[', ']']).filter(|segment| !segment.is_empty()).collect()
}

fn at<'tree>(tree: &'tree mut Value, path: &str) -> Option<&'tree mut Value> {
    segments(path).into_iter().try_fold(tree, |value, segment| match value {
        Value::Table(table) => table.get_mut(segment),
        Value::Array(items) => items.get_mut(segment.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Takes a field out of its table; an entry of a list is emptied of the whole list instead, so that indexes stay right.
fn remove(tree: &mut Value, path: &str) -> bool {
    let mut parts = segments(path);
    while let Some(last) = parts.pop() {
        let parent = parts.iter().try_fold(&mut *tree, |value, segment| match value {
            Value::Table(table) => table.get_mut(*segment),
            Value::Array(items) => items.get_mut(segment.parse::<usize>().ok()?),
            _ => None,
        });
        if let Some(Value::Table(table)) = parent {
            return table.remove(last).is_some();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Secret, duration};
    use serde::Deserialize;
    use std::time::Duration;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Config {
        name: String,
        #[serde(default)]
        retries: u32,
        #[serde(default)]
        on: bool,
        #[serde(default)]
        hosts: Vec<String>,
        #[serde(default)]
        server: Server,
        #[serde(default)]
        array: Vec<Array>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Server {
        #[serde(with = "duration")]
        drain: Duration,
        port: u16,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Array {
        name: String,
        password: Option<Secret>,
    }

    fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn read(text: &str, pairs: &[(&str, &str)]) -> Result<Loaded<Config>, ConfigError> {
        load_text("test.toml", text, env(pairs))
    }

    fn faults(text: &str, pairs: &[(&str, &str)]) -> Vec<String> {
        read(text, pairs).unwrap_err().faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_environment_goes_before_the_file_and_takes_the_type_that_is_wanted() {
        let text = "name = 'file'\nretries = 1\n[server]\ndrain = '30s'\n[[array]]\nname = 'a'";
        let pairs = [
            ("STRATA__NAME", "42"),
            ("STRATA__RETRIES", "7"),
            ("STRATA__ON", "true"),
            ("STRATA__HOSTS", "['esx1', 'esx2']"),
            ("STRATA__SERVER__DRAIN", "1m"),
            ("STRATA__SERVER__PORT", "7000"),
            ("STRATA__ARRAY__0__NAME", "007"),
            ("STRATA__ARRAY__1__NAME", "true"),
            ("STRATA_LOG", "debug"),
            ("HOME", "/root"),
        ];
        let config = read(text, &pairs).unwrap().value;
        assert_eq!((config.name.as_str(), config.retries, config.on), ("42", 7, true));
        assert_eq!(config.hosts, ["esx1", "esx2"]);
        assert_eq!((config.server.drain, config.server.port), (Duration::from_secs(60), 7000));
        let names: Vec<&str> = config.array.iter().map(|array| array.name.as_str()).collect();
        assert_eq!(names, ["007", "true"]);
    }

    #[test]
    fn all_faults_are_told_together_with_their_paths() {
        let text = "nmae = 'x'
            retries = 'many'
            [server]
            drain = 30
            port = 700000
            colour = 'red'
            [[array]]
            name = 'a'
            [[array]]
            name = 7";
        let found = faults(text, &[("STRATA__ON", "maybe")]);
        for start in [
            "nmae: unknown",
            "retries: ",
            "server.drain: ",
            "server.port: ",
            "server.colour: unknown",
            "array[1].name: ",
            "on: ",
            "name: missing",
        ] {
            assert_eq!(found.iter().filter(|fault| fault.starts_with(start)).count(), 1, "{start} in {found:#?}");
        }
        assert_eq!(found.len(), 8, "{found:#?}");
        let text = read(text, &[]).unwrap_err().to_string();
        assert!(text.starts_with("test.toml has 7 faults:\n  "), "{text}");
    }

    #[test]
    fn single_faults_name_place_and_remedy() {
        for (text, pairs, expected) in [
            ("", &[][..], "name: missing field `name`"),
            ("name = 'x'\n[server]\ndrain = '30'", &[], "write numbers with units"),
            ("name = 'x'", &[("STRATA__NAME__X", "1")], "STRATA__NAME__X: "),
            ("name = 'x'", &[("STRATA__ARRAY__1__NAME", "1")], "next index is 0"),
            ("name = 'x'", &[("STRATA__SERVER__", "1")], "a part of the name is empty"),
            ("name = 'x'", &[("STRATA__SERVER__PORT", "seven")], "server.port: "),
            ("name = 'x'\nname = 'y'", &[], "line 2: no TOML"),
        ] {
            let found = faults(text, pairs);
            assert!(found.len() == 1 && found[0].contains(expected), "{text:?} {pairs:?}: {found:?}");
        }
    }

    #[test]
    fn secrets_come_from_a_file_the_environment_or_with_a_warning_the_text() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("password");
        std::fs::write(&file, "from file\n").unwrap();
        set_mode(&file, 0o600);
        let file = file.display();
        for (key, secret, warnings) in [
            (format!("password_file = '{file}'"), "from file", 0),
            ("password_env = 'ARRAY_PASSWORD'".to_owned(), "from env", 0),
            ("password = 'literal'".to_owned(), "literal", 1),
        ] {
            let text = format!("name = 'x'\n[[array]]\nname = 'a'\n{key}");
            let loaded = read(&text, &[("ARRAY_PASSWORD", "from env")]).unwrap();
            assert_eq!(loaded.value.array[0].password.as_ref().unwrap().expose(), secret);
            assert_eq!(loaded.warnings.len(), warnings, "{:?}", loaded.warnings);
            assert!(!format!("{loaded:?}").contains(secret));
        }
    }

    #[test]
    fn faults_of_secrets_never_show_them() {
        let dir = tempfile::tempdir().unwrap();
        let open = dir.path().join("open");
        std::fs::write(&open, "hunter2").unwrap();
        set_mode(&open, 0o644);
        let empty = dir.path().join("empty");
        std::fs::write(&empty, "\n").unwrap();
        for (key, expected) in [
            ("password = 271828".to_owned(), "array[0].password: it must be a string"),
            ("password = 'hunter2'\npassword_env = 'X'".to_owned(), "give only one of password, password_env"),
            ("password_env = 'X'".to_owned(), "the environment has no X"),
            ("password_file = '/no/such/file'".to_owned(), "cannot read /no/such/file"),
            (format!("password_file = '{}'", empty.display()), "is empty"),
            ("password = 'hunter2".to_owned(), "line 4: no TOML"),
            ("pasword = 'hunter2'".to_owned(), "array[0].pasword: unknown field"),
        ] {
            let error = read(&format!("name = 'x'\n[[array]]\nname = 'a'\n{key}"), &[]).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains(expected), "{key}: {text}");
            assert!(!text.contains("hunter2") && !text.contains("271828"), "{text}");
        }
        let text = format!("name = 'x'\n[[array]]\nname = 'a'\npassword_file = '{}'", open.display());
        let loaded = read(&text, &[]).unwrap();
        assert!(cfg!(not(unix)) || loaded.warnings[0].contains("chmod 600"), "{:?}", loaded.warnings);
    }

    #[test]
    fn a_file_is_read_and_an_absent_one_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("gateway.toml");
        std::fs::write(&file, "name = 'x'").unwrap();
        assert_eq!(load::<Config>(Some(&file), []).unwrap().value.name, "x");
        assert_eq!(load::<Config>(None, env(&[("STRATA__NAME", "y")])).unwrap().value.name, "y");
        let error = load::<Config>(Some(&dir.path().join("absent.toml")), []).unwrap_err().to_string();
        assert!(error.contains("absent.toml: cannot be read"), "{error}");
    }

    #[cfg(unix)]
    fn set_mode(file: &Path, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[cfg(not(unix))]
    fn set_mode(_file: &Path, _mode: u32) {}
}
