//! Powering VMs on and off, and the question that a copied VM asks.

use super::{
    device::Kind,
    fault::Fault,
    files::DsPath,
    state::State,
    task::Outcome,
    value::{MoRef, Val},
    vm::{Question, Vm, VmConfig},
    vmx::spaced,
};

const COPIED: &str = "button.uuid.copiedTheVM";
const MOVED: &str = "button.uuid.movedTheVM";

impl State {
    /// A place as a uuid: what a .vmx remembers to notice that it was copied or moved.
    pub fn location_of(&self, vmx: &DsPath) -> String {
        let volume = self.datastores.get(&vmx.ds).map_or("", |d| d.uuid.as_str());
        let place = format!("/vmfs/volumes/{volume}/{}", vmx.dir());
        uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, place.as_bytes()).to_string()
    }

    /// A new address with this prefix that no VM of this vCenter has.
    pub fn new_mac(&mut self, prefix: &str) -> String {
        loop {
            let r = self.random().to_be_bytes();
            // Assigned addresses end at 3f; generated ones may be anything.
            let mac = format!("{prefix}:{:02x}:{:02x}:{:02x}", r[0] & 0x3f, r[1], r[2]);
            if !self.vms.values().flat_map(Vm::nics).any(|n| n.mac == mac) {
                return mac;
            }
        }
    }

    /// Power-on as a task's work.
    pub fn power_on(&mut self, id: &str, task: &MoRef) -> Result<Outcome, Fault> {
        self.check_power_on(id)?;
        if let Some(question) = self.moved_or_copied(id, task)? {
            self.vm_mut(id)?.question = Some(question);
            return Ok(Outcome::Blocked);
        }
        self.power_on_now(id)?;
        Ok(Outcome::Done(Val::Unset))
    }

    fn check_power_on(&mut self, id: &str) -> Result<(), Fault> {
        self.reload(id)?;
        let vm = self.vm(id)?;
        if vm.template {
            return Err(Fault::new("NotSupported", "The operation is not supported on a template"));
        }
        if vm.on {
            return Err(Fault::power_state(Some("poweredOn"), "poweredOn"));
        }
        if vm.connection != "connected" {
            return Err(Fault::new("InvalidState", format!("The VM is {}", vm.connection)));
        }
        let host = self.hosts.get(&vm.host).filter(|h| h.connection == "connected" && !h.maintenance);
        if host.is_none() {
            return Err(Fault::new("InvalidState", "The host cannot run it"));
        }
        for disk in vm.disks() {
            if let Some(missing) = &disk.missing {
                return Err(Fault::file_not_found(&self.show(missing)));
            }
            if let Some(raw) = &disk.rdm {
                self.check_raw(&vm.host, &raw.device)?;
            }
            for link in disk.chain() {
                self.check_host_reaches(&vm.host, &link)?;
                let others = self.held_by(&link);
                let shared = |other: &str| {
                    self.vms.get(other).is_some_and(|o| o.disks().any(|d| d.file == link && d.multi_writer))
                };
                // A parent may be read by many (linked clones); the file that is written may not, but for multi-writer.
                let written_by = |other: &str| self.vms.get(other).is_some_and(|o| o.disks().any(|d| d.file == link));
                let conflict =
                    others.iter().any(|o| (link == disk.file || written_by(o)) && !(disk.multi_writer && shared(o)));
                if conflict {
                    return Err(Fault::file_locked(&self.show(&link)));
                }
            }
        }
        if !self.held_by(&vm.vmx).is_empty() {
            return Err(Fault::file_locked(&self.show(&vm.vmx)));
        }
        Ok(())
    }

    /// What a VM asks whose files lie elsewhere than when it last ran, unless its .vmx holds the answer.
    fn moved_or_copied(&mut self, id: &str, task: &MoRef) -> Result<Option<Question>, Fault> {
        let vm = self.vm(id)?;
        let here = spaced(&self.location_of(&vm.vmx));
        let extra = &vm.config.extra;
        if extra.get("uuid.location") == Some(here.as_str()) {
            return Ok(None);
        }
        let copied = match (extra.get("uuid.action"), extra.get("answer.msg.uuid.altered")) {
            (Some("create"), _) => true,
            (Some("keep" | "change"), _) => false,
            (_, Some(answer)) => answer.to_ascii_lowercase().contains("copied"),
            _ => {
                let number = self.next_number();
                return Ok(Some(Question {
                    id: number.to_string(),
                    message_id: "msg.uuid.altered".to_owned(),
                    text: "This virtual machine might have been moved or copied. If you don't know, answer \"I Copied It\"."
                        .to_owned(),
                    choices: vec![
                        ("0".to_owned(), "button.uuid.cancel".to_owned()),
                        ("1".to_owned(), MOVED.to_owned()),
                        ("2".to_owned(), COPIED.to_owned()),
                    ],
                    default: 2,
                    task: task.clone(),
                }));
            }
        };
        self.settle_identity(id, copied)?;
        Ok(None)
    }

    fn settle_identity(&mut self, id: &str, copied: bool) -> Result<(), Fault> {
        let here = spaced(&self.location_of(&self.vm(id)?.vmx));
        let uuid = format!("564d{}", &self.uuid()[4..]);
        let macs: Vec<String> = (0..10).map(|_| self.new_mac("00:0c:29")).collect();
        let vm = self.vm_mut(id)?;
        vm.config.extra.set("uuid.location", &here);
        if copied {
            vm.config.uuid = uuid;
            for (device, mac) in vm.config.devices.iter_mut().zip(macs.iter().cycle()) {
                if let Kind::Nic(nic) = &mut device.kind
                    && nic.address_type == "generated"
                {
                    nic.mac.clone_from(mac);
                }
            }
        }
        self.save(id)
    }

    /// Answers a VM's question and lets its task go on.
    ///
    /// Errors: InvalidArgument where there is no such question or choice.
    pub fn answer(&mut self, id: &str, question: &str, choice: &str) -> Result<(), Fault> {
        let found = self.vm(id)?.question.clone().filter(|q| q.id == question);
        let asked = found.ok_or_else(|| Fault::invalid_argument("questionId"))?;
        let picked =
            asked.choices.iter().find(|(k, _)| k == choice).ok_or_else(|| Fault::invalid_argument("answerChoice"))?;
        self.vm_mut(id)?.question = None;
        let outcome = match picked.1.as_str() {
            COPIED | MOVED => self.settle_identity(id, picked.1 == COPIED).and_then(|()| self.power_on_now(id)),
            _ => Err(Fault::new("GenericVmConfigFault", "The power-on was cancelled").with("reason", "cancelled")),
        };
        self.finish(&asked.task, outcome.map(|()| Val::Unset));
        Ok(())
    }

    /// Powers on without asking.
    pub fn power_on_now(&mut self, id: &str) -> Result<(), Fault> {
        let now = self.now();
        let vmx = self.vm(id)?.vmx.clone();
        let here = spaced(&self.location_of(&vmx));
        let memory = u64::try_from(self.vm(id)?.config.memory_mb).unwrap_or(0) << 20;
        let swap = vmx.sibling(&format!("{}.vswp", vmx.stem()));
        if let Ok(tree) = self.tree_of(&swap) {
            // The swap file is as long as the memory; where it does not fit the VM does not start.
            tree.set_len(&swap.rel, memory).map_err(|e| super::files::tree_fault(&e, &self.show(&swap)))?;
        }
        let vm = self.vm_mut(id)?;
        vm.on = true;
        vm.suspended = false;
        vm.boot_time = Some(now);
        vm.config.extra.set("uuid.location", &here);
        for device in &mut vm.config.devices {
            if let Kind::Nic(nic) = &mut device.kind {
                nic.connected = nic.start_connected;
            }
        }
        let name = vm.config.name.clone();
        self.track(id)?;
        self.save(id)?;
        self.log("VmPoweredOnEvent", "", Some(Self::vm_ref(id)), format!("{name} is powered on"));
        Ok(())
    }

    /// Powers off.
    ///
    /// Errors: InvalidPowerState.
    pub fn power_off(&mut self, id: &str) -> Result<(), Fault> {
        let vm = self.vm(id)?;
        if !vm.on && !vm.suspended {
            return Err(Fault::power_state(Some("poweredOff"), "poweredOff"));
        }
        let swap = vm.vmx.sibling(&format!("{}.vswp", vm.vmx.stem()));
        self.remove_quietly(&swap);
        let vm = self.vm_mut(id)?;
        vm.on = false;
        vm.suspended = false;
        vm.boot_time = None;
        for device in &mut vm.config.devices {
            if let Kind::Nic(nic) = &mut device.kind {
                nic.connected = false;
            }
        }
        let name = vm.config.name.clone();
        self.log("VmPoweredOffEvent", "", Some(Self::vm_ref(id)), format!("{name} is powered off"));
        Ok(())
    }

    /// Suspends.
    pub fn suspend(&mut self, id: &str) -> Result<(), Fault> {
        if !self.vm(id)?.on {
            return Err(Fault::power_state(Some("suspended"), self.vm(id)?.power_state()));
        }
        let vm = self.vm_mut(id)?;
        vm.on = false;
        vm.suspended = true;
        Ok(())
    }

    /// Reads the VM's files again, as after they were changed from outside. A .vmx that cannot be read makes the VM
    /// `inaccessible` (no datastore) or `invalid`.
    pub fn reload(&mut self, id: &str) -> Result<(), Fault> {
        let path = self.vm(id)?.vmx.clone();
        let read = self.read_text(&path);
        let config: Option<VmConfig> = read.as_ref().ok().map(|text| self.config_of(text, &path));
        let tree = match &read {
            Ok(_) => Some(self.read_snapshots(&path)),
            Err(_) => None,
        };
        let vm = self.vm_mut(id)?;
        match config {
            Some(mut config) => {
                let connected: Vec<bool> = vm.nics().map(|n| n.connected).collect();
                let mut was = connected.into_iter();
                for device in &mut config.devices {
                    if let Kind::Nic(nic) = &mut device.kind {
                        nic.connected = was.next().unwrap_or(false) && vm.on;
                    }
                }
                if vm.connection == "invalid" || vm.connection == "inaccessible" {
                    "connected".clone_into(&mut vm.connection);
                }
                if vm.config != config {
                    vm.config = config;
                    vm.change_version += 1;
                }
            }
            None => {
                let gone = matches!(&read, Err(f) if f.ty() == "InaccessibleDatastore");
                (if gone { "inaccessible" } else { "invalid" }).clone_into(&mut vm.connection);
            }
        }
        if let Some(tree) = tree {
            self.adopt_snapshots(id, tree);
        }
        Ok(())
    }
}
