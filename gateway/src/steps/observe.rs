//! A second look at a VM: what may have moved meanwhile (safety.md S13).

use crate::{
    catalog::SnapshotIntent,
    deps::Deps,
    error::{GatewayError, Result},
    layout::{Depth, Observation, VmLayout},
};
use strata_model::ErrorKind;
use strata_proto::strata::inventory::v1::PowerState;

/// Looks again, and refuses where the VM is no longer the one that was planned for (safety.md S5).
pub async fn look(deps: &Deps, intent: &SnapshotIntent) -> Result<Observation> {
    let layout = VmLayout::read(&deps.ports, &intent.vm, Depth::Quick).await?;
    let changed = |what: String| {
        GatewayError::conflict("VM_CHANGED", format!("{} is not as it was planned for: {what}", intent.vm_display_name))
            .with("vm", &intent.vm)
    };
    if layout.vm.bios_uuid != intent.bios_uuid {
        return Err(changed(format!("its BIOS uuid was {} and is {}", intent.bios_uuid, layout.vm.bios_uuid)));
    }
    if layout.vm.vmx_path != intent.vmx_path {
        return Err(changed(format!("its files moved from {} to {}", intent.vmx_path, layout.vm.vmx_path)));
    }
    // Without freeze and without order of the disks, which a running VM would need (safety.md S10, S15).
    if intent.vm_off && layout.vm.power_state() != PowerState::Off {
        return Err(changed("it was off and runs now; plan again".to_owned()));
    }
    for member in &intent.members {
        let now: Vec<_> = layout.datastore(&member.datastore).iter().flat_map(|placed| placed.volumes()).collect();
        let same = now.iter().any(|volume| volume.name == member.volume && volume.uuid == member.volume_uuid);
        match now.first() {
            Some(_) if same => {}
            Some(volume) => return Err(changed(format!("[{}] is {} now", member.datastore, volume.name))),
            None => return Err(changed(format!("[{}] is no longer found on an array", member.datastore))),
        }
    }
    // While our VMware snapshot is open the file to attach lies directly under its delta; otherwise it is the one that is
    // written. One deeper would miss what was written since somebody else's VMware snapshot.
    let ours = format!("strata-{}", intent.snapshot_id);
    let ours_is_open = layout.topology.vm_snapshots.iter().any(|snapshot| snapshot.display_name == ours);
    for disk in &intent.disks {
        let live = layout.disks.iter().find(|placed| placed.disk.key == disk.key);
        match live {
            Some(live)
                if live.disk.chain.get(usize::from(ours_is_open && !live.disk.independent))
                    == Some(&disk.attach_path) => {}
            Some(live) if live.disk.chain.contains(&disk.attach_path) => {
                let message = format!(
                    "{} writes {} now, over {}: somebody made a VMware snapshot since; plan again",
                    disk.label, live.path, disk.attach_path
                );
                return Err(changed(message));
            }
            Some(live) => return Err(changed(format!("{} was {} and is {}", disk.label, disk.attach_path, live.path))),
            None => return Err(changed(format!("{} is gone", disk.label))),
        }
    }
    Ok(Observation::of(&layout))
}

/// A VM that moved twice during a cut.
pub fn moved_twice(intent: &SnapshotIntent, what: &str) -> GatewayError {
    let message = format!("{} moved while it was cut, twice: {what}; try again later", intent.vm_display_name);
    GatewayError::new(ErrorKind::Conflict, "VM_MOVED", message).with("vm", &intent.vm)
}
