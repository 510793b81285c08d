//! What one answer of WaitForUpdatesEx says, piece by piece.

use crate::soap::{
    Element, Fault, MoRef,
    reader::{Pick, ReadError, read_answer},
};

/// News of one object.
#[derive(Debug)]
pub struct Update {
    /// The object.
    pub object: MoRef,
    /// What became of it.
    pub kind: Kind,
    /// Properties by path; `None` where one is not set any more.
    pub changes: Vec<(String, Option<Element>)>,
}

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is there; all its properties come with it. Some servers say so of objects that they told of before.
    Enter,
    /// Some of its properties changed.
    Modify,
    /// It is no more, or is not shown to us any more.
    Leave,
}

/// The rest of an answer.
#[derive(Debug, Default)]
pub struct Outline {
    /// To ask for what comes next; `None` where nothing changed in the time.
    pub version: Option<String>,
    /// More is ready.
    pub truncated: bool,
    /// The server showed objects as it shows them to those without a session.
    pub lacks_session: bool,
}

/// Reads an answer; `each` gets the objects one by one, so that one object's XML is held and not all.
///
/// # Errors
/// The bytes are no answer, or carry a fault.
pub fn read(body: &[u8], mut each: impl FnMut(Update)) -> Result<Outline, ReadError> {
    let mut outline = Outline::default();
    read_answer(body, Pick::Updates, |part| match part.name.as_str() {
        "version" => outline.version = Some(part.text).filter(|version| !version.is_empty()),
        "truncated" => outline.truncated = part.is_true(),
        "objectSet" => {
            if let Some(update) = update(part, &mut outline.lacks_session) {
                each(update);
            }
        }
        _ => {}
    })?;
    Ok(outline)
}

fn update(mut set: Element, lacks_session: &mut bool) -> Option<Update> {
    let object = set.moref_at("obj")?;
    let mut kind = match set.text_at("kind") {
        Some("leave") => Kind::Leave,
        Some("enter") => Kind::Enter,
        _ => Kind::Modify,
    };
    let mut changes = Vec::new();
    for child in &mut set.children {
        match child.name.as_str() {
            "changeSet" => {
                let name = child.text_at("name").unwrap_or_default().to_owned();
                let is_removed = matches!(child.text_at("op"), Some("remove" | "indirectRemove"));
                let value = child.children.iter_mut().find(|child| child.name == "val" && !is_removed);
                changes.push((name, value.map(std::mem::take)));
            }
            "missingSet" => {
                let fault = child.child("fault").map(Fault::from_localized);
                let is = |name: &str| fault.as_ref().is_some_and(|fault| fault.is(name));
                if is("ManagedObjectNotFound") {
                    kind = Kind::Leave;
                }
                *lacks_session |= is("NotAuthenticated");
                // What cannot be read is not known any more; it is not known to be unset either, but no answer tells the two apart.
                changes.push((child.text_at("path").unwrap_or_default().to_owned(), None));
            }
            _ => {}
        }
    }
    Some(Update { object, kind, changes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(inside: &str) -> String {
        format!(
            "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\">\
             <e:Body><WaitForUpdatesExResponse xmlns=\"urn:vim25\">{inside}</WaitForUpdatesExResponse></e:Body></e:Envelope>"
        )
    }

    #[test]
    fn reads_every_kind_of_news() {
        let missing = |fault: &str| {
            format!(
                "<missingSet><path>config.uuid</path><fault><fault i:type=\"{fault}\"/><localizedMessage/></fault></missingSet>"
            )
        };
        let set = |kind: &str, id: &str, inside: &str| {
            format!("<objectSet><kind>{kind}</kind><obj type=\"VirtualMachine\">{id}</obj>{inside}</objectSet>")
        };
        let name = "<changeSet><name>name</name><op>assign</op><val i:type=\"x\">a &amp; b</val></changeSet>";
        let unset = "<changeSet><name>snapshot</name><op>assign</op></changeSet>";
        let removed = "<changeSet><name>parent</name><op>indirectRemove</op><val>x</val></changeSet>";
        let body = answer(&format!(
            "<returnval><version>7</version><filterSet><filter type=\"PropertyFilter\">f</filter>{}{}{}</filterSet>\
             <filterSet><filter type=\"PropertyFilter\">g</filter>{}{}</filterSet><truncated>true</truncated></returnval>",
            set("enter", "vm-1", name),
            set("modify", "vm-2", &format!("{unset}{removed}")),
            set("leave", "vm-3", ""),
            set("enter", "vm-4", &missing("NoPermission")),
            set("modify", "vm-5", &missing("ManagedObjectNotFound")),
        ));
        let mut found = Vec::new();
        let outline = read(body.as_bytes(), |update| found.push(update)).unwrap();
        assert_eq!((outline.version.as_deref(), outline.truncated, outline.lacks_session), (Some("7"), true, false));
        let shown: Vec<(&str, Kind, Vec<(&str, Option<&str>)>)> = found
            .iter()
            .map(|update| {
                let changes =
                    update.changes.iter().map(|(path, value)| (path.as_str(), value.as_ref().map(Element::value)));
                (update.object.value.as_str(), update.kind, changes.collect())
            })
            .collect();
        let expected = [
            ("vm-1", Kind::Enter, vec![("name", Some("a & b"))]),
            ("vm-2", Kind::Modify, vec![("snapshot", None), ("parent", None)]),
            ("vm-3", Kind::Leave, vec![]),
            ("vm-4", Kind::Enter, vec![("config.uuid", None)]),
            ("vm-5", Kind::Leave, vec![("config.uuid", None)]),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn nothing_new_and_no_session_are_told_apart() {
        let idle = read(answer("").as_bytes(), |_| panic!("no news")).unwrap();
        assert!(idle.version.is_none() && !idle.truncated && !idle.lacks_session);
        let without = "<returnval><version>1</version><filterSet><objectSet><kind>enter</kind><obj type=\"Folder\">f</obj><missingSet>\
                       <path>name</path><fault><fault i:type=\"NotAuthenticated\"/></fault></missingSet></objectSet></filterSet></returnval>";
        assert!(read(answer(without).as_bytes(), |_| {}).unwrap().lacks_session);
    }
}
