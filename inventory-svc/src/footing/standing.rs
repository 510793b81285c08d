//! One vCenter's answer to: does Strata stand on this VM?

use super::Machine;
use crate::{soap::Element, vcenter::property_collector::ObjectProperties};
use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

/// What a VM is compared with.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// The vCenter's configured name.
    pub vcenter: String,
    /// The host in its url, lower case.
    pub host: String,
    /// The addresses that the host stands for.
    pub addresses: BTreeSet<IpAddr>,
    /// This machine.
    pub machine: Arc<Machine>,
}

impl Standing {
    /// Why the VM must not be stopped; empty where nothing speaks for it. A topology's properties tell more than a list's.
    pub fn reason(&self, vm: &ObjectProperties) -> String {
        // GuestInfo is what Tools report.
        let of_adapters = vm.items("guest.net").iter().flat_map(|adapter| adapter.all("ipAddress")).map(Element::value);
        let addresses = of_adapters.chain([vm.text("guest.ipAddress")]);
        let uuid =
            ["config.uuid", "summary.config.uuid"].iter().map(|path| vm.text(path)).find(|uuid| !uuid.is_empty());
        let of_devices = vm.items("config.hardware.device").iter().filter_map(|device| device.text_at("macAddress"));
        let of_guest = vm.items("guest.net").iter().filter_map(|adapter| adapter.text_at("macAddress"));
        self.is_vcenter(addresses, vm.text("guest.hostName"))
            .or_else(|| self.is_this_machine(uuid, of_devices.chain(of_guest)))
            .unwrap_or_default()
    }

    /// The same by what is held of every VM: its guest's address and name, and its BIOS uuid.
    pub fn reason_by(&self, address: &str, guest: &str, bios_uuid: &str) -> String {
        let uuid = Some(bios_uuid).filter(|uuid| !uuid.is_empty());
        self.is_vcenter([address].into_iter(), guest)
            .or_else(|| self.is_this_machine(uuid, std::iter::empty()))
            .unwrap_or_default()
    }

    fn is_vcenter<'a>(&self, mut addresses: impl Iterator<Item = &'a str>, guest: &str) -> Option<String> {
        let own = |text: &&str| text.parse::<IpAddr>().is_ok_and(|address| self.addresses.contains(&address));
        if let Some(address) = addresses.find(own) {
            return Some(format!(
                "vCenter {} runs in it: its guest has the address {address} of {}",
                self.vcenter, self.host
            ));
        }
        let name = guest.trim_end_matches('.');
        let is_named = !self.host.is_empty() && self.host != "localhost" && name.eq_ignore_ascii_case(&self.host);
        is_named.then(|| format!("vCenter {} runs in it: its guest is called {name}", self.vcenter))
    }

    fn is_this_machine<'a>(
        &self,
        bios_uuid: Option<&str>,
        mut adapters: impl Iterator<Item = &'a str>,
    ) -> Option<String> {
        if let Some(uuid) = bios_uuid.filter(|uuid| self.machine.has_bios_uuid(uuid)) {
            return Some(format!("Strata runs in it: its BIOS uuid {uuid} is that of inventory-svc's machine"));
        }
        let own = adapters.find(|address| self.machine.has_mac_address(address))?;
        Some(format!("Strata runs in it: its adapter's address {own} is that of inventory-svc's machine"))
    }
}
