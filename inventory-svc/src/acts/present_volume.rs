//! PresentVolume: makes a volume a datastore. What it is decides how: [`present_export`] mounts, [`present_vmfs`] gives a
//! copy its own signature. Both end here, in the folder that was asked for.

use super::{present_export, present_vmfs, rename_datastore};
use crate::{
    soap::MoRef,
    topology::{datastore, pb, places::Places},
    vcenter::{Client, Error, Refusal, property_collector::ObjectProperties},
    vcenters::Vcenters,
};
use pb::present_volume_request::Source;

/// The act.
///
/// # Errors
/// A bad request, or what [`present_export::run`] and [`present_vmfs::run`] refuse.
pub async fn run(vcenters: Vcenters, request: pb::PresentVolumeRequest) -> Result<pb::PresentVolumeResponse, Error> {
    let client = vcenters.by_name("vcenter", &request.vcenter)?;
    rename_datastore::check_name(&request.datastore_name)?;
    if request.host_morefs.is_empty() {
        return Err(Refusal::invalid("host_morefs", "host_morefs must name the hosts that shall mount it").into());
    }
    match &request.source {
        Some(Source::Nfs(nfs)) => present_export::run(&client, &request, nfs).await,
        Some(Source::Vmfs(copy)) => present_vmfs::run(&client, &request, copy).await,
        None => Err(Refusal::invalid("source", "source must say which export or VMFS to present").into()),
    }
}

/// Moves a datastore to the folder of the request, where it names one, and answers with it.
///
/// # Errors
/// The folder cannot take it.
pub async fn place(
    client: &Client,
    request: &pb::PresentVolumeRequest,
    store: &ObjectProperties,
) -> Result<pb::PresentVolumeResponse, Error> {
    let folder = MoRef::new("Folder", request.folder_moref.as_str());
    if !request.folder_moref.is_empty() && store.moref("parent").as_ref() != Some(&folder) {
        let object = format!("datastore {}", request.datastore_name);
        let task = client.move_into_folder(&folder, &store.object, &object).await?;
        client.finish_task(&task, "move", &object).await?;
    }
    let places = Places::read(client).await?;
    let found = places.get(&store.object).ok_or_else(|| client.incomplete("RetrievePropertiesEx", "datastore"))?;
    let shown = datastore::datastore(client.name(), found, &places);
    Ok(pb::PresentVolumeResponse { datastore: Some(shown), pending: None })
}

/// What a datastore lies on, for people.
pub fn describe(store: &pb::Datastore) -> String {
    use pb::datastore_backing::Kind;
    match store.backing.as_ref().and_then(|backing| backing.kind.as_ref()) {
        Some(Kind::Nfs(nfs)) => format!("{}:{}", nfs.host, nfs.path),
        Some(Kind::Vmfs(vmfs)) => format!("VMFS {}", vmfs.uuid),
        Some(Kind::Unsupported(kind)) => kind.clone(),
        None => "something unknown".to_owned(),
    }
}
