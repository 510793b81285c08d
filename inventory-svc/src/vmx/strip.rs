//! What a clone must not have: devices that reach outside of its own storage, and settings that other products own.

use super::Vmx;
use std::collections::BTreeSet;

/// Slot of a disk or CD drive, `scsi0:1`; `None` for keys of other things.
pub(super) fn slot_of(key: &str) -> Option<&str> {
    let (slot, _) = key.split_once('.')?;
    let (controller, unit) = slot.split_once(':')?;
    let prefix = controller.trim_end_matches(|character: char| character.is_ascii_digit());
    let is_number = !unit.is_empty() && unit.bytes().all(|byte| byte.is_ascii_digit());
    let known = ["scsi", "sata", "ide", "nvme"].iter().any(|name| prefix.eq_ignore_ascii_case(name));
    (is_number && known && prefix.len() < controller.len()).then_some(slot)
}

/// Takes out ports, passthrough devices, NPIV, images of floppies and replication; adds what was there to the list.
pub(super) fn strip_devices(vmx: &mut Vmx, stripped: &mut Vec<String>) {
    for (prefix, word) in [
        ("serial", "serial port"),
        ("parallel", "parallel port"),
        ("pcipassthru", "passthrough device"),
        ("floppy", "floppy"),
    ] {
        for device in numbered(vmx, prefix) {
            let key = |field: &str| format!("{device}.{field}");
            let is_present = vmx.get(&key("present")).is_none_or(|value| value.eq_ignore_ascii_case("true"));
            let file = vmx.get(&key("fileName")).filter(|name| !name.is_empty()).map(str::to_owned);
            let own = format!("{device}.").to_ascii_lowercase();
            vmx.remove(|key| key.starts_with(&own));
            if prefix == "floppy" {
                // Without this line ESXi adds a floppy drive by itself.
                vmx.set(&key("present"), "FALSE");
            }
            if is_present && (prefix != "floppy" || file.is_some()) {
                stripped.push(format!("{word} {device} {}", file.unwrap_or_default()).trim_end().to_owned());
            }
        }
    }
    let npiv = vmx.remove(|key| key.starts_with("wwn.") || key == "wwn" || key.starts_with("npiv"));
    if npiv > 0 {
        stripped.push("NPIV".to_owned());
    }
    let host_usb = vmx.remove(|key| key.starts_with("usb") && key.contains("autoconnect"));
    if host_usb > 0 {
        stripped.push("USB host device".to_owned());
    }
    strip_replication(vmx, stripped);
}

fn strip_replication(vmx: &mut Vmx, stripped: &mut Vec<String>) {
    let filtered: BTreeSet<String> = vmx
        .entries()
        .filter(|(key, value)| key.to_ascii_lowercase().ends_with(".filters") && value.contains("hbr_filter"))
        .map(|(key, _)| key.to_ascii_lowercase())
        .collect();
    let removed = vmx.remove(|key| key.contains("hbr_filter") || key.starts_with("hbr.") || filtered.contains(key));
    if removed > 0 {
        stripped.push("replication settings".to_owned());
    }
}

/// `serial0`, `serial1`: devices with this prefix that the file names.
pub(super) fn numbered(vmx: &Vmx, prefix: &str) -> BTreeSet<String> {
    let device_of = |key: &str| {
        let (device, _) = key.split_once('.')?;
        let lower = device.to_ascii_lowercase();
        let number = lower.strip_prefix(prefix)?;
        (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then(|| device.to_owned())
    };
    vmx.entries().filter_map(|(key, _)| device_of(key)).collect()
}
