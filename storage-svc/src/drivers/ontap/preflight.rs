//! Which rights and licences are missing. ONTAP cannot be asked for the rights of an SVM's account, so that each is tried: reads by
//! reading one record, changes on an object that cannot exist (the nil UUID) or with a body that lacks all that is needed. The role
//! is checked before the request, so that anything but "not authorised" means that the right is there; nothing can come of it.

use super::{Ontap, client::right, release::Release, wire::Licence};
use crate::driver::{DriverError, MissingRight, Preflight, Reason};
use http::Method;
use serde_json::json;

const NIL: &str = "00000000-0000-0000-0000-000000000000";

/// Method, path, what cannot be done without it. `NIL` stands for the nil UUID.
const PROBES: &[(Method, &str, &str)] = &[
    (Method::GET, "/svm/svms", "everything"),
    (Method::GET, "/storage/volumes", "everything"),
    (Method::GET, "/network/ip/interfaces", "NFS datastores"),
    (Method::GET, "/storage/luns", "VMFS datastores"),
    (Method::GET, "/protocols/san/igroups", "VMFS datastores"),
    (Method::GET, "/storage/volumes/NIL/snapshots", "snapshot"),
    (Method::POST, "/storage/volumes/NIL/snapshots", "snapshot"),
    (Method::DELETE, "/storage/volumes/NIL/snapshots/NIL", "snapshot"),
    (Method::POST, "/storage/volumes", "clone of volumes"),
    (Method::PATCH, "/storage/volumes/NIL", "clone of volumes"),
    (Method::DELETE, "/storage/volumes/NIL", "clone of volumes"),
    (Method::GET, "/protocols/nfs/export-policies", "clone by NFS"),
    (Method::POST, "/protocols/nfs/export-policies", "clone by NFS"),
    (Method::DELETE, "/protocols/nfs/export-policies/0", "clone by NFS"),
    (Method::POST, "/protocols/nfs/export-policies/0/rules", "clone by NFS"),
    (Method::DELETE, "/protocols/nfs/export-policies/0/rules/0", "clone by NFS"),
    (Method::POST, "/protocols/san/igroups", "clone of LUNs"),
    (Method::DELETE, "/protocols/san/igroups/NIL", "clone of LUNs"),
    (Method::POST, "/protocols/san/lun-maps", "clone of LUNs"),
    (Method::DELETE, "/protocols/san/lun-maps/NIL/NIL", "clone of LUNs"),
    (Method::POST, "/storage/luns", "clone of LUNs in place"),
    (Method::DELETE, "/storage/luns/NIL", "clone of LUNs in place"),
    (Method::PATCH, "/storage/luns/NIL", "revert by LUN"),
    (Method::POST, "/storage/file/clone", "clone and revert by file"),
    (Method::GET, "/storage/volumes/NIL/files", "clone and revert by file"),
    (Method::POST, "/storage/volumes/NIL/files/strata", "clone and revert by file"),
    (Method::DELETE, "/storage/volumes/NIL/files/strata", "clone and revert by file"),
];

/// What is of use, and can be done without.
const USEFUL: &[(&str, &str)] = &[
    ("/cluster", "without it the release is that of the configuration, or the oldest that works"),
    ("/cluster/jobs", "without it the outcome of a job is looked up by the name of what it makes"),
    ("/application/consistency-groups", "without it several volumes are not snapshotted at one point in time"),
];

pub(super) async fn check(array: &Ontap) -> Result<Preflight, DriverError> {
    let object = format!("{} of {}", array.config.login(), array.client.name());
    let mut found = Preflight::default();
    for (method, path, feature) in PROBES {
        let path = path.replace("NIL", NIL);
        if let Some(error) = refused(array, method, &path).await? {
            match error.reason {
                Reason::RightMissing => found.missing.push(MissingRight {
                    privilege: right(method, &path),
                    object: object.clone(),
                    feature: (*feature).to_owned(),
                }),
                _ => found.remarks.push(format!("{feature} cannot be done on this release: it has no {path}")),
            }
        }
    }
    let release = array.learned().await?.release();
    for (path, why) in USEFUL {
        if *path == "/application/consistency-groups" && release < Release::CONSISTENCY_GROUPS {
            continue;
        }
        if refused(array, &Method::GET, path).await?.is_some() {
            found.remarks.push(format!("{object} may not read /api{path}: {why}"));
        }
    }
    licences(array, &object, &mut found).await?;
    Ok(found)
}

/// The refusal, where the role or the release refuses; `None` for every other answer.
async fn refused(array: &Ontap, method: &Method, path: &str) -> Result<Option<DriverError>, DriverError> {
    let (body, query) = match *method {
        Method::GET => (None, "?max_records=1"),
        Method::DELETE => (None, ""),
        _ => (Some(json!({})), ""),
    };
    match array.client.change(method.clone(), &format!("{path}{query}"), body, "try a right").await {
        Err(error) if matches!(error.reason, Reason::RightMissing | Reason::NotSupported) => Ok(Some(error)),
        Err(error)
            if matches!(error.reason, Reason::ArrayUnreachable | Reason::NoAnswer | Reason::CredentialsRefused) =>
        {
            Err(error)
        }
        _ => Ok(None),
    }
}

/// Only a cluster's account sees licences.
async fn licences(array: &Ontap, object: &str, found: &mut Preflight) -> Result<(), DriverError> {
    let path = "/cluster/licensing/licenses?fields=name,state";
    let held: Vec<Licence> = match array.client.list(path, "list its licences").await {
        Ok(held) => held,
        Err(error) if matches!(error.reason, Reason::ArrayUnreachable | Reason::NoAnswer) => return Err(error),
        Err(_) => Vec::new(),
    };
    if held.is_empty() {
        found
            .remarks
            .push(format!("{object} may not read licences: clones need FlexClone, rollbacks of volumes SnapRestore"));
        return Ok(());
    }
    for (name, words, feature) in
        [("flexclone", "FlexClone licence", "clone"), ("snaprestore", "SnapRestore licence", "rollback of volumes")]
    {
        let has = |it: &Licence| it.name.eq_ignore_ascii_case(name) && matches!(it.state.as_str(), "compliant" | "");
        if !held.iter().any(has) {
            found.missing.push(MissingRight {
                privilege: words.to_owned(),
                object: format!("cluster of {}", array.client.name()),
                feature: feature.to_owned(),
            });
        }
    }
    Ok(())
}
