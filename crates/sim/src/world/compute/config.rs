//! Between a .vmx and a VM's configuration.

use super::{
    device::{Controller, Device, Disk, Kind, Nic, built_in, nic_of_type, nic_type},
    files::DsPath,
    state::State,
    vm::VmConfig,
    vmx::{Vmx, dashed, spaced},
};

const BUSES: &[(&str, i64, i64)] = &[("scsi", 4, 16), ("sata", 4, 30), ("nvme", 4, 15), ("ide", 2, 2)];

impl State {
    /// Reads a .vmx that lies at `home`; disks are looked up on their datastores.
    pub fn config_of(&self, text: &str, home: &DsPath) -> VmConfig {
        let mut vmx = Vmx::parse(text);
        let mut take = |key: &str| vmx.take(key);
        let mut config = VmConfig {
            name: take("displayName").unwrap_or_else(|| home.stem().to_owned()),
            uuid: take("uuid.bios").and_then(|u| dashed(&u)).unwrap_or_default(),
            instance_uuid: take("vc.uuid").and_then(|u| dashed(&u)).unwrap_or_default(),
            guest_id: take("guestOS").map_or_else(|| "otherGuest64".to_owned(), |g| guest_id(&g)),
            memory_mb: take("memSize").and_then(|v| v.parse().ok()).unwrap_or(1024),
            cpus: take("numvcpus").and_then(|v| v.parse().ok()).unwrap_or(1),
            annotation: take("annotation").unwrap_or_default(),
            version: format!("vmx-{}", take("virtualHW.version").unwrap_or_else(|| "19".to_owned())),
            nvram: take("nvram"),
            ..VmConfig::default()
        };
        config.cbt = vmx.is_true("ctkEnabled");
        vmx.take("ctkEnabled");
        config.managed_by =
            vmx.take("managedBy.extensionKey").map(|key| (key, vmx.take("managedBy.type").unwrap_or_default()));
        config.devices = built_in();
        for (prefix, buses, units) in BUSES {
            for bus in 0..*buses {
                self.read_bus(&mut vmx, home, prefix, bus, *units, &mut config.devices);
            }
        }
        for n in 0..10 {
            if let Some(device) = self.read_nic(&mut vmx, n) {
                config.devices.push(device);
            }
        }
        config.extra = vmx;
        config
    }

    fn read_bus(
        &self,
        vmx: &mut Vmx,
        home: &DsPath,
        prefix: &'static str,
        bus: i64,
        units: i64,
        out: &mut Vec<Device>,
    ) {
        let name = format!("{prefix}{bus}");
        let present = vmx.is_true(&format!("{name}.present"));
        if !present && prefix != "ide" {
            return;
        }
        let dev = vmx.take(&format!("{name}.virtualDev")).unwrap_or_default();
        let sharing = vmx.take(&format!("{name}.sharedBus")).unwrap_or_default();
        vmx.take(&format!("{name}.present"));
        let controller = Controller::of_vmx(prefix, &dev, bus, &sharing);
        let key = controller.key();
        let mut children = Vec::new();
        for unit in 0..units {
            let at = format!("{name}:{unit}.");
            if !vmx.is_true(&format!("{at}present")) {
                continue;
            }
            let mut keys = Vmx::default();
            for (k, v) in vmx.take_prefix(&at) {
                keys.set(&k[at.len()..], &v);
            }
            let kind = self.read_unit(&keys, home);
            children.push(Device { key: controller.child_key(unit), controller: Some(key), unit: Some(unit), kind });
        }
        let unit = (prefix == "scsi").then_some(7);
        let above = (prefix != "ide").then_some(100);
        if prefix != "ide" || !children.is_empty() || bus < 2 {
            out.push(Device { key, controller: above, unit: unit.and(None), kind: Kind::Controller(controller) });
        }
        out.extend(children);
    }

    fn read_unit(&self, keys: &Vmx, home: &DsPath) -> Kind {
        let file = keys.get("fileName").unwrap_or_default();
        let device_type = keys.get("deviceType").unwrap_or_default();
        if device_type.contains("cdrom") {
            let image = device_type.contains("image") && !file.is_empty();
            return Kind::Cdrom(image.then(|| self.parse_host_path(file, home)));
        }
        let mut disk = Disk {
            file: self.parse_host_path(file, home),
            mode: keys.get("mode").unwrap_or("persistent").replace('-', "_"),
            multi_writer: keys.get("sharing") == Some("multi-writer"),
            ..Disk::default()
        };
        self.refresh_disk(&mut disk);
        Kind::Disk(disk)
    }

    fn read_nic(&self, vmx: &mut Vmx, n: i64) -> Option<Device> {
        let at = format!("ethernet{n}.");
        if !vmx.is_true(&format!("{at}present")) {
            return None;
        }
        let mut keys = Vmx::default();
        for (k, v) in vmx.take_prefix(&at) {
            keys.set(&k[at.len()..], &v);
        }
        let network = keys.get("networkName").unwrap_or_default();
        let network = self.networks.iter().find(|(_, net)| net.name == network).map(|(id, _)| id.clone());
        let address_type = match keys.get("addressType").unwrap_or("generated") {
            "static" => "manual",
            "vpx" => "assigned",
            _ => "generated",
        };
        let nic = Nic {
            ty: nic_type(keys.get("virtualDev").unwrap_or_default()),
            network: network.unwrap_or_default(),
            mac: keys.get("address").or(keys.get("generatedAddress")).unwrap_or_default().to_ascii_lowercase(),
            address_type: address_type.to_owned(),
            start_connected: keys.get("startConnected").is_none_or(|v| v.eq_ignore_ascii_case("true")),
            connected: false,
        };
        Some(Device { key: 4000 + n, controller: Some(100), unit: Some(7 + n), kind: Kind::Nic(nic) })
    }

    /// The .vmx of a configuration that lies at `home`.
    pub fn vmx_of(&self, config: &VmConfig, home: &DsPath) -> Vmx {
        let mut v = Vmx::default();
        v.set("config.version", "8");
        v.set("virtualHW.version", config.version.trim_start_matches("vmx-"));
        v.set("displayName", &config.name);
        v.set("guestOS", config.guest_id.trim_end_matches("Guest"));
        v.set("memSize", &config.memory_mb.to_string());
        v.set("numvcpus", &config.cpus.to_string());
        v.set("uuid.bios", &spaced(&config.uuid));
        v.set("vc.uuid", &spaced(&config.instance_uuid));
        if let Some(nvram) = &config.nvram {
            v.set("nvram", nvram);
        }
        if !config.annotation.is_empty() {
            v.set("annotation", &config.annotation);
        }
        if config.cbt {
            v.set("ctkEnabled", "TRUE");
        }
        if let Some((key, ty)) = &config.managed_by {
            v.set("managedBy.extensionKey", key);
            v.set("managedBy.type", ty);
        }
        for device in &config.devices {
            self.write_device(&mut v, config, device, home);
        }
        for (key, value) in config.extra.iter().filter(|(k, _)| *k != "config.version") {
            v.set(key, value);
        }
        v
    }

    fn write_device(&self, v: &mut Vmx, config: &VmConfig, device: &Device, home: &DsPath) {
        let place = || {
            config.devices.iter().find(|d| Some(d.key) == device.controller).and_then(|d| match &d.kind {
                Kind::Controller(c) => Some(format!("{}{}:{}", c.prefix, c.bus, device.unit.unwrap_or(0))),
                _ => None,
            })
        };
        match &device.kind {
            Kind::Controller(c) if c.prefix == "ide" => {}
            Kind::Controller(c) => {
                let at = format!("{}{}", c.prefix, c.bus);
                v.set(&format!("{at}.present"), "TRUE");
                if !c.virtual_dev().is_empty() {
                    v.set(&format!("{at}.virtualDev"), c.virtual_dev());
                }
                if c.sharing != "noSharing" {
                    v.set(&format!("{at}.sharedBus"), c.sharing.trim_end_matches("Sharing"));
                }
            }
            Kind::Disk(disk) => {
                let at = place().unwrap_or_else(|| "scsi0:0".to_owned());
                v.set(&format!("{at}.present"), "TRUE");
                v.set(&format!("{at}.deviceType"), "scsi-hardDisk");
                v.set(&format!("{at}.fileName"), &self.host_path(&disk.file, home));
                if disk.mode != "persistent" {
                    v.set(&format!("{at}.mode"), &disk.mode.replace('_', "-"));
                }
                if disk.multi_writer {
                    v.set(&format!("{at}.sharing"), "multi-writer");
                }
                if config.cbt && disk.ctk.is_some() {
                    v.set(&format!("{at}.ctkEnabled"), "TRUE");
                }
            }
            Kind::Cdrom(iso) => {
                let at = place().unwrap_or_else(|| "ide1:0".to_owned());
                v.set(&format!("{at}.present"), "TRUE");
                v.set(&format!("{at}.deviceType"), if iso.is_some() { "cdrom-image" } else { "cdrom-raw" });
                let file = iso.as_ref().map_or_else(|| "emptyBackingString".to_owned(), |i| self.host_path(i, home));
                v.set(&format!("{at}.fileName"), &file);
            }
            Kind::Nic(nic) => self.write_nic(v, device.key - 4000, nic),
            Kind::Other(..) => {}
        }
    }

    fn write_nic(&self, v: &mut Vmx, n: i64, nic: &Nic) {
        let mut set = |key: &str, value: &str| v.set(&format!("ethernet{n}.{key}"), value);
        set("present", "TRUE");
        set("virtualDev", nic_of_type(nic.ty).map_or("e1000", |t| t.1));
        set("networkName", self.networks.get(&nic.network).map_or("", |net| net.name.as_str()));
        match nic.address_type.as_str() {
            "manual" => {
                set("addressType", "static");
                set("address", &nic.mac);
            }
            kind => {
                set("addressType", if kind == "assigned" { "vpx" } else { "generated" });
                set("generatedAddress", &nic.mac);
            }
        }
        if !nic.start_connected {
            set("startConnected", "FALSE");
        }
    }
}

/// The .vmx leaves out the ending that vim25's ids have.
fn guest_id(vmx: &str) -> String {
    let id = vmx.replace("-64", "64");
    if id.ends_with("Guest") || id.ends_with("Guest64") { id } else { format!("{id}Guest") }
}
