//! This machine, as the kernel shows it below /sys: its BIOS uuid, its serial number, its network interfaces.

use std::{collections::BTreeSet, path::Path};
use uuid::Uuid;

/// Uuids that boards have which were given none.
const NOBODYS: &[&str] = &["03000200-0400-0500-0006-000700080009", "12345678-1234-5678-90ab-cddeefaabbcc"];
/// What stands before a VMware VM's uuid in its serial number.
const SERIAL: &str = "VMware-";

/// A machine's identity. Empty sets know nothing and match nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    /// BIOS uuids that it may have: VMware writes the first three fields in the other byte order than SMBIOS 2.6 reads them,
    /// from hardware version 13 on.
    pub bios_uuids: BTreeSet<Uuid>,
    /// MAC addresses of its interfaces, lower case with colons.
    pub mac_addresses: BTreeSet<String>,
}

impl Machine {
    /// Reads it below `sys`, which is /sys but in tests. What cannot be read is not known: the uuid and the serial number are
    /// root's only, MAC addresses are everybody's.
    pub fn read(sys: &Path) -> Self {
        let text = |path: &str| std::fs::read_to_string(sys.join(path)).unwrap_or_default();
        let mut machine = Self::default();
        machine.add_uuid(&text("class/dmi/id/product_uuid"));
        machine.add_serial(&text("class/dmi/id/product_serial"));
        let interfaces = std::fs::read_dir(sys.join("class/net")).into_iter().flatten().flatten();
        for interface in interfaces {
            machine.add_mac_address(&std::fs::read_to_string(interface.path().join("address")).unwrap_or_default());
        }
        machine
    }

    /// Whether a VM's `config.uuid` may be this machine's.
    pub fn has_bios_uuid(&self, uuid: &str) -> bool {
        Uuid::parse_str(uuid.trim()).is_ok_and(|uuid| self.bios_uuids.contains(&uuid))
    }

    /// Whether an adapter's address is this machine's.
    pub fn has_mac_address(&self, address: &str) -> bool {
        self.mac_addresses.contains(&address.to_ascii_lowercase())
    }

    /// A uuid in either byte order.
    fn add_uuid(&mut self, text: &str) {
        let Ok(uuid) = Uuid::parse_str(text.trim()) else { return };
        let is_nobodys = uuid.is_nil() || uuid.is_max() || NOBODYS.contains(&uuid.to_string().as_str());
        if !is_nobodys {
            self.bios_uuids.insert(uuid);
            self.bios_uuids.insert(Uuid::from_bytes_le(*uuid.as_bytes()));
        }
    }

    /// `VMware-56 4d a6 d2 17 06 63 43-dc 2d 99 59 b5 33 a7 b3`: always in vCenter's order.
    fn add_serial(&mut self, text: &str) {
        let Some(hex) = text.trim().strip_prefix(SERIAL) else { return };
        let digits: String = hex.chars().filter(char::is_ascii_hexdigit).collect();
        if let Ok(uuid) = Uuid::try_parse(&digits) {
            self.bios_uuids.insert(uuid);
        }
    }

    fn add_mac_address(&mut self, text: &str) {
        let address = text.trim().to_ascii_lowercase();
        // Loopback and tunnels have none or zeros.
        if address.len() == 17 && address != "00:00:00:00:00:00" {
            self.mac_addresses.insert(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(uuid: &str, serial: &str) -> Machine {
        let mut machine = Machine::default();
        machine.add_uuid(uuid);
        machine.add_serial(serial);
        machine
    }

    #[test]
    fn a_bios_uuid_is_known_in_both_orders_and_by_the_serial_number() {
        let serial = "VMware-56 4d a6 d2 17 06 63 43-dc 2d 99 59 b5 33 a7 b3\n";
        for (uuid, serial, vcenter_says, expected) in [
            // Hardware version 13 and newer, as seen in a guest and in vCenter.
            ("5C241F42-A87F-FA60-6AF6-A46351CED0EB\n", "", "421f245c-7fa8-60fa-6af6-a46351ced0eb", true),
            ("564da6d2-1706-6343-dc2d-9959b533a7b3", "", "564DA6D2-1706-6343-DC2D-9959B533A7B3", true),
            ("", serial, "564da6d2-1706-6343-dc2d-9959b533a7b3", true),
            ("", serial, "d2a64d56-0617-4363-dc2d-9959b533a7b3", false),
            ("5c241f42-a87f-fa60-6af6-a46351ced0eb", serial, "5c241f42-a87f-fa60-6af6-a46351ced0ec", false),
            ("00000000-0000-0000-0000-000000000000", "", "00000000-0000-0000-0000-000000000000", false),
            ("ffffffff-ffff-ffff-ffff-ffffffffffff", "", "ffffffff-ffff-ffff-ffff-ffffffffffff", false),
            ("03000200-0400-0500-0006-000700080009", "", "03000200-0400-0500-0006-000700080009", false),
            ("Not Settable", "To be filled by O.E.M.", "", false),
            ("", "VMware-56 4d", "564d", false),
        ] {
            assert_eq!(machine(uuid, serial).has_bios_uuid(vcenter_says), expected, "{uuid} {serial} {vcenter_says}");
        }
    }

    #[test]
    fn reads_what_the_kernel_shows_and_lives_without_it() {
        let folder = std::env::temp_dir().join(format!("strata-machine-{}", Uuid::new_v4()));
        assert_eq!(Machine::read(&folder), Machine::default());
        for (path, text) in [
            ("class/dmi/id/product_uuid", "5c241f42-a87f-fa60-6af6-a46351ced0eb\n"),
            ("class/net/ens192/address", "00:50:56:AB:cd:01\n"),
            ("class/net/lo/address", "00:00:00:00:00:00\n"),
            ("class/net/tun0/address", "\n"),
        ] {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let machine = Machine::read(&folder);
        std::fs::remove_dir_all(folder).unwrap();
        assert!(machine.has_bios_uuid("421f245c-7fa8-60fa-6af6-a46351ced0eb"), "{machine:?}");
        assert!(machine.has_mac_address("00:50:56:ab:CD:01"), "{machine:?}");
        assert_eq!(machine.mac_addresses.len(), 1, "{machine:?}");
    }
}
