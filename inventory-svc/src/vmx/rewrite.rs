//! Rewrites a copied .vmx so that the clone has only its own storage and joins no network by itself.

use super::{
    Vmx,
    places::{Disks, VOLUMES, Volumes, copy_of, is_relative, source_directory, written_from},
    strip::{numbered, slot_of, strip_devices},
};
use std::collections::BTreeSet;
use strata_model::DatastorePath;

/// Key of the list of what was taken out, kept in the file so that a repeated call can tell it again.
pub const STRIPPED_KEY: &str = "strata.stripped";

/// Settings that place files elsewhere, hold the source's running state, or say who manages it.
const DROPPED: &[&str] = &[
    "workingdir",
    "sched.swap.dir",
    "sched.swap.derivedname",
    "checkpoint.vmstate",
    "checkpoint.vmstate.readonly",
    "vc.uuid",
    "uuid.action",
    "vmx.log.filename",
    "migrate.hostlog",
];

/// What the clone is to be.
#[derive(Debug)]
pub struct CloneRewrite<'a> {
    /// Strata's key.
    pub key: &'a str,
    /// Name in the inventory.
    pub display_name: &'a str,
    /// Where the copied .vmx lies.
    pub vmx_path: &'a DatastorePath,
    /// Disks of the source and where their copies lie. Others are taken out.
    pub disks: &'a Disks,
    /// Where the source's .vmx lies; where nobody says so, the disks have to tell.
    pub source_vmx_path: Option<&'a DatastorePath>,
    /// The datastores' uuids and names, for disks that are named by uuid.
    pub volumes: &'a Volumes,
}

/// Rewrites it.
///
/// # Errors
/// A disk of the list is not in the file, or a path that leads outside would stay; the text says which.
pub fn rewrite_for_clone(vmx: &mut Vmx, wish: &CloneRewrite<'_>) -> Result<(), String> {
    let mut stripped = rewrite_slots(vmx, wish)?;
    strip_devices(vmx, &mut stripped);
    let led_elsewhere = vmx.entries().filter(|(key, value)| {
        DROPPED.contains(&key.to_ascii_lowercase().as_str()) && (value.starts_with('/') || leads_outside(value, wish))
    });
    stripped.extend(led_elsewhere.map(|(key, value)| format!("path {key} {value}")).collect::<Vec<_>>());
    vmx.remove(|key| DROPPED.contains(&key) || key.starts_with("managedby.") || key.starts_with("strata."));
    for adapter in numbered(vmx, "ethernet") {
        vmx.set(&format!("{adapter}.startConnected"), "FALSE");
        let own = format!("{adapter}.dvs.").to_ascii_lowercase();
        // The copy carries the original's port; two VMs on one port are a conflict.
        let ports = [format!("{own}portid"), format!("{own}connectionid")];
        vmx.remove(|key| ports.iter().any(|port| port == key));
    }
    let tracked: Vec<String> = vmx
        .entries()
        .map(|(key, _)| key.to_owned())
        .filter(|key| key.to_ascii_lowercase().ends_with("ctkenabled"))
        .collect();
    for key in tracked {
        vmx.set(&key, "FALSE");
    }
    vmx.set("ctkEnabled", "FALSE");
    vmx.set("uuid.action", "create");
    vmx.set("displayName", wish.display_name);
    vmx.set("strata.key", wish.key);
    vmx.set(STRIPPED_KEY, &stripped.join("\n"));
    match vmx.entries().find(|(key, value)| *key != STRIPPED_KEY && leads_outside(value, wish)) {
        Some((key, value)) => Err(format!("its setting {key} leads outside of the clone: {value}")),
        None => Ok(()),
    }
}

/// Points every disk at its copy; takes out disks without one, and CD drives.
fn rewrite_slots(vmx: &mut Vmx, wish: &CloneRewrite<'_>) -> Result<Vec<String>, String> {
    let slots: BTreeSet<String> = vmx.entries().filter_map(|(key, _)| slot_of(key)).map(str::to_owned).collect();
    let file_of = |vmx: &Vmx, slot: &str| vmx.get(&format!("{slot}.fileName")).unwrap_or_default().to_owned();
    let names: BTreeSet<String> =
        slots.iter().filter(|slot| is_disk(vmx, slot)).map(|slot| file_of(vmx, slot)).collect();
    let relative: BTreeSet<&str> = names.iter().map(String::as_str).filter(|name| is_relative(name)).collect();
    let beside = wish.source_vmx_path.map(|path| (path.datastore.clone(), path.directory().to_owned()));
    let explains =
        |of: &(String, String)| relative.iter().any(|name| copy_of(name, Some(of), wish.disks, wish.volumes).is_some());
    let source = match beside.filter(explains) {
        Some(beside) => Some(beside),
        // Nobody said, or a workingDir gives relative names another directory.
        None => source_directory(&relative, wish.disks)?,
    };
    let mut stripped = Vec::new();
    let mut placed: BTreeSet<&DatastorePath> = BTreeSet::new();
    for slot in &slots {
        let file = file_of(vmx, slot);
        let copy = if is_disk(vmx, slot) { copy_of(&file, source.as_ref(), wish.disks, wish.volumes) } else { None };
        if let Some(copy) = copy {
            placed.insert(copy);
            vmx.set(&format!("{slot}.fileName"), &written_from(wish.vmx_path, copy));
            continue;
        }
        if let Some(what) = describe(vmx, slot, &file) {
            stripped.push(what);
        }
        let own = format!("{slot}.").to_ascii_lowercase();
        vmx.remove(|key| key.starts_with(&own));
    }
    match wish.disks.iter().find(|(_, to)| !placed.contains(to)) {
        Some((from, _)) => Err(format!("it has no disk {from}")),
        None => Ok(stripped),
    }
}

fn is_disk(vmx: &Vmx, slot: &str) -> bool {
    let device_type = vmx.get(&format!("{slot}.deviceType")).unwrap_or_default().to_ascii_lowercase();
    let file = vmx.get(&format!("{slot}.fileName")).unwrap_or_default().to_ascii_lowercase();
    !device_type.contains("cdrom") && file.ends_with(".vmdk")
}

/// What is taken out, for people; `None` for an empty slot.
fn describe(vmx: &Vmx, slot: &str, file: &str) -> Option<String> {
    let field = |name: &str| vmx.get(&format!("{slot}.{name}")).unwrap_or_default().to_ascii_lowercase();
    if field("present") == "false" {
        return None;
    }
    let device_type = field("deviceType");
    let name = file.to_ascii_lowercase();
    let is_raw = device_type.contains("rdm") || device_type.contains("passthru") && !device_type.contains("cdrom");
    let word = match () {
        () if device_type.contains("image") || name.ends_with(".iso") => "ISO",
        () if device_type.contains("cdrom") => "CD drive",
        () if is_raw || name.ends_with("rdm.vmdk") || name.ends_with("rdmp.vmdk") => "RDM",
        () => "disk",
    };
    let shown = match file.strip_prefix(VOLUMES).and_then(|path| path.split_once('/')) {
        Some((volume, path)) => format!("[{volume}] {path}"),
        None => file.to_owned(),
    };
    let known_nothing = ["", "emptybackingstring", "auto detect"].contains(&name.as_str());
    Some(if known_nothing { format!("{word} {slot}") } else { format!("{word} {slot} {shown}") })
}

/// Whether a value is a path to anywhere but the copies.
fn leads_outside(value: &str, wish: &CloneRewrite<'_>) -> bool {
    let is_copy = || wish.disks.values().any(|copy| written_from(wish.vmx_path, copy) == value);
    let climbs = value.starts_with("../") || value.contains("/../");
    (value.starts_with("/vmfs/") || climbs) && !is_copy()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#".encoding = "UTF-8"
config.version = "8"
displayName = "web-01"
scsi0.present = "TRUE"
scsi0:0.present = "TRUE"
scsi0:0.deviceType = "scsi-hardDisk"
scsi0:0.fileName = "web-01.vmdk"
scsi0:0.ctkEnabled = "TRUE"
scsi0:1.deviceType = "scsi-hardDisk"
scsi0:1.fileName = "/vmfs/volumes/5f3a-77/web-01/data.vmdk"
scsi0:2.deviceType = "scsi-hardDisk"
scsi0:2.fileName = "web-01-rdmp.vmdk"
scsi0:0.filters = "hbr_filter"
hbr_filter.gid = "GID-1"
ide1:0.deviceType = "cdrom-image"
ide1:0.fileName = "/vmfs/volumes/isos/linux.iso"
serial0.present = "TRUE"
serial0.fileName = "/vmfs/volumes/other/console.log"
pciPassthru0.present = "TRUE"
wwn.node = "28f1"
floppy0.startConnected = "FALSE"
ethernet0.present = "TRUE"
ethernet0.dvs.portId = "12"
ethernet0.dvs.portgroupId = "dvportgroup-1"
ethernet0.startConnected = "TRUE"
workingDir = "/vmfs/volumes/other/w"
sched.swap.dir = "/vmfs/volumes/swap/w"
uuid.bios = "56 4d"
vc.uuid = "50 01"
ctkEnabled = "TRUE"
custom.unknown = "stays"
"#;

    fn disks(pairs: &[(&str, &str)]) -> Disks {
        pairs.iter().map(|(from, to)| (from.parse().unwrap(), to.parse().unwrap())).collect()
    }

    fn rewritten(source: &str, pairs: &[(&str, &str)]) -> Result<Vmx, String> {
        rewritten_from(None, source, pairs)
    }

    fn rewritten_from(source_vmx: Option<&str>, source: &str, pairs: &[(&str, &str)]) -> Result<Vmx, String> {
        let mut vmx = Vmx::parse(source.as_bytes()).unwrap();
        let path = "[nfs1] clone/web-01.vmx".parse().unwrap();
        let source_vmx = source_vmx.map(|path| path.parse().unwrap());
        let wish = CloneRewrite {
            key: "c-1",
            display_name: "web-01-t",
            vmx_path: &path,
            disks: &disks(pairs),
            source_vmx_path: source_vmx.as_ref(),
            volumes: &[("aaaa-1", "nfs1"), ("bbbb-2", "elsewhere"), ("bbbb-2", "nfs2")]
                .map(|(uuid, name)| (uuid.to_owned(), name.to_owned()))
                .into(),
        };
        rewrite_for_clone(&mut vmx, &wish).map(|()| vmx)
    }

    const BOTH: &[(&str, &str)] = &[
        ("[nfs1] web-01/web-01.vmdk", "[nfs1] clone/web-01.vmdk"),
        ("[nfs2] web-01/data.vmdk", "[nfs2] clone-b/data.vmdk"),
    ];

    /// Safety rules S16 and S17.
    #[test]
    fn a_clone_has_only_its_own_storage_and_no_network() {
        let vmx = rewritten(SOURCE, BOTH).unwrap();
        for (key, value) in [
            ("scsi0:0.fileName", Some("web-01.vmdk")),
            ("scsi0:1.fileName", Some("/vmfs/volumes/nfs2/clone-b/data.vmdk")),
            ("scsi0:2.fileName", None),
            ("scsi0:2.deviceType", None),
            ("ide1:0.fileName", None),
            ("scsi0:0.filters", None),
            ("hbr_filter.gid", None),
            ("serial0.present", None),
            ("pciPassthru0.present", None),
            ("wwn.node", None),
            ("workingDir", None),
            ("sched.swap.dir", None),
            ("vc.uuid", None),
            ("uuid.action", Some("create")),
            ("uuid.bios", Some("56 4d")),
            ("ethernet0.startConnected", Some("FALSE")),
            ("ethernet0.dvs.portId", None),
            ("ethernet0.dvs.portgroupId", Some("dvportgroup-1")),
            ("ctkEnabled", Some("FALSE")),
            ("scsi0:0.ctkEnabled", Some("FALSE")),
            ("displayName", Some("web-01-t")),
            ("custom.unknown", Some("stays")),
            ("strata.key", Some("c-1")),
            ("floppy0.present", Some("FALSE")),
        ] {
            assert_eq!(vmx.get(key), value, "{key}");
        }
        let expected = [
            "ISO ide1:0 [isos] linux.iso",
            "RDM scsi0:2 web-01-rdmp.vmdk",
            "serial port serial0 /vmfs/volumes/other/console.log",
            "passthrough device pciPassthru0",
            "NPIV",
            "replication settings",
            "path workingDir /vmfs/volumes/other/w",
            "path sched.swap.dir /vmfs/volumes/swap/w",
        ];
        assert_eq!(vmx.stripped(), expected);
        let again = Vmx::parse(&vmx.to_bytes().unwrap()).unwrap();
        assert_eq!(again.stripped(), expected);
    }

    /// Giving a VMFS a signature rewrites the uuid in the files on it.
    #[test]
    fn a_disk_that_names_the_copy_already_is_the_copy() {
        let source = SOURCE.replace("/vmfs/volumes/5f3a-77/web-01/data", "/vmfs/volumes/bbbb-2/clone-b/data");
        let vmx = rewritten(&source, BOTH).unwrap();
        assert_eq!(vmx.get("scsi0:1.fileName"), Some("/vmfs/volumes/nfs2/clone-b/data.vmdk"));
    }

    #[test]
    fn refuses_what_it_cannot_place() {
        let missing = [BOTH[0], BOTH[1], ("[nfs1] web-01/third.vmdk", "[nfs1] clone/third.vmdk")];
        assert!(rewritten(SOURCE, &missing).unwrap_err().contains("no disk [nfs1] web-01/third.vmdk"));
        let stays = format!("{SOURCE}nvram = \"/vmfs/volumes/other/web.nvram\"\n");
        assert!(rewritten(&stays, BOTH).unwrap_err().contains("nvram"));
        let climbs = format!("{SOURCE}nvram = \"../web-01/web.nvram\"\n");
        assert!(rewritten(&climbs, BOTH).unwrap_err().contains("nvram"));
        // Two source directories explain the relative name equally well.
        let twice = [("[a] x/web-01.vmdk", "[a] c/web-01.vmdk"), ("[b] y/web-01.vmdk", "[b] c/web-01.vmdk")];
        assert!(rewritten(SOURCE, &twice).unwrap_err().contains("could be of"));
    }

    #[test]
    fn one_path_on_two_datastores_is_told_apart() {
        let both = [
            ("[nfs1] web-01/web-01.vmdk", "[nfs1] clone/web-01.vmdk"),
            ("[nfs2] web-01/web-01.vmdk", "[nfs2] clone/web-01.vmdk"),
        ];
        let file =
            |first: &str, second: &str| format!("scsi0:0.fileName = \"{first}\"\nscsi0:1.fileName = \"{second}\"\n");
        let (here, there) = ("web-01.vmdk", "/vmfs/volumes/nfs2/clone/web-01.vmdk");
        let (at_one, at_two) = ("/vmfs/volumes/aaaa-1/web-01/web-01.vmdk", "/vmfs/volumes/bbbb-2/web-01/web-01.vmdk");
        for (source_vmx, first, second, expected) in [
            ("[nfs1] web-01/web-01.vmx", "web-01.vmdk", at_two, [here, there]),
            ("[nfs2] web-01/web-01.vmx", at_one, "web-01.vmdk", [here, there]),
            ("[nfs2] web-01/web-01.vmx", "web-01.vmdk", at_one, [there, here]),
            ("[nfs1] web-01/web-01.vmtx", "web-01.vmdk", "/vmfs/volumes/nfs2/web-01/web-01.vmdk", [here, there]),
        ] {
            let vmx = rewritten_from(Some(source_vmx), &file(first, second), &both).unwrap();
            let found = ["scsi0:0.fileName", "scsi0:1.fileName"].map(|key| vmx.get(key).unwrap());
            assert_eq!(found, expected, "{source_vmx} {first} {second}");
        }
        // Neither is taken for the other: not without the source, not with another directory, not by a foreign uuid.
        let foreign = "/vmfs/volumes/cccc-3/web-01/web-01.vmdk";
        for (source_vmx, second, reason) in [
            (None, at_two, "could be of"),
            (Some("[nfs1] other/web-01.vmx"), at_two, "could be of"),
            (Some("[nfs1] web-01/web-01.vmx"), foreign, "it has no disk [nfs2]"),
        ] {
            let refused = rewritten_from(source_vmx, &file("web-01.vmdk", second), &both).unwrap_err();
            assert!(refused.contains(reason), "{refused}");
        }
    }

    #[test]
    fn a_disk_that_is_not_in_the_list_is_taken_out_and_named() {
        let vmx = rewritten(SOURCE, &BOTH[..1]).unwrap();
        assert!(vmx.stripped().contains(&"disk scsi0:1 [5f3a-77] web-01/data.vmdk".to_owned()), "{:?}", vmx.stripped());
        assert_eq!(vmx.get("scsi0:1.fileName"), None);
    }
}
