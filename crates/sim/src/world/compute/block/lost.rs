//! All paths down: what happens to a host when a device goes away beneath it.
//!
//! A device that is attached and loses its last path is lost at once. Whoever made it so broke the order of a teardown
//! (unmount, detach, unmap), and that is noted as a mishap even where the host recovers. After the timeout the host hangs:
//! vCenter loses it, and its VMs with it, until every lost device is back.

use crate::world::compute::state::State;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// How long a host waits for a lost device before it fails everything that wants it (`Misc.APDTimeout`).
pub const APD_TIMEOUT: Duration = Duration::from_secs(140);

impl State {
    /// Devices of a host that are attached and have no path that works.
    pub fn lost_devices(&self, host: &str) -> Vec<String> {
        let Some(h) = self.hosts.get(host) else { return Vec::new() };
        let lost = h.san.devices.values().filter(|d| !d.detached && self.live_paths(host, d) == 0);
        lost.map(|d| d.name.clone()).collect()
    }

    /// Notices what arrays did since the last look. Cheap where they did nothing.
    pub(in crate::world::compute) fn notice_lost(&mut self) {
        // Jobs whose time has come may take devices away.
        self.world.settle();
        let version = self.world.maps_version();
        let waiting = self.hosts.values().any(|h| h.san.lost_since.is_some());
        if version == self.maps_seen && !waiting {
            return;
        }
        self.maps_seen = version;
        let now = self.now();
        for host in self.hosts.keys().cloned().collect::<Vec<_>>() {
            let lost = self.lost_devices(&host);
            if lost.is_empty() {
                self.found_again(&host);
            } else {
                self.lose(&host, &lost, now);
            }
        }
    }

    fn lose(&mut self, host: &str, lost: &[String], now: Timestamp) {
        let Some(h) = self.hosts.get_mut(host) else { return };
        let name = h.name.clone();
        let since = *h.san.lost_since.get_or_insert(now);
        let timeout = SignedDuration::try_from(APD_TIMEOUT).unwrap_or(SignedDuration::MAX);
        let hangs = !h.san.hung && now.duration_since(since) >= timeout;
        for device in lost {
            let detail = format!("the array took it away from host '{name}', which had not detached it");
            self.world.note_mishap("unmapped-in-use", format!("device '{device}'"), detail);
        }
        if hangs {
            if let Some(h) = self.hosts.get_mut(host) {
                h.san.hung = true;
            }
            self.set_host_connection(&name, "notResponding");
            let text = format!("Host {name} is not responding: all paths down");
            self.log("HostConnectionLostEvent", "", None, text);
        }
        self.touch();
    }

    fn found_again(&mut self, host: &str) {
        let Some(h) = self.hosts.get_mut(host).filter(|h| h.san.lost_since.is_some()) else { return };
        h.san.lost_since = None;
        let (name, hung) = (h.name.clone(), std::mem::take(&mut h.san.hung));
        if hung {
            self.set_host_connection(&name, "connected");
        }
        self.touch();
    }
}
