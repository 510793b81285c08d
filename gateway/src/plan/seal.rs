//! What a plan's hash covers: who is touched (identities), where their files lie (paths), who lives beside them (tenancy) and what is
//! mapped to whom (mappings), a line each. Not load, times or heartbeats, and not the ids and names that are made anew by every plan, so
//! that two plans of one world have one hash. The lines are told with the plan: whoever applies it later is told which one differs.

use crate::{
    catalog::{CloneIntent, RestorePoint},
    layout::VmLayout,
};
use sha2::{Digest as _, Sha256};
use strata_proto::strata::gateway::v1::{PlanObject, PlanResponse};

/// The lines of a plan, while it is made.
#[derive(Debug, Clone, Default)]
pub(super) struct Seal(Vec<PlanObject>);

impl Seal {
    /// One more object: what people call it, and everything about it that must stay as it is.
    pub(super) fn object(mut self, object: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.push(PlanObject { object: object.into(), value: value.into() });
        self
    }

    /// A VM where it lies now: itself, its disks, its datastores with their volumes, its neighbours.
    pub(super) fn layout(mut self, layout: &VmLayout) -> Self {
        let vm = &layout.vm;
        self = self.object(
            format!("VM {}", vm.display_name),
            format!("{}, BIOS uuid {}, {}", vm.name, vm.bios_uuid, vm.vmx_path),
        );
        for placed in &layout.disks {
            let chain = placed.disk.chain.join(" on ");
            self = self.object(
                format!("{} of {}", placed.disk.label, vm.display_name),
                format!("uuid {}, {}, {chain}", placed.disk.uuid, placed.path),
            );
        }
        for (name, placed) in &layout.datastores {
            let volumes: Vec<String> =
                placed.volumes().map(|volume| format!("{} uuid {}", volume.name, volume.uuid)).collect();
            let luns: Vec<&str> = placed.luns.iter().map(|part| part.lun.canonical_name.as_str()).collect();
            let value = format!("{} {} {}", volumes.join(", "), placed.path_in_volume, luns.join(", "));
            self = self.object(format!("datastore {name}"), value.trim());
        }
        for neighbour in &layout.neighbours {
            self = self.object(
                format!("{} {} beside it", neighbour.kind, neighbour.display_name),
                format!("[{}] {} {}", neighbour.datastore, neighbour.volume, neighbour.vm),
            );
        }
        self
    }

    /// A restore point and what it is on the arrays.
    pub(super) fn point(mut self, point: &RestorePoint) -> Self {
        self = self
            .object(format!("restore point {}", point.display_name), format!("{} of {}", point.id, point.intent.vm));
        for member in &point.cut.members {
            self = self.object(
                format!("snapshot {} on {}", member.native_name, member.volume),
                format!("{} of {}", member.snapshot_id, point.intent.bios_uuid),
            );
        }
        self
    }

    /// Where a copy goes, without what is called by its id.
    pub(super) fn copy(mut self, intent: &CloneIntent) -> Self {
        let place = format!("folder {}, pool {}", intent.folder_moref, intent.pool_moref);
        self = self.object("place in the inventory", place);
        for target in &intent.targets {
            let value = if intent.by_volume { "cloned whole".to_owned() } else { target.to_directory.clone() };
            self = self.object(format!("copy of what is on {}", target.volume), value);
        }
        for vmfs in &intent.vmfs {
            let extents: Vec<String> = vmfs.extents.iter().map(|(volume, lun)| format!("{volume} {lun}")).collect();
            self = self.object(format!("VMFS {}", vmfs.source), extents.join(", "));
        }
        for host in &intent.lun_hosts {
            self = self.object(format!("host {}", host.name), format!("{} {}", host.moref, host.initiators.join(", ")));
        }
        let hosts: Vec<String> =
            intent.hosts.iter().map(|(datastore, hosts)| format!("{datastore} on {}", hosts.join(", "))).collect();
        self.object("hosts", hosts.join("; "))
    }

    /// Puts lines and hash into the plan. The names of its steps count as well: they are the way that it takes.
    pub(super) fn close(self, shown: PlanResponse) -> PlanResponse {
        let steps: Vec<&str> = shown.steps.iter().map(|step| step.name.as_str()).collect();
        let sealed = self.object("steps", steps.join(", "));
        let hash = hash_of(&sealed.0);
        PlanResponse { objects: sealed.0, hash, ..shown }
    }
}

fn hash_of(objects: &[PlanObject]) -> String {
    let mut hasher = Sha256::new();
    for part in objects.iter().flat_map(|line| [&line.object, &line.value]) {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hex::encode(&hasher.finalize()[..16])
}

/// What differs between the lines of two plans, in words.
pub fn differences(was: &[PlanObject], is: &[PlanObject]) -> Vec<String> {
    let mut found = Vec::new();
    // Two objects may be called the same, so that lines are compared and not names.
    let gone = was.iter().filter(|line| !is.contains(line));
    let new: Vec<&PlanObject> = is.iter().filter(|line| !was.contains(line)).collect();
    for line in gone {
        match new.iter().find(|now| now.object == line.object) {
            Some(now) => found.push(format!("{} was {} and is {}", line.object, line.value, now.value)),
            None => found.push(format!("{} is gone (was {})", line.object, line.value)),
        }
    }
    let named = |line: &&&PlanObject| !was.iter().any(|before| before.object == line.object);
    found.extend(new.iter().filter(named).map(|line| format!("{} is new: {}", line.object, line.value)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(lines: &[(&str, &str)]) -> PlanResponse {
        lines
            .iter()
            .fold(Seal::default(), |seal, (object, value)| seal.object(*object, *value))
            .close(PlanResponse::default())
    }

    #[test]
    fn equal_lines_have_one_hash_and_each_part_counts() {
        let one = sealed(&[("VM a", "1"), ("VM b", "2")]);
        assert_eq!(one.hash, sealed(&[("VM a", "1"), ("VM b", "2")]).hash);
        for other in [&[("VM a", "1"), ("VM b", "3")][..], &[("VM a", "1")], &[("VM a", "1VM b"), ("", "2")]] {
            assert_ne!(one.hash, sealed(other).hash, "{other:?}");
        }
        assert_eq!(one.hash.len(), 32);
    }

    #[test]
    fn differences_name_the_object() {
        let was = sealed(&[("VM a", "1"), ("neighbour n", "x"), ("disk d", "old")]);
        let is = sealed(&[("VM a", "1"), ("disk d", "new"), ("neighbour m", "y")]);
        assert_eq!(
            differences(&was.objects, &is.objects),
            ["neighbour n is gone (was x)", "disk d was old and is new", "neighbour m is new: y"]
        );
        assert_eq!(differences(&was.objects, &was.objects), Vec::<String>::new());
    }
}
