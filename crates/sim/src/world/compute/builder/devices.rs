//! A new VM's disks and network cards.

use super::VmSpec;
use crate::world::compute::{
    device::{Controller, Device, Disk, Kind, Nic, Rdm},
    fault::Fault,
    files::{DsPath, join, tree_fault},
    state::State,
    vm::VmConfig,
};

pub(super) fn add_disks(s: &mut State, spec: &VmSpec, vmx: &DsPath, config: &mut VmConfig) -> Result<(), Fault> {
    let controller = Controller::of_vmx("scsi", "pvscsi", 0, "");
    let children = |n: usize| controller.child_key(unit_of(n));
    let key = controller.key();
    config.devices.push(Device { key, controller: Some(100), unit: None, kind: Kind::Controller(controller.clone()) });
    for (n, disk) in spec.disks.iter().enumerate() {
        let number = if n == 0 { String::new() } else { format!("_{n}") };
        let name = disk.file_name.clone().unwrap_or_else(|| format!("{}{number}.vmdk", spec.name));
        let file = match (&disk.existing, &disk.datastore) {
            (Some(path), _) => s.parse_path(path, None)?,
            (None, Some(other)) => {
                let ds = s.datastore_named(other, None).cloned().ok_or_else(|| Fault::invalid_argument("datastore"))?;
                s.tree(&ds)?.create_dir_all(&spec.name).map_err(|e| tree_fault(&e, &spec.name))?;
                DsPath { ds, rel: join(&spec.name, &name) }
            }
            (None, None) => vmx.sibling(&name),
        };
        match &disk.rdm {
            _ if disk.existing.is_some() => {}
            Some((device, physical)) => {
                let rdm = Rdm { device: device.clone(), physical: *physical };
                s.create_rdm(&file, &rdm, disk.capacity_bytes)?;
            }
            None => s.create_flat(&file, disk.capacity_bytes, true)?,
        }
        let mut made = Disk { file, mode: disk.mode.clone(), multi_writer: disk.multi_writer, ..Disk::default() };
        s.refresh_disk(&mut made);
        let unit = Some(unit_of(n));
        config.devices.push(Device { key: children(n), controller: Some(key), unit, kind: Kind::Disk(made) });
    }
    Ok(())
}

/// Unit 7 of a SCSI bus is the controller itself.
pub(super) fn unit_of(n: usize) -> i64 {
    let n = i64::try_from(n).unwrap_or(0);
    if n < 7 { n } else { n + 1 }
}

pub(super) fn add_nics(s: &mut State, spec: &VmSpec, config: &mut VmConfig) {
    for (n, name) in (0..).zip(&spec.networks) {
        let network = s.networks.iter().find(|(_, net)| net.name == *name).map(|(id, _)| id.clone());
        let nic = Nic {
            ty: "VirtualVmxnet3",
            network: network.unwrap_or_default(),
            mac: s.new_mac("00:50:56"),
            address_type: "assigned".to_owned(),
            start_connected: true,
            connected: false,
        };
        config.devices.push(Device { key: 4000 + n, controller: Some(100), unit: Some(7 + n), kind: Kind::Nic(nic) });
    }
}
