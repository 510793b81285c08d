//! What happens to hosts while nobody looks: lost connections, maintenance.

use super::{fault::Fault, state::State};

impl State {
    /// Sets a host's connection (`connected`, `disconnected`, `notResponding`); its VMs show it.
    pub fn set_host_connection(&mut self, name: &str, connection: &str) {
        let found = self.hosts.iter_mut().find(|(_, h)| h.name == name);
        let Some((id, host)) = found else { return };
        connection.clone_into(&mut host.connection);
        let shown = if connection == "connected" { "connected" } else { "disconnected" };
        for vm in self.vms.values_mut().filter(|v| v.host == *id) {
            if vm.connection == "connected" || vm.connection == "disconnected" {
                shown.clone_into(&mut vm.connection);
            }
        }
        self.touch();
    }

    /// Refuses where the VM's host is not connected.
    ///
    /// Errors: HostNotConnected.
    pub fn check_host_of(&self, vm: &str) -> Result<(), Fault> {
        let host = self.vm(vm)?.host.clone();
        if self.hosts.contains_key(&host) { self.check_host(&host) } else { Ok(()) }
    }
}
