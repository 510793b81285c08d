//! How hosts reach clones: by NFS, or as LUNs.

use super::{
    Ontap, export_luns, export_nfs,
    job::{settle, settle_removal},
    volume_clones, volumes,
};
use crate::driver::{DriverError, Export, ExportRequest, ExportTo, Progress};

pub(super) async fn ensure(array: &Ontap, want: &ExportRequest) -> Result<Progress<Export>, DriverError> {
    crate::naming::check_key(&want.mark.key)?;
    if let Some(waiting) = settle(array, want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let volume = volumes::get(array, &want.volume).await?;
    match &want.to {
        ExportTo::Nfs(clients) => {
            volume_clones::check_ours(array, &volume, &want.mark).await?;
            export_nfs::ensure(array, &volume, clients).await
        }
        ExportTo::Luns { paths, hosts } => {
            let luns = export_luns::check_ours(array, &volume, &want.mark, paths).await?;
            let luns = export_luns::ensure(array, &volume, &want.mark, luns, hosts).await?;
            Ok(Progress::Ready(Export::Luns(luns)))
        }
    }
}

pub(super) async fn remove(array: &Ontap, want: &ExportRequest) -> Result<Progress<()>, DriverError> {
    crate::naming::check_key(&want.mark.key)?;
    if let Some(waiting) = settle_removal(array, want.resume.as_deref()).await? {
        return Ok(waiting);
    }
    let Some(volume) = volumes::find(array, &want.volume).await? else {
        return Ok(Progress::Ready(()));
    };
    match &want.to {
        ExportTo::Nfs(_) => {
            volume_clones::check_ours(array, &volume, &want.mark).await?;
            export_nfs::remove(array, &volume).await
        }
        ExportTo::Luns { paths, .. } => {
            let luns = export_luns::check_ours(array, &volume, &want.mark, paths).await?;
            export_luns::remove(array, &volume, &want.mark, luns).await?;
            Ok(Progress::Ready(()))
        }
    }
}
