//! Changing a VM's configuration.

use super::{
    device::{Controller, Device, Disk, Kind, Nic, Rdm, nic_of_type},
    fault::Fault,
    state::State,
    value::Val,
    vm::Vm,
    vmx::dashed,
};

impl State {
    /// Applies a VirtualMachineConfigSpec. All or nothing: a refused part leaves the VM as it was.
    ///
    /// Errors: ConcurrentAccess on a stale changeVersion, InvalidDeviceSpec, FileNotFound, FileLocked, InvalidPowerState...
    pub fn reconfigure(&mut self, id: &str, spec: &Val) -> Result<(), Fault> {
        let before = self.vm(id)?.clone();
        if spec.str("changeVersion").is_some_and(|v| !v.is_empty() && v != before.change_version()) {
            return Err(Fault::new("ConcurrentAccess", "The object was changed by somebody else meanwhile"));
        }
        if before.connection != "connected" {
            return Err(Fault::new("InvalidState", format!("The VM is {}", before.connection)));
        }
        let outcome = self.apply(id, spec).and_then(|()| self.save(id));
        if outcome.is_err()
            && let Ok(vm) = self.vm_mut(id)
        {
            vm.config = before.config;
        }
        outcome
    }

    fn apply(&mut self, id: &str, spec: &Val) -> Result<(), Fault> {
        if let Some(name) = spec.str("name") {
            let vm = super::inventory::escape_name(name);
            let folder = super::value::MoRef::new("Folder", &self.vm(id)?.folder);
            if let Some(other) = self.child_named(&folder, &vm).filter(|o| o.id != id) {
                return Err(Fault::new("DuplicateName", format!("The name '{name}' already exists."))
                    .with("name", name)
                    .with("object", other));
            }
        }
        self.apply_identity(id, spec)?;
        for option in spec.list("extraConfig") {
            let (key, value) = (option.str("key").unwrap_or_default(), option.get("value"));
            let value = match value {
                Val::Str(s) => s.clone(),
                Val::Bool(b) => b.to_string(),
                Val::Int(n) | Val::Long(n) => n.to_string(),
                _ => String::new(),
            };
            let extra = &mut self.vm_mut(id)?.config.extra;
            if value.is_empty() {
                extra.take(key);
            } else {
                extra.set(key, &value);
            }
        }
        for change in spec.list("deviceChange") {
            self.change_device(id, change)?;
        }
        match spec.bool("changeTrackingEnabled") {
            Some(true) => {
                self.vm_mut(id)?.config.cbt = true;
                // The files come at once for a VM that is off, else with the next snapshot.
                if !self.vm(id)?.on {
                    self.enable_cbt_files(id)?;
                }
            }
            Some(false) => {
                self.vm_mut(id)?.config.cbt = false;
                if !self.vm(id)?.on {
                    self.disable_cbt_files(id)?;
                }
            }
            None => {}
        }
        Ok(())
    }

    fn apply_identity(&mut self, id: &str, spec: &Val) -> Result<(), Fault> {
        let on = self.vm(id)?.on;
        if (spec.str("uuid").is_some() || spec.int("numCPUs").is_some() || spec.int("memoryMB").is_some()) && on {
            return Err(Fault::power_state(Some("poweredOff"), "poweredOn"));
        }
        let wrong = |field: &str| Fault::invalid_argument(field);
        let uuid = spec.str("uuid").map(|u| dashed(u).ok_or_else(|| wrong("spec.uuid"))).transpose()?;
        let mut instance = None;
        if let Some(given) = spec.str("instanceUuid") {
            let new = if given.is_empty() {
                format!("5013{}", &self.uuid()[4..])
            } else {
                dashed(given).ok_or_else(|| wrong("spec.instanceUuid"))?
            };
            if self.vms.iter().any(|(other, v)| other != id && v.config.instance_uuid == new) {
                return Err(wrong("spec.instanceUuid"));
            }
            instance = Some(new);
        }
        let c = &mut self.vm_mut(id)?.config;
        c.uuid = uuid.unwrap_or_else(|| c.uuid.clone());
        c.instance_uuid = instance.unwrap_or_else(|| c.instance_uuid.clone());
        if let Some(name) = spec.str("name") {
            c.name = super::inventory::unescape_name(name);
        }
        if let Some(text) = spec.str("annotation") {
            text.clone_into(&mut c.annotation);
        }
        if let Some(guest) = spec.str("guestId") {
            guest.clone_into(&mut c.guest_id);
        }
        c.cpus = spec.int("numCPUs").unwrap_or(c.cpus);
        c.memory_mb = spec.int("memoryMB").unwrap_or(c.memory_mb);
        let by = spec.get("managedBy");
        if let (Some(key), ty) = (by.str("extensionKey"), by.str("type").unwrap_or_default()) {
            c.managed_by = Some((key.to_owned(), ty.to_owned())).filter(|_| !key.is_empty());
        }
        Ok(())
    }

    fn change_device(&mut self, id: &str, change: &Val) -> Result<(), Fault> {
        let device = change.get("device");
        let key = device.int("key").unwrap_or(0);
        let there = |vm: &Vm| vm.config.devices.iter().position(|d| d.key == key);
        let bad = |why: &str| {
            Fault::new("InvalidDeviceSpec", format!("Invalid configuration for device {key}: {why}"))
                .with("deviceIndex", 0)
        };
        match change.str("operation") {
            Some("add") => self
                .add_device(id, change, device)
                .map_err(|f| if f.ty() == "InvalidArgument" { bad(&f.message) } else { f }),
            Some("remove") => {
                let at = there(self.vm(id)?)
                    .ok_or_else(|| Fault::new("DeviceNotFound", format!("no device {key}")).with("deviceIndex", 0))?;
                let gone = self.vm_mut(id)?.config.devices.remove(at);
                if let Kind::Disk(disk) = gone.kind
                    && change.str("fileOperation") == Some("destroy")
                {
                    self.remove_link(&disk.file);
                }
                Ok(())
            }
            Some(_) => {
                let at = there(self.vm(id)?)
                    .ok_or_else(|| Fault::new("DeviceNotFound", format!("no device {key}")).with("deviceIndex", 0))?;
                self.edit_device(id, at, device)
            }
            None => Err(bad("no operation")),
        }
    }

    fn read_nic_spec(&mut self, device: &Val, old: Option<&Nic>) -> Result<Nic, Fault> {
        let ty = nic_of_type(device.type_name()).ok_or_else(|| Fault::invalid_argument("device"))?.0;
        let backing = device.get("backing");
        let by_ref = backing.moref("network").filter(|r| self.networks.contains_key(&r.id)).map(|r| r.id.clone());
        let by_name = backing.str("deviceName");
        let by_name =
            by_name.and_then(|n| self.networks.iter().find(|(_, net)| net.name == n)).map(|(id, _)| id.clone());
        let network = by_ref.or(by_name).or_else(|| old.map(|o| o.network.clone()));
        let network = network.ok_or_else(|| Fault::invalid_argument("device.backing"))?;
        let kind = device.str("addressType").map(str::to_lowercase);
        let kind = kind.or_else(|| old.map(|o| o.address_type.clone())).unwrap_or_else(|| "generated".to_owned());
        let given = device.str("macAddress").map(str::to_ascii_lowercase).filter(|m| !m.is_empty());
        let mac = match (kind.as_str(), given, old) {
            ("manual", Some(mac), _) => mac,
            ("manual", None, _) => return Err(Fault::invalid_argument("device.macAddress")),
            (_, Some(mac), Some(old)) if mac == old.mac && kind == old.address_type => mac,
            (_, None, Some(old)) if device.str("macAddress").is_none() && kind == old.address_type => old.mac.clone(),
            ("assigned", ..) => self.new_mac("00:50:56"),
            _ => self.new_mac("00:0c:29"),
        };
        let connect = device.get("connectable");
        let start = connect.bool("startConnected").or(old.map(|o| o.start_connected)).unwrap_or(true);
        let connected = connect.bool("connected").or(old.map(|o| o.connected)).unwrap_or(false);
        Ok(Nic { ty, network, mac, address_type: kind, start_connected: start, connected })
    }

    fn edit_device(&mut self, id: &str, at: usize, device: &Val) -> Result<(), Fault> {
        let mut now = self.vm(id)?.config.devices[at].clone();
        let on = self.vm(id)?.on;
        match &mut now.kind {
            Kind::Nic(nic) => {
                let mut new = self.read_nic_spec(device, Some(nic))?;
                new.connected &= on;
                *nic = new;
            }
            Kind::Disk(disk) => {
                let backing = device.get("backing");
                if let Some(mode) = backing.str("diskMode") {
                    mode.clone_into(&mut disk.mode);
                }
                if let Some(path) = backing.str("fileName") {
                    let file = self.parse_path(path, None)?;
                    if file != disk.file {
                        disk.file = file;
                        let mut fresh = disk.clone();
                        self.refresh_disk(&mut fresh);
                        if let Some(missing) = &fresh.missing {
                            return Err(Fault::file_not_found(&self.show(missing)));
                        }
                        *disk = fresh;
                    }
                }
                disk.multi_writer = backing.str("sharing").map_or(disk.multi_writer, |s| s == "sharingMultiWriter");
            }
            Kind::Cdrom(iso) => {
                let backing = device.get("backing");
                *iso = match backing.str("fileName") {
                    Some(path) => Some(self.parse_path(path, None)?),
                    None => None,
                };
            }
            Kind::Controller(_) | Kind::Other(..) => {}
        }
        self.vm_mut(id)?.config.devices[at] = now;
        Ok(())
    }

    fn add_device(&mut self, id: &str, change: &Val, device: &Val) -> Result<(), Fault> {
        let ty = device.type_name().to_owned();
        let devices = self.vm(id)?.config.devices.clone();
        if let Some(mut c) = Controller::of_type(&ty, device.int("busNumber").unwrap_or(0)) {
            c.sharing = match device.str("sharedBus") {
                Some("virtualSharing") => "virtualSharing",
                Some("physicalSharing") => "physicalSharing",
                _ => "noSharing",
            };
            if devices.iter().any(|d| d.key == c.key()) {
                return Err(Fault::invalid_argument("device.busNumber"));
            }
            let made = Device { key: c.key(), controller: Some(100), unit: None, kind: Kind::Controller(c) };
            self.vm_mut(id)?.config.devices.push(made);
            return Ok(());
        }
        if nic_of_type(&ty).is_some() {
            let nic = self.read_nic_spec(device, None)?;
            let n = (0..10).find(|n| !devices.iter().any(|d| d.key == 4000 + n)).unwrap_or(9);
            let made = Device { key: 4000 + n, controller: Some(100), unit: Some(7 + n), kind: Kind::Nic(nic) };
            self.vm_mut(id)?.config.devices.push(made);
            return Ok(());
        }
        let controller = device.int("controllerKey").ok_or_else(|| Fault::invalid_argument("device.controllerKey"))?;
        let above = devices.iter().find(|d| d.key == controller).and_then(|d| match &d.kind {
            Kind::Controller(c) => Some(c.clone()),
            _ => None,
        });
        let above = above
            .ok_or_else(|| Fault::new("MissingController", "The device has no controller").with("deviceIndex", 0))?;
        let taken = |unit: i64| devices.iter().any(|d| d.controller == Some(controller) && d.unit == Some(unit));
        let free = |unit: &i64| !(taken(*unit) || above.prefix == "scsi" && *unit == 7);
        let unit = match device.int("unitNumber").filter(|u| *u >= 0) {
            Some(unit) if free(&unit) => unit,
            Some(_) => return Err(Fault::invalid_argument("device.unitNumber")),
            None => (0..15).find(free).ok_or_else(|| Fault::invalid_argument("device.unitNumber"))?,
        };
        let kind = match ty.as_str() {
            "VirtualDisk" => Kind::Disk(self.new_disk(id, change, device)?),
            "VirtualCdrom" => {
                let file = device.get("backing").str("fileName").filter(|f| !f.is_empty());
                Kind::Cdrom(file.map(|f| self.parse_path(f, None)).transpose()?)
            }
            _ => return Err(Fault::new("NotSupported", format!("{ty} is not simulated"))),
        };
        let made = Device { key: above.child_key(unit), controller: Some(controller), unit: Some(unit), kind };
        self.vm_mut(id)?.config.devices.push(made);
        Ok(())
    }

    fn new_disk(&mut self, id: &str, change: &Val, device: &Val) -> Result<Disk, Fault> {
        let backing = device.get("backing");
        let path = backing.str("fileName").unwrap_or_default();
        let vm = self.vm(id)?.clone();
        let mut file = if path.is_empty() { vm.vmx.sibling("") } else { self.parse_path(path, None)? };
        if file.name().is_empty() || !file.rel.ends_with(".vmdk") {
            let dir = if file.rel.trim_end_matches('/').is_empty() {
                vm.vmx.dir().to_owned()
            } else {
                file.rel.trim_end_matches('/').to_owned()
            };
            let stem = vm.vmx.stem().to_owned();
            let mut n = 0;
            loop {
                let name = if n == 0 { format!("{stem}.vmdk") } else { format!("{stem}_{n}.vmdk") };
                file.rel = super::files::join(&dir, &name);
                if !self.exists(&file) {
                    break;
                }
                n += 1;
            }
        }
        let mut disk = Disk {
            file: file.clone(),
            mode: backing.str("diskMode").unwrap_or("persistent").to_owned(),
            multi_writer: backing.str("sharing") == Some("sharingMultiWriter"),
            ..Disk::default()
        };
        if change.str("fileOperation") == Some("create") {
            let kib = device.int("capacityInKB").and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
            let bytes = device.int("capacityInBytes").and_then(|n| u64::try_from(n).ok()).unwrap_or(kib * 1024);
            match backing.type_name() {
                "VirtualDiskRawDiskMappingVer1BackingInfo" => {
                    let device = self.canonical_device(&vm.host, backing.str("deviceName").unwrap_or_default());
                    let physical = backing.str("compatibilityMode") == Some("physicalMode");
                    self.create_rdm(&file, &Rdm { device, physical }, bytes)?;
                }
                _ => self.create_flat(&file, bytes, backing.bool("thinProvisioned") == Some(true))?,
            }
        }
        self.refresh_disk(&mut disk);
        if let Some(missing) = &disk.missing {
            return Err(Fault::file_not_found(&self.show(missing)));
        }
        if vm.disks().any(|d| d.file == file) {
            return Err(Fault::invalid_argument("device.backing.fileName"));
        }
        // Adding a disk that a running VM writes to works only while this VM is off, or for multi-writer (a backup
        // proxy attaches frozen parents, which are not written to).
        let written =
            self.held_by(&file).iter().any(|o| self.vms.get(*o).is_some_and(|v| v.disks().any(|d| d.file == file)));
        if vm.on && written && !disk.multi_writer {
            return Err(Fault::file_locked(&self.show(&file)));
        }
        Ok(disk)
    }
}
