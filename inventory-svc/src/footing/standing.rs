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
        self.is_vcenter(vm).or_else(|| self.is_this_machine(vm)).unwrap_or_default()
    }

    /// By the guest's addresses and name (GuestInfo, which Tools report).
    fn is_vcenter(&self, vm: &ObjectProperties) -> Option<String> {
        let of_adapters = vm.items("guest.net").iter().flat_map(|adapter| adapter.all("ipAddress")).map(Element::value);
        let mut addresses = of_adapters.chain([vm.text("guest.ipAddress")]);
        let own = |text: &&str| text.parse::<IpAddr>().is_ok_and(|address| self.addresses.contains(&address));
        if let Some(address) = addresses.find(own) {
            return Some(format!(
                "vCenter {} runs in it: its guest has the address {address} of {}",
                self.vcenter, self.host
            ));
        }
        let name = vm.text("guest.hostName").trim_end_matches('.');
        let is_named = !self.host.is_empty() && self.host != "localhost" && name.eq_ignore_ascii_case(&self.host);
        is_named.then(|| format!("vCenter {} runs in it: its guest is called {name}", self.vcenter))
    }

    fn is_this_machine(&self, vm: &ObjectProperties) -> Option<String> {
        let uuid =
            ["config.uuid", "summary.config.uuid"].iter().map(|path| vm.text(path)).find(|uuid| !uuid.is_empty());
        if let Some(uuid) = uuid.filter(|uuid| self.machine.has_bios_uuid(uuid)) {
            return Some(format!("Strata runs in it: its BIOS uuid {uuid} is that of inventory-svc's machine"));
        }
        let of_devices = vm.items("config.hardware.device").iter().filter_map(|device| device.text_at("macAddress"));
        let of_guest = vm.items("guest.net").iter().filter_map(|adapter| adapter.text_at("macAddress"));
        let mut addresses = of_devices.chain(of_guest);
        let own = addresses.find(|address| self.machine.has_mac_address(address))?;
        Some(format!("Strata runs in it: its adapter's address {own} is that of inventory-svc's machine"))
    }
}
