//! Which version of the API is spoken: never one that the server does not have, never one that this code does not know.

use quick_xml::{NsReader, events::Event};

/// The newest version whose changes this code was written with.
pub const NEWEST: &str = "8.0.3.0";
/// Spoken where the server tells no versions; every method and field used here exists in it, or is guarded by [`at_least`].
pub const OLDEST: &str = "6.5";

/// Picks the version from `vimServiceVersions.xml`: the highest that is not above [`NEWEST`].
pub fn choose(document: &str) -> String {
    let mut best = OLDEST.to_owned();
    let mut reader = NsReader::from_str(document);
    let (mut namespace, mut leaf, mut text) = (String::new(), String::new(), String::new());
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                leaf = start.local_name().as_ref().to_owned();
                text.clear();
            }
            Ok(Event::Text(more)) => text.push_str(&more),
            Ok(Event::End(_)) => {
                match leaf.as_str() {
                    "name" => namespace = text.trim().to_owned(),
                    "version" if namespace == super::VIM25 => {
                        let found = text.trim();
                        if at_least(NEWEST, found) && at_least(found, &best) {
                            best = found.to_owned();
                        }
                    }
                    _ => {}
                }
                leaf.clear();
            }
            Ok(Event::Eof) | Err(_) => return best,
            Ok(_) => {}
        }
    }
}

/// Whether `version` is `wanted` or newer. Parts are compared as numbers; a missing part is 0.
pub fn at_least(version: &str, wanted: &str) -> bool {
    let parts = |text: &str| -> Vec<u32> {
        let mut parts: Vec<u32> = text.split('.').map(|part| part.parse().unwrap_or(0)).collect();
        parts.resize(6, 0);
        parts
    };
    parts(version) >= parts(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(versions: &[&str]) -> String {
        let prior: String = versions[1..].iter().map(|version| format!("<version>{version}</version>")).collect();
        format!(
            "<?xml version=\"1.0\"?><namespaces version=\"1.0\"><namespace><name>urn:vim25</name>\
             <version>{}</version><priorVersions>{prior}</priorVersions></namespace>\
             <namespace><name>urn:other</name><version>8.0.2.0</version></namespace></namespaces>",
            versions[0]
        )
    }

    #[test]
    fn speaks_what_both_know() {
        for (server, chosen) in [
            (&["6.5", "6.0", "5.5"][..], "6.5"),
            (&["6.7.3", "6.7", "6.5"][..], "6.7.3"),
            (&["8.0.3.0", "8.0.2.0", "7.0"][..], "8.0.3.0"),
            (&["9.1.0.0", "9.0.0.0", "8.0.3.0", "8.0.1.0"][..], "8.0.3.0"),
            (&["9.1.0.0", "7.0.3.2"][..], "7.0.3.2"),
        ] {
            assert_eq!(choose(&document(server)), chosen, "{server:?}");
        }
        for nothing in ["", "<html>503</html>", "<namespaces><namespace><name>urn:vim25</name>"] {
            assert_eq!(choose(nothing), OLDEST);
        }
    }

    #[test]
    fn compares_by_number() {
        for (version, wanted, expected) in
            [("6.10", "6.9", true), ("8.0", "8.0.0.0", true), ("7.0.3", "8.0", false), ("6.5", "6.5.1", false)]
        {
            assert_eq!(at_least(version, wanted), expected, "{version} {wanted}");
        }
    }
}
