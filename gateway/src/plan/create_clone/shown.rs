//! The plan of a clone for people.

use crate::{
    catalog::{CloneIntent, RestorePoint},
    plan::{fact, seal::Seal, step, words},
};
use strata_proto::strata::gateway::v1::PlanResponse;

pub(super) fn shown(intent: &CloneIntent, point: &RestorePoint) -> PlanResponse {
    let name = &intent.display_name;
    let mut steps = vec![step("verify", "check that the files in the snapshot are of this VM", "nothing to undo")];
    if intent.by_volume {
        let stores: Vec<String> = intent.targets.iter().map(|target| target.datastore.clone()).collect();
        let volumes: Vec<String> = intent.targets.iter().map(|target| target.volume.clone()).collect();
        steps.push(step(
            "array_clone",
            format!("clone {} on the array", words::list(&volumes, 4)),
            "remove the clones",
        ));
        steps.push(step("export", "export them to the hosts", "take the exports away"));
        let text = format!("mount {} on {} hosts", words::list(&stores, 4), intent.hosts.len());
        steps.push(step("present", text, "unmount them on every host"));
    } else {
        let count: usize = intent.targets.iter().map(|target| target.files.len()).sum();
        let text = format!("clone {count} files of the snapshot into {}", words::list(&intent.allowed_directories, 4));
        steps.push(step("array_clone", text, "remove those directories"));
    }
    steps.push(step("register", format!("register {} as {name}", intent.vmx_path), "take it out of the inventory"));
    steps.push(step("identity", format!("give {name} a new uuid and new MAC addresses"), "goes with the registration"));
    if intent.power_on {
        steps.push(step("power_on", format!("turn {name} on, adapters disconnected"), "turn it off"));
    }
    steps.push(step("record", "record the clone", "forget it"));
    let mut facts = vec![
        fact(
            "way",
            if intent.by_volume { "volumes: datastores of its own" } else { "files: in the source's datastores" },
        ),
        fact("grade", format!("{} (asked {})", point.cut.grade, point.intent.grade_asked)),
        fact("identity", format!("uuid {}, new MAC addresses, adapters disconnected", intent.bios_uuid)),
        fact("teardown", format!("strata clone delete {name}")),
    ];
    facts.extend(
        point.intent.excluded.iter().map(|disk| fact("excluded disk", format!("{}: {}", disk.label, disk.reason))),
    );
    if intent.by_volume && !point.intent.neighbours.is_empty() {
        let text =
            format!("the clone datastores hold copies of {} neighbours' files as well", point.intent.neighbours.len());
        facts.push(fact("tenancy", text));
    }
    let shown = PlanResponse {
        summary: format!("clone {} as {name}", point.display_name),
        steps,
        neighbours: words::neighbours(&point.intent.neighbours),
        facts,
        point_of_no_return: String::new(),
        undo_command: format!("strata clone delete {name}"),
        ..PlanResponse::default()
    };
    Seal::default().point(point).object("name", name).copy(intent).close(shown)
}
