//! Who the array is, its volumes, and the devices behind which they are found.

use super::case;
use crate::conformance::{
    Case, CaseResult,
    lab::{Lab, all_pages, refused, same},
};
use anyhow::{Context as _, bail, ensure};
use strata_model::ids::VolumeId;
use strata_storage_svc::driver::{Device, NfsPath, Reason, Resolution};

pub(super) const CASES: &[Case] = &[
    case!("identity: the serial number is the same after a restart", [], serial_is_stable),
    case!("identity: capabilities agree with the abilities handed out", [], capabilities_agree),
    case!("volumes: pages hold each volume once", [], pages_hold_each_volume_once),
    case!("volumes: an unknown volume is NotFound", [], unknown_volume),
    case!("volumes: ids and uuids are the same after a restart", [], volumes_are_stable),
    case!("volumes: one made again under its name has another uuid", [], recreated_has_another_uuid),
    case!("devices: an export leads to its volume", [ReadFiles], export_leads_to_volume),
    case!("devices: a path below an export leads to the volume and the rest", [ReadFiles], path_below_export),
    case!("devices: a LUN leads to its volume and to itself, whatever the case of its name", [], lun_leads_to_volume),
    case!("devices: an unknown host or path is absent and no error", [], unknown_device),
    case!("preflight: a well-kept array misses nothing", [], preflight_is_clean),
];

async fn serial_is_stable(lab: &Lab) -> CaseResult {
    let first = lab.driver().identify().await?;
    ensure!(!first.serial.is_empty(), "no serial number");
    same("serial number", lab.bench.restart().identify().await?.serial, first.serial)?;
    Ok(None)
}

async fn capabilities_agree(lab: &Lab) -> CaseResult {
    let (driver, can) = (lab.driver(), lab.driver().capabilities());
    same("clone_volume", driver.volume_clones().is_some(), can.clone_volume)?;
    same("clone_files", driver.file_clones().is_some(), can.clone_files)?;
    same("restore_files", driver.file_restore().is_some(), can.restore_files)?;
    same("restore_volume", driver.volume_restore().is_some(), can.restore_volume)?;
    same("restore_lun", driver.lun_restore().is_some(), can.restore_lun)?;
    same("clone_luns", driver.lun_clones().is_some(), can.clone_luns)?;
    same("exports", driver.exports().is_some(), can.export_nfs || can.export_luns)?;
    ensure!(can.note_bytes_max >= 120, "a mark needs 120 bytes, a comment holds {}", can.note_bytes_max);
    ensure!(can.snapshot_names.bytes_max >= 32, "names of {} bytes are too short", can.snapshot_names.bytes_max);
    ensure!(can.group_volumes_max >= 1 && can.snapshots_per_volume_max >= 1, "a limit of zero");
    Ok(None)
}

async fn pages_hold_each_volume_once(lab: &Lab) -> CaseResult {
    let volumes = all_pages(|page| async move { lab.driver().volumes(&page).await }).await?;
    let mut names: Vec<String> = volumes.into_iter().map(|volume| volume.display_name).collect();
    names.sort();
    same("volumes", names, vec!["ds-0".to_owned(), "ds-1".to_owned()])?;
    Ok(None)
}

async fn unknown_volume(lab: &Lab) -> CaseResult {
    for id in ["nope", "..", "a/b", "", "00000000-0000-4000-8000-000000000000"] {
        let error = refused(lab.driver().volume(&VolumeId::from(id)).await, Reason::NotFound)?;
        ensure!(!error.message.is_empty(), "no message");
    }
    Ok(None)
}

async fn volumes_are_stable(lab: &Lab) -> CaseResult {
    let before = lab.driver().volume(&lab.bench.volume(0)).await?;
    let after = lab.bench.restart().volume(&lab.bench.volume(0)).await?;
    ensure!(!before.uuid.is_empty(), "no uuid");
    same("uuid", after.uuid, before.uuid)?;
    same("read_write", before.read_write, true)?;
    Ok(None)
}

async fn recreated_has_another_uuid(lab: &Lab) -> CaseResult {
    let before = lab.driver().volume(&lab.bench.volume(0)).await?;
    lab.bench.recreate(0)?;
    let after = lab.driver().volume(&lab.bench.volume(0)).await?;
    same("name", after.display_name, before.display_name)?;
    ensure!(after.uuid != before.uuid, "the uuid {} came back", after.uuid);
    Ok(None)
}

async fn export_leads_to_volume(lab: &Lab) -> CaseResult {
    for index in 0..2 {
        let nfs = lab.bench.nfs(index);
        let spellings = [
            nfs.clone(),
            NfsPath { path: format!("{}/", nfs.path), ..nfs.clone() },
            NfsPath { host: nfs.host.to_uppercase(), ..nfs.clone() },
        ];
        for spelling in spellings {
            match lab.driver().resolve(&Device::Nfs(spelling.clone())).await? {
                Resolution::Found { volume, path_in_volume, evidence, .. } => {
                    same("volume", volume.id, lab.bench.volume(index))?;
                    same("path", path_in_volume, String::new())?;
                    ensure!(evidence.contains(&spelling.host), "evidence without the host: {evidence}");
                }
                Resolution::Absent { reason } => bail!("{spelling:?} was not found: {reason}"),
            }
        }
        let told = lab.driver().volume(&lab.bench.volume(index)).await?.nfs.context("the volume tells no export")?;
        same("told path", told.path, nfs.path)?;
    }
    Ok(None)
}

async fn path_below_export(lab: &Lab) -> CaseResult {
    let nfs = lab.bench.nfs(1);
    let below = Device::Nfs(NfsPath { path: format!("{}/vm/sub", nfs.path), ..nfs });
    match lab.driver().resolve(&below).await? {
        Resolution::Found { volume, path_in_volume, .. } => {
            same("volume", volume.id, lab.bench.volume(1))?;
            same("path", path_in_volume, "vm/sub".to_owned())?;
        }
        Resolution::Absent { reason } => bail!("not found: {reason}"),
    }
    Ok(None)
}

async fn lun_leads_to_volume(lab: &Lab) -> CaseResult {
    for index in 0..2 {
        let Some(name) = lab.bench.device(index) else {
            return Ok(Some("LUNs".to_owned()));
        };
        for spelling in [name.clone(), name.to_ascii_uppercase()] {
            let Resolution::Found { volume, path_in_volume, evidence, lun, siblings } =
                lab.driver().resolve(&Device::Canonical(spelling.clone())).await?
            else {
                bail!("{spelling} was not found");
            };
            same("volume", volume.id, lab.bench.volume(index))?;
            same("path", path_in_volume, lab.bench.lun_path(index).unwrap_or_default())?;
            ensure!(evidence.contains(&name), "evidence without the device: {evidence}");
            let lun = lun.context("the device is not told as a LUN")?;
            same("canonical name", lun.canonical_name, Some(name.clone()))?;
            same("initiators", lun.initiators, lab.bench.initiators(index))?;
            ensure!(!lun.uuid.is_empty() && siblings.iter().all(|other| other.path != lun.path), "{siblings:?}");
        }
    }
    Ok(None)
}

async fn unknown_device(lab: &Lab) -> CaseResult {
    let nfs = lab.bench.nfs(0);
    let devices = [
        Device::Nfs(NfsPath { host: "192.0.2.99".to_owned(), path: nfs.path.clone() }),
        Device::Nfs(NfsPath { path: "/nowhere/at/all".to_owned(), ..nfs.clone() }),
        // A name that begins like the volume's is another name.
        Device::Nfs(NfsPath { path: format!("{}-other", nfs.path), ..nfs.clone() }),
        Device::Nfs(NfsPath { path: format!("{}/../../etc", nfs.path), ..nfs }),
        Device::Canonical("naa.600a098038303053453f463045727a31".to_owned()),
    ];
    for device in devices {
        if let Resolution::Found { volume, path_in_volume, .. } = lab.driver().resolve(&device).await?
            && !path_in_volume.contains("..")
        {
            bail!("{device:?} was taken for {}", volume.id);
        }
    }
    Ok(None)
}

async fn preflight_is_clean(lab: &Lab) -> CaseResult {
    let found = lab.driver().preflight().await?;
    ensure!(found.missing.is_empty(), "missing: {:?}", found.missing);
    Ok(None)
}
