//! The files of a VM with one disk and one card, as a host leaves them: what vcsimx registers when it starts.

use anyhow::Result;
use std::path::Path;
use uuid::Uuid;

/// Size of the disk.
const DISK_BYTES: u64 = 8 << 20;

/// Writes machines `{datastore}-vm01` and so on into the folder behind a datastore, each in a folder of its own name.
///
/// # Errors
/// A file cannot be written.
pub fn write_machines(volume: &Path, datastore: &str, count: usize) -> Result<()> {
    for number in 1..=count {
        write_machine(volume, &format!("{datastore}-vm{number:02}"))?;
    }
    Ok(())
}

fn write_machine(volume: &Path, name: &str) -> Result<()> {
    let folder = volume.join(name);
    fs_err::create_dir_all(&folder)?;
    let write = |ending: &str, text: String| fs_err::write(folder.join(format!("{name}{ending}")), text);
    fs_err::File::create(folder.join(format!("{name}-flat.vmdk")))?.set_len(DISK_BYTES)?;
    let (bios, instance, disk) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    let sectors = DISK_BYTES / 512;
    write(
        ".vmdk",
        format!(
            "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType=\"vmfs\"\n\nRW {sectors} VMFS \
             \"{name}-flat.vmdk\"\n\nddb.adapterType = \"lsilogic\"\nddb.uuid = \"{}\"\n",
            spelled(disk)
        ),
    )?;
    let [a, b, c, ..] = *bios.as_bytes();
    let settings = [
        (".encoding", "UTF-8".to_owned()),
        ("config.version", "8".to_owned()),
        ("virtualHW.version", "21".to_owned()),
        ("displayName", name.to_owned()),
        ("uuid.bios", spelled(bios)),
        ("vc.uuid", spelled(instance)),
        ("memSize", "32".to_owned()),
        ("scsi0.present", "TRUE".to_owned()),
        ("scsi0:0.present", "TRUE".to_owned()),
        ("scsi0:0.fileName", format!("{name}.vmdk")),
        ("ethernet0.present", "TRUE".to_owned()),
        ("ethernet0.networkName", "VM Network".to_owned()),
        ("ethernet0.addressType", "manual".to_owned()),
        ("ethernet0.address", format!("00:50:56:{:02x}:{b:02x}:{c:02x}", a & 0x3f)),
    ];
    let lines = settings.map(|(key, value)| format!("{key} = \"{value}\"\n"));
    write(".vmx", lines.concat())?;
    Ok(())
}

/// A uuid as .vmx files and descriptors spell it: bytes, with one dash in the middle.
fn spelled(uuid: Uuid) -> String {
    let bytes = uuid.as_bytes().map(|byte| format!("{byte:02x}"));
    format!("{}-{}", bytes[..8].join(" "), bytes[8..].join(" "))
}
