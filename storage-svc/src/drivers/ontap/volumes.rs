//! Volumes as the array tells them, and as we tell them on.

use super::{
    Ontap,
    client::literal,
    identity::Learned,
    wire::{self, Interface},
};
use crate::driver::{DriverError, NfsPath, Page, PageRequest, Reason, Volume};
use std::collections::BTreeMap;
use strata_model::ids::VolumeId;
use uuid::Uuid;

/// `clone` is costly, and therefore only there where it is named.
const FIELDS: &str =
    "uuid,name,comment,type,state,style,create_time,size,svm,nas.path,nas.export_policy,clone,space.available";

/// All volumes that fit the query (`name=x`, or empty). The roots of SVMs, which hold nothing but junctions, are left out.
pub(super) async fn list(array: &Ontap, query: &str) -> Result<Vec<wire::Volume>, DriverError> {
    let and = if query.is_empty() { "" } else { "&" };
    let path = format!("/storage/volumes?{query}{and}fields={FIELDS}");
    let mut all: Vec<wire::Volume> = array.client.list(&path, "list its volumes").await?;
    all.retain(|volume| volume.nas.path.as_deref() != Some("/"));
    Ok(all)
}

/// All volumes of an SVM.
pub(super) async fn of_svm(array: &Ontap, svm: &wire::Named) -> Result<Vec<wire::Volume>, DriverError> {
    list(array, &format!("svm.uuid={}", literal(&svm.uuid))).await
}

/// One volume; `None` where there is none. Ids are UUIDs; anything else names nothing.
pub(super) async fn find(array: &Ontap, id: &VolumeId) -> Result<Option<wire::Volume>, DriverError> {
    if Uuid::parse_str(id.as_str()).is_err() {
        return Ok(None);
    }
    array.client.find(&format!("/storage/volumes/{id}?fields={FIELDS}"), "show a volume").await
}

/// One volume, or NotFound.
pub(super) async fn get(array: &Ontap, id: &VolumeId) -> Result<wire::Volume, DriverError> {
    find(array, id).await?.ok_or_else(|| {
        let text =
            format!("array {} has no volume '{id}'; list its volumes to see which there are", array.client.name());
        DriverError::new(Reason::NotFound, text)
    })
}

/// Refuses a volume that is not the one it was (S5).
pub(super) fn check_uuid(volume: &wire::Volume, expected: Option<&String>) -> Result<(), DriverError> {
    match expected {
        Some(expected) if *expected != volume.uuid => Err(DriverError::new(
            Reason::VolumeReplaced,
            format!(
                "volume '{}' is {} and was expected to be {expected}; take a new look at what it is now",
                volume.name, volume.uuid
            ),
        )),
        _ => Ok(()),
    }
}

/// Refuses a volume that cannot be changed: the destination of a replication (S8), or one that is offline.
pub(super) async fn check_read_write(array: &Ontap, volume: &wire::Volume) -> Result<(), DriverError> {
    if !matches!(volume.state.as_str(), "online" | "") {
        let text = format!("volume '{}' is {}; bring it online", volume.name, volume.state);
        return Err(DriverError::new(Reason::ReadOnly, text));
    }
    if is_read_write(&array.learned().await?, volume) {
        return Ok(());
    }
    let text = format!(
        "volume '{}' of SVM '{}' (type '{}') is the copy of a replication and read-only; use its source",
        volume.name, volume.svm.name, volume.kind
    );
    Err(DriverError::new(Reason::ReadOnly, text))
}

/// False also where the array does not tell the type.
pub(super) fn is_read_write(learned: &Learned, volume: &wire::Volume) -> bool {
    volume.kind == "rw" && !learned.is_copy(&volume.svm.name)
}

/// The array's page tokens hold only for its own order, so that a page is cut from the whole list.
pub(super) async fn page(array: &Ontap, page: &PageRequest) -> Result<Page<Volume>, DriverError> {
    let teller = Teller::new(array).await?;
    let mut all: Vec<Volume> = list(array, "").await?.into_iter().map(|volume| teller.tell(volume)).collect();
    all.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Page::cut(all, page, |volume| volume.id.to_string()))
}

/// The addresses of an array.
pub(super) async fn interfaces(array: &Ontap) -> Result<Vec<Interface>, DriverError> {
    array.client.list("/network/ip/interfaces?fields=ip.address,svm,state,services", "list its addresses").await
}

/// True where NFS is served there, or where the array does not say what is.
pub(super) fn serves_nfs(interface: &Interface) -> bool {
    interface.services.is_empty() || interface.services.iter().any(|service| service == "data_nfs")
}

/// Tells volumes on, with what stands elsewhere on the array.
#[derive(Debug)]
pub(super) struct Teller {
    learned: Learned,
    /// By SVM: where hosts mount from.
    hosts: BTreeMap<String, String>,
}

impl Teller {
    pub(super) async fn new(array: &Ontap) -> Result<Self, DriverError> {
        let learned = array.learned().await?;
        let mut serving: Vec<Interface> = interfaces(array).await?;
        serving.retain(|it| serves_nfs(it) && !it.ip.address.is_empty());
        // Those that are up first, then by address, so that the answer does not change from call to call.
        serving.sort_by_key(|it| (!matches!(it.state.as_str(), "up" | ""), it.ip.address.clone()));
        let mut hosts = BTreeMap::new();
        for interface in serving {
            hosts.entry(interface.svm.name).or_insert(interface.ip.address);
        }
        if let Some(host) = &array.config.nfs_export_host {
            let only = learned.svms.len() == 1;
            let address = array.config.nfs_names.get(host).unwrap_or(host);
            for (_, known) in hosts.iter_mut().filter(|(_, known)| only || NfsPath::is_same_host(known, address)) {
                known.clone_from(host);
            }
        }
        Ok(Self { learned, hosts })
    }

    /// How hosts mount a path of an SVM.
    pub(super) fn nfs(&self, svm: &str, path: &str) -> Option<NfsPath> {
        self.hosts.get(svm).map(|host| NfsPath { host: host.clone(), path: path.to_owned() })
    }

    pub(super) fn tell(&self, from: wire::Volume) -> Volume {
        let parent = Some(from.clone.parent_volume.uuid.clone()).filter(|uuid| !uuid.is_empty());
        Volume {
            read_write: is_read_write(&self.learned, &from),
            nfs: from.nas.path.as_ref().and_then(|path| self.nfs(&from.svm.name, path)),
            uuid: from.uuid.clone(),
            id: VolumeId(from.uuid),
            display_name: from.name,
            size_bytes: from.size,
            free_bytes: from.space.available,
            clone_of: parent.map(VolumeId),
        }
    }
}
