//! AnswerQuestion: whether a VM was copied or moved. Any other question is a person's to answer.

use crate::{
    soap::Element,
    topology::{pb, read::read_vm},
    vcenter::{Error, Refusal},
    vcenters::Vcenters,
};

/// Message of the question whether a VM was copied or moved.
const UUID_ALTERED: &str = "msg.uuid.altered";

/// The act.
///
/// # Errors
/// A bad request, no such VM, or the question is another one.
pub async fn run(vcenters: Vcenters, request: pb::AnswerQuestionRequest) -> Result<pb::AnswerQuestionResponse, Error> {
    let (client, uuid) = vcenters.with_child("vm", &request.vm, "vms")?;
    let vm = read_vm(&client, &uuid).await?;
    let asked = vm.properties.get("runtime.question").filter(|question| question.text_at("id").is_some());
    let Some(question) = asked else { return Ok(pb::AnswerQuestionResponse { question: String::new() }) };
    let text = question.text_at("text").unwrap_or_default().to_owned();
    let is_about_uuid = question.all("message").any(|message| message.text_at("id") == Some(UUID_ALTERED))
        || text.contains(UUID_ALTERED);
    if !is_about_uuid {
        let message =
            format!("vCenter asks about VM {}: '{text}'; answer it in the vSphere client", vm.vm.display_name);
        return Err(Refusal::conflict("OTHER_QUESTION", message).and("vm", request.vm).into());
    }
    let choice = choose(question, request.copied).ok_or_else(|| {
        let message = format!(
            "the question about VM {} offers no answer that we know; answer it in the vSphere client",
            vm.vm.display_name
        );
        Refusal::conflict("OTHER_QUESTION", message).and("vm", request.vm.clone())
    })?;
    let id = question.text_at("id").unwrap_or_default();
    match client.answer(&vm.moref, id, &choice, &format!("VM {}", vm.vm.display_name)).await {
        // Somebody else was quicker: the question is answered.
        Err(error) if error.is_fault("ConcurrentAccess") => {}
        other => other?,
    }
    Ok(pb::AnswerQuestionResponse { question: text })
}

/// The key of the wanted answer: by its label, else by its key, else the one that vCenter proposes for a copy.
fn choose(question: &Element, copied: bool) -> Option<String> {
    let word = if copied { "copied" } else { "moved" };
    let choices: Vec<&Element> = question.child("choice")?.all("choiceInfo").collect();
    let says = |choice: &&&Element, field: &str| {
        choice.text_at(field).is_some_and(|text| text.to_ascii_lowercase().contains(word))
    };
    let found = ["label", "summary", "key"].iter().find_map(|field| choices.iter().find(|choice| says(choice, field)));
    let default: usize = question.number_at("choice.defaultIndex").unwrap_or(usize::MAX);
    let proposed = choices.get(default).filter(|_| copied);
    found.or(proposed)?.text_at("key").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soap::reader::read_values;

    fn question(choices: &[(&str, &str)], default: &str) -> Element {
        let infos: String = choices
            .iter()
            .map(|(key, label)| {
                format!("<choiceInfo xsi:type=\"ElementDescription\"><label>{label}</label><summary/><key>{key}</key></choiceInfo>")
            })
            .collect();
        let body = format!(
            "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><e:Body><r xmlns=\"urn:vim25\"><returnval>\
             <choice>{infos}{default}</choice></returnval></r></e:Body></e:Envelope>"
        );
        read_values(body.as_bytes()).unwrap().remove(0)
    }

    #[test]
    fn chooses_by_label_and_never_a_default_for_moved() {
        let known = [("0", "Cancel"), ("1", "I Moved It"), ("2", "I Copied It")];
        let unknown = [("0", "Abbrechen"), ("1", "Verschoben"), ("2", "Kopiert")];
        for (choices, default, copied, expected) in [
            (&known, "", true, Some("2")),
            (&known, "", false, Some("1")),
            (&unknown, "<defaultIndex>2</defaultIndex>", true, Some("2")),
            (&unknown, "<defaultIndex>2</defaultIndex>", false, None),
            (&unknown, "", true, None),
        ] {
            assert_eq!(choose(&question(choices, default), copied).as_deref(), expected, "{choices:?} {copied}");
        }
    }
}
