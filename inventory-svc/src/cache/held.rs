//! What is held of one vCenter: VMs with their indexes, and the places around them.

use super::{
    feed::What,
    index::Index,
    strings::Strings,
    updates::{Kind, Update},
    vm_record::VmRecord,
};
use crate::{
    soap::MoRef,
    topology::{datastore, places::Places},
    vcenter::property_collector::ObjectProperties,
};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};
use strata_model::names;

const VM: &str = "VirtualMachine";

/// Display name, resource name, moref: the order of lists.
pub(super) type ListKey = (Arc<str>, Arc<str>, Arc<str>);

/// See the module.
#[derive(Debug)]
pub struct Held {
    pub(super) vcenter: String,
    pub(super) places: Places,
    pub(super) vms: HashMap<Arc<str>, VmRecord>,
    pub(super) in_order: BTreeSet<ListKey>,
    pub(super) by_instance_uuid: Index,
    pub(super) by_bios_uuid: Index,
    pub(super) by_vmx_path: Index,
    pub(super) by_datastore: Index,
    strings: Strings,
    /// While all is told anew: what was told so far. What is not in it at the end is no more.
    told: Option<HashSet<MoRef>>,
}

impl Held {
    /// Nothing yet.
    pub fn new(vcenter: &str) -> Self {
        Self {
            vcenter: vcenter.to_owned(),
            places: Places::default(),
            vms: HashMap::new(),
            in_order: BTreeSet::new(),
            by_instance_uuid: Index::default(),
            by_bios_uuid: Index::default(),
            by_vmx_path: Index::default(),
            by_datastore: Index::default(),
            strings: Strings::default(),
            told: None,
        }
    }

    /// How many VMs there are.
    pub fn vm_count(&self) -> usize {
        self.vms.len()
    }

    /// The places around the VMs.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// vCenter begins to tell all anew.
    pub fn begin(&mut self) {
        self.told = Some(HashSet::new());
    }

    /// vCenter told all: what it did not mention is no more. Gives what that changes; nothing where it did not begin anew.
    pub fn finish(&mut self) -> Vec<What> {
        let Some(told) = self.told.take() else { return Vec::new() };
        let places = self.places.all().map(|place| &place.object).filter(|place| !told.contains(*place)).cloned();
        let vms = self.vms.keys().map(|moref| MoRef::new(VM, &**moref)).filter(|vm| !told.contains(vm));
        let gone: Vec<MoRef> = places.chain(vms).collect();
        gone.into_iter().flat_map(|object| self.remove(&object)).collect()
    }

    /// Takes news in. Gives what they change.
    pub fn take(&mut self, update: Update) -> Vec<What> {
        if update.kind == Kind::Leave {
            if let Some(told) = &mut self.told {
                told.remove(&update.object);
            }
            return self.remove(&update.object);
        }
        if let Some(told) = &mut self.told {
            told.insert(update.object.clone());
        }
        if update.object.kind == VM { self.take_vm(update) } else { self.take_place(update) }
    }

    fn take_vm(&mut self, update: Update) -> Vec<What> {
        let before = self.vms.remove(update.object.value.as_str());
        let moref = before.as_ref().map_or_else(|| Arc::from(update.object.value), |vm| vm.moref.clone());
        let mut vm = match (&before, update.kind) {
            // It comes with all that is set: what does not come is not set.
            (None, _) | (Some(_), Kind::Enter) => VmRecord::blank(moref, &mut self.strings),
            (Some(before), _) => before.clone(),
        };
        for (path, value) in update.changes {
            if !vm.assign(&path, value.as_ref(), &mut self.strings) {
                tracing::debug!(vcenter = self.vcenter, path, "vCenter told of a property that was not asked for");
            }
        }
        let mut news = Vec::new();
        if let Some(before) = before {
            if before == vm {
                self.vms.insert(before.moref.clone(), before);
                return news;
            }
            let was_called = self.name_of(&before);
            self.unindex(&before, &was_called);
            if was_called != self.name_of(&vm) {
                news.push(What::Removed(was_called));
            }
        }
        news.push(What::Vm(vm.moref.clone()));
        self.index(&vm);
        self.vms.insert(vm.moref.clone(), vm);
        news
    }

    fn take_place(&mut self, update: Update) -> Vec<What> {
        let before = self.places.remove(&update.object);
        let mut place = match (&before, update.kind) {
            (None, _) | (Some(_), Kind::Enter) => ObjectProperties::blank(update.object),
            (Some(before), _) => before.clone(),
        };
        for (path, value) in update.changes {
            place.assign(&path, value);
        }
        let object = place.object.clone();
        if before.as_ref() == Some(&place) {
            self.places.insert(place);
            return Vec::new();
        }
        let moved = before.is_none_or(|before| {
            before.text("name") != place.text("name") || before.moref("parent") != place.moref("parent")
        });
        self.places.insert(place);
        self.around(&object, moved)
    }

    fn remove(&mut self, object: &MoRef) -> Vec<What> {
        if object.kind == VM {
            let Some(vm) = self.vms.remove(object.value.as_str()) else { return Vec::new() };
            let name = self.name_of(&vm);
            self.unindex(&vm, &name);
            return vec![What::Removed(name)];
        }
        // Who lies in it or on it is looked for while it is still known.
        let mut news = self.around(object, true);
        self.places.remove(object);
        let of_itself = |what: &What| matches!(what, What::Datastore(id) | What::Host(id) if **id == *object.value);
        news.retain(|what| !of_itself(what));
        match object.kind.as_str() {
            "Datastore" => news.push(What::Removed(Arc::from(datastore::name(&self.vcenter, &object.value)))),
            "HostSystem" => {
                let name = names::join(&[("vcenters", &self.vcenter), ("hosts", &object.value)]);
                news.push(What::Removed(Arc::from(name)));
            }
            _ => {}
        }
        news
    }

    /// Everything whose appearance depends on a place: itself, and where its name or place changed also what shows them.
    fn around(&self, object: &MoRef, moved: bool) -> Vec<What> {
        let mut news = Vec::new();
        let itself = |place: &MoRef| match place.kind.as_str() {
            "Datastore" => Some(What::Datastore(Arc::from(&*place.value))),
            "HostSystem" => Some(What::Host(Arc::from(&*place.value))),
            _ => None,
        };
        news.extend(itself(object));
        if !moved || object.kind == "Network" {
            return news;
        }
        let is_under = |place: &MoRef| self.places.upwards(place).any(|above| above.object == *object);
        for place in self.places.all().filter(|place| place.object != *object) {
            let mounts = || {
                object.kind == "HostSystem"
                    && place.items("host").iter().any(|mount| mount.moref_at("key").as_ref() == Some(object))
            };
            if is_under(&place.object) || mounts() {
                news.extend(itself(&place.object));
            }
        }
        for vm in self.vms.values() {
            let uses = vm.host.as_deref() == Some(object)
                || vm.datastores.iter().any(|store| **store == *object)
                || vm.folder().or(vm.host.as_ref()).is_some_and(|folder| is_under(folder));
            if uses {
                news.push(What::Vm(vm.moref.clone()));
            }
        }
        news
    }

    /// `vcenters/{vcenter}/vms/{instance_uuid}`.
    pub(super) fn name_of(&self, vm: &VmRecord) -> Arc<str> {
        let otherwise = format!("moref:{}", vm.moref);
        let uuid = vm.instance_uuid.get().map_or(otherwise.as_str(), |uuid| uuid);
        Arc::from(names::join(&[("vcenters", &self.vcenter), ("vms", uuid)]))
    }

    fn index(&mut self, vm: &VmRecord) {
        let name = self.name_of(vm);
        self.in_order.insert((vm.display_name.clone(), name, vm.moref.clone()));
        for (index, key) in [
            (&mut self.by_instance_uuid, vm.instance_uuid.get()),
            (&mut self.by_bios_uuid, vm.bios_uuid.get()),
            (&mut self.by_vmx_path, vm.vmx_path.get()),
        ] {
            if let Some(key) = key {
                index.insert(key, &vm.moref);
            }
        }
        for store in &vm.datastores {
            self.by_datastore.insert(&self.strings.text(&store.value), &vm.moref);
        }
    }

    fn unindex(&mut self, vm: &VmRecord, name: &Arc<str>) {
        self.in_order.remove(&(vm.display_name.clone(), name.clone(), vm.moref.clone()));
        for (index, key) in [
            (&mut self.by_instance_uuid, vm.instance_uuid.get()),
            (&mut self.by_bios_uuid, vm.bios_uuid.get()),
            (&mut self.by_vmx_path, vm.vmx_path.get()),
        ] {
            if let Some(key) = key {
                index.remove(key, &vm.moref);
            }
        }
        for store in &vm.datastores {
            self.by_datastore.remove(&self.strings.text(&store.value), &vm.moref);
        }
    }
}
