//! How hosts reach a clone by NFS: the rules of its own export policy.

use super::{
    Ontap,
    client::{Change, WAIT, literal},
    export_policies,
    job::pending,
    volumes::Teller,
    wire::{self, Named},
};
use crate::driver::{DriverError, Export, Progress, Reason};
use http::Method;
use serde_json::json;
use std::collections::BTreeSet;

/// The clone is the caller's; it was checked.
pub(super) async fn ensure(
    array: &Ontap,
    volume: &wire::Volume,
    clients: &[String],
) -> Result<Progress<Export>, DriverError> {
    let clients: BTreeSet<String> = clients.iter().cloned().collect();
    check_way_there(array, &volume.svm, &clients).await?;
    let policy = export_policies::ensure(array, &volume.svm, &volume.name).await?;
    export_policies::set_clients(array, &policy, &clients).await?;
    let path = volume.nas.path.clone().unwrap_or_else(|| format!("/{}", volume.name));
    if volume.nas.path.is_none() || volume.nas.export_policy.name != volume.name {
        let nas = json!({"nas": {"path": path, "export_policy": {"name": volume.name}}});
        if let Change::Queued(job) = change(array, volume, nas, "mount a clone").await? {
            return Ok(pending(&job));
        }
    }
    let nfs = Teller::new(array).await?.nfs(&volume.svm.name, &path).ok_or_else(|| {
        let text = format!("SVM {} serves no NFS: it has no LIF for it; make one", volume.svm.name);
        DriverError::new(Reason::NotSupported, text)
    })?;
    Ok(Progress::Ready(Export::Nfs(nfs)))
}

/// The same clone, for nobody.
pub(super) async fn remove(array: &Ontap, volume: &wire::Volume) -> Result<Progress<()>, DriverError> {
    if volume.nas.path.is_some() && volume.nas.export_policy.name != volume.name {
        // Under somebody else's policy, whose rules are not ours to change.
        if let Change::Queued(job) = change(array, volume, json!({"nas": {"path": ""}}), "unmount a clone").await? {
            return Ok(pending(&job));
        }
    }
    if let Some(policy) = export_policies::find(array, &volume.svm, &volume.name).await? {
        export_policies::set_clients(array, &policy, &BTreeSet::new()).await?;
    }
    Ok(Progress::Ready(()))
}

/// Who may mount a volume now, for people; nobody where it is not mounted.
pub(super) async fn clients(array: &Ontap, volume: &wire::Volume) -> Result<Vec<String>, DriverError> {
    if volume.nas.path.is_none() {
        return Ok(Vec::new());
    }
    let policy = export_policies::find(array, &volume.svm, &volume.nas.export_policy.name).await?;
    Ok(policy.map(|policy| export_policies::clients(&policy)).unwrap_or_default())
}

pub(super) async fn change(
    array: &Ontap,
    volume: &wire::Volume,
    body: serde_json::Value,
    what: &str,
) -> Result<Change, DriverError> {
    array.client.change(Method::PATCH, &format!("/storage/volumes/{}?{WAIT}", volume.uuid), Some(body), what).await
}

/// A clone hangs right below the SVM's root, which its hosts must be allowed to read. What cannot be read is not judged.
async fn check_way_there(array: &Ontap, svm: &Named, clients: &BTreeSet<String>) -> Result<(), DriverError> {
    let path = format!(
        "/storage/volumes?svm.uuid={}&nas.path={}&fields=name,nas.path,nas.export_policy",
        literal(&svm.uuid),
        literal("/")
    );
    let roots: Vec<wire::Volume> = array.client.list(&path, "show an SVM's root volume").await?;
    let Some(root) = roots.into_iter().find(|volume| volume.nas.path.as_deref() == Some("/")) else {
        return Ok(());
    };
    let name = &root.nas.export_policy.name;
    let Some(policy) = export_policies::find(array, svm, name).await? else {
        return Ok(());
    };
    match clients.iter().find(|client| export_policies::surely_refuses(&policy, client)) {
        None => Ok(()),
        Some(client) => {
            let text = format!(
                "host '{client}' could not mount the clone: export policy '{name}' of root volume '{}' of SVM {} does not let it \
                 read; add a rule with ro_rule sys for it",
                root.name, svm.name
            );
            Err(DriverError::new(Reason::RightMissing, text))
        }
    }
}
