//! How hosts reach clones: a list of clients a volume; for LUNs see `maps`.

use super::{
    Reference,
    client::{Change, pending},
    look, maps,
    volume_clones::check_ours,
};
use crate::driver::{DriverError, Export, ExportRequest, ExportTo, NfsPath, Progress, Reason};
use http::Method;
use serde_json::json;
use std::collections::BTreeSet;

pub(super) async fn ensure(array: &Reference, want: &ExportRequest) -> Result<Progress<Export>, DriverError> {
    let clients = match &want.to {
        ExportTo::Nfs(clients) => clients,
        ExportTo::Luns { paths, hosts } => return maps::ensure(array, want, paths, hosts).await,
    };
    if let Some(waiting) = array.client.settle(want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let volume = look::volume(array, &want.volume).await?;
    check_ours(&volume, &want.mark)?;
    let wanted: BTreeSet<&String> = clients.iter().collect();
    if wanted != volume.clients.iter().collect() {
        let path = format!("/volumes/{}/exports", volume.id);
        let body = Some(json!({"clients": clients}));
        if let Change::Queued(job) = array.client.change(Method::PUT, &path, body, "export a clone").await? {
            return Ok(pending(&job));
        }
    }
    let host = array.system().await?.nfs_addresses.into_iter().next().ok_or_else(|| {
        DriverError::new(
            Reason::NotSupported,
            format!("array {} serves no NFS: it has no address", array.client.name()),
        )
    })?;
    Ok(Progress::Ready(Export::Nfs(NfsPath { host, path: volume.export_path })))
}

pub(super) async fn remove(array: &Reference, want: &ExportRequest) -> Result<Progress<()>, DriverError> {
    if let ExportTo::Luns { paths, .. } = &want.to {
        return maps::remove(array, want, paths).await;
    }
    if let Some(waiting) = array.client.settle(want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let Some(volume) = look::find_volume(array, &want.volume).await? else {
        return Ok(Progress::Ready(()));
    };
    check_ours(&volume, &want.mark)?;
    if volume.clients.is_empty() {
        return Ok(Progress::Ready(()));
    }
    let path = format!("/volumes/{}/exports", volume.id);
    Ok(match array.client.change(Method::DELETE, &path, None, "end an export").await? {
        Change::Done => Progress::Ready(()),
        Change::Queued(job) => pending(&job),
    })
}
