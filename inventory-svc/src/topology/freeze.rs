//! Whether applications in a guest can be told to freeze, and tell that they did: VSS in Windows. In every other guest the
//! scripts around a freeze may tell applications, and nobody tells vCenter whether there were any.
//!
//! VMware falls back to the guest's file systems silently where a VM lacks what VSS needs of it, so each of these is looked at
//! before, and a grade is never claimed on the strength of the wish.

use super::{devices, vm::extra_config};
use crate::vcenter::property_collector::ObjectProperties;

/// Why its applications cannot be told; `None` where they can. Needs the properties of a topology.
pub fn obstacle(vm: &ObjectProperties) -> Option<String> {
    if !is_windows(vm) {
        return Some("only applications in Windows tell that they froze (VSS)".to_owned());
    }
    let uuids = ["disk.EnableUUID", "disk.enableUUID"].iter().find_map(|key| extra_config(vm, key));
    let has_uuids =
        vm.is_true("config.flags.diskUuidEnabled") || uuids.is_some_and(|on| on.eq_ignore_ascii_case("true"));
    if !has_uuids {
        return Some("disk.EnableUUID is not TRUE in its settings, and VSS needs it".to_owned());
    }
    let disks = devices::disks(vm.items("config.hardware.device"), &|_| String::new());
    let other = disks.iter().find(|disk| !disk.address.starts_with("scsi"))?;
    Some(format!("{} is at {}, and VSS needs SCSI disks", other.label, other.address))
}

/// By what Tools report, else by what the VM was set up for.
fn is_windows(vm: &ObjectProperties) -> bool {
    match vm.text("guest.guestFamily") {
        "" => vm.text("config.guestId").starts_with("win"),
        family => family == "windowsGuest",
    }
}
