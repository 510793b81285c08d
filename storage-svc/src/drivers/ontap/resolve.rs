//! The volume behind a device: by address and junction path, or by the serial number in a canonical name.

use super::{
    Ontap,
    client::literal,
    luns,
    release::Release,
    serial,
    volumes::{self, Teller},
    wire,
};
use crate::driver::{Device, DriverError, NfsPath, Resolution};

pub(super) async fn resolve(array: &Ontap, device: &Device) -> Result<Resolution, DriverError> {
    match device {
        Device::Nfs(nfs) => by_nfs(array, nfs).await,
        Device::Canonical(name) => match serial::hex_of(name) {
            Some(hex) => by_serial(array, name, &hex).await,
            None => Ok(absent("")),
        },
    }
}

fn absent(reason: impl Into<String>) -> Resolution {
    Resolution::Absent { reason: reason.into() }
}

async fn by_nfs(array: &Ontap, nfs: &NfsPath) -> Result<Resolution, DriverError> {
    let Some(address) = address_of(array, &nfs.host) else {
        let text =
            format!("'{}' is a name; say in nfs_names of array {} which LIF it is", nfs.host, array.client.name());
        return Ok(absent(text));
    };
    let found = volumes::interfaces(array).await?;
    let is_it = |it: &&wire::Interface| volumes::serves_nfs(it) && NfsPath::is_same_host(&it.ip.address, &address);
    let Some(interface) = found.iter().find(is_it) else {
        return Ok(absent(""));
    };
    let all = volumes::of_svm(array, &interface.svm).await?;
    let parts = parts(&nfs.path);
    let depth = |volume: &wire::Volume| {
        let junction = self::parts(volume.nas.path.as_deref()?);
        // Junction paths are compared without regard to case, as the array does.
        let holds = !junction.is_empty()
            && junction.len() <= parts.len()
            && junction.iter().zip(&parts).all(|(a, b)| a.eq_ignore_ascii_case(b));
        holds.then_some(junction.len())
    };
    // Junctions nest: the longest is the volume.
    let deepest = all.into_iter().filter_map(|volume| Some((depth(&volume)?, volume))).max_by_key(|(depth, _)| *depth);
    match deepest {
        Some((depth, volume)) if !parts.contains(&"..") => {
            let path = volume.nas.path.clone().unwrap_or_default();
            Ok(Resolution::Found {
                evidence: format!("NFS path {path} of SVM {} served by {}", volume.svm.name, nfs.host),
                volume: Teller::new(array).await?.tell(volume),
                path_in_volume: parts[depth..].join("/"),
                lun: None,
                siblings: Vec::new(),
            })
        }
        _ => Ok(absent(format!("SVM {} has no volume mounted at '{}'", interface.svm.name, nfs.path))),
    }
}

/// The address of a host that VMs' hosts mount from; `None` for a name that the configuration does not know.
fn address_of(array: &Ontap, host: &str) -> Option<String> {
    let known = array.config.nfs_names.iter().find(|(name, _)| NfsPath::is_same_host(name, host));
    let plain = host.trim().trim_matches(['[', ']']);
    known
        .map(|(_, address)| address.clone())
        .or_else(|| plain.parse::<std::net::IpAddr>().ok().map(|ip| ip.to_string()))
}

fn parts(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect()
}

async fn by_serial(array: &Ontap, canonical: &str, hex: &str) -> Result<Resolution, DriverError> {
    let Some(found) = find_serial(array, hex).await? else {
        return Ok(absent(""));
    };
    let volume = volumes::get(array, &strata_model::ids::VolumeId(found.location.volume.uuid.clone())).await?;
    let all = luns::of_volume(array, &volume.uuid).await?;
    let (own, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|lun| lun.uuid == found.uuid);
    let lun = luns::tell(array, own).await?.pop();
    let siblings = luns::tell(array, others).await?;
    match lun {
        Some(lun) => Ok(Resolution::Found {
            evidence: format!("{} is the serial number of LUN {}", canonical.to_ascii_lowercase(), found.name),
            volume: Teller::new(array).await?.tell(volume),
            path_in_volume: lun.path.clone(),
            lun: Some(lun),
            siblings,
        }),
        // Deleted between two questions.
        None => Ok(absent("")),
    }
}

/// A query holds what is plain; what is not is looked for among all.
async fn find_serial(array: &Ontap, hex: &str) -> Result<Option<wire::Lun>, DriverError> {
    let newer = array.learned().await?.release() >= Release::SERIAL_HEX;
    let query = match serial::plain_text(hex) {
        _ if newer => format!("serial_number_hex={hex}&"),
        Some(text) => format!("serial_number={}&", literal(&text)),
        None => String::new(),
    };
    let path = format!("/storage/luns?{query}fields=uuid,name,serial_number,location.volume");
    let all: Vec<wire::Lun> = array.client.list(&path, "find a LUN by its serial number").await?;
    Ok(all.into_iter().find(|lun| serial::hex_of_lun(lun).as_deref() == Some(hex)))
}
