//! Names that come from people, and paths that come from anybody.

use super::case;
use crate::conformance::{
    Case, CaseResult,
    lab::{Lab, id_of, native_name, refused, same},
};
use anyhow::ensure;
use strata_storage_svc::driver::Reason;

pub(super) const CASES: &[Case] = &[
    case!("names: files called with / @ : % # and non-ASCII are held", [ReadFiles], awkward_files),
    case!("names: hostile labels give valid names of their own", [], hostile_labels),
    case!("names: a wrong key is refused", [], wrong_keys),
    case!("names: the longest key with the longest label fits", [], longest_names),
    case!("paths: those that lead out of the volume are refused", [ReadFiles], paths_that_lead_out),
    case!("paths: a symbolic link is not followed", [ReadFiles], symbolic_links),
];

async fn awkward_files(lab: &Lab) -> CaseResult {
    let names = ["web 01", "größe", "a@b", "a:b", "100%", "%2F", "#1", "x;y=z&w?", "日本", "a'b\"c"];
    for name in names {
        lab.bench.write(0, &format!("vm/{name}/{name}.vmdk"), name.as_bytes())?;
    }
    let snapshot = lab.snapshot("s-awkward").await?;
    let (volume, id) = (lab.bench.volume(0), id_of(&snapshot, &lab.bench.volume(0)));
    for name in names {
        let path = format!("vm/{name}/{name}.vmdk");
        same(&path, lab.driver().read_snapshot_file(&volume, &id, &path).await?, name.as_bytes().to_vec())?;
    }
    Ok(None)
}

async fn hostile_labels(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    let labels = ["../../etc", "a/b", "", " ", "x\0y", "\n", "größe", "%s%n", "..", "-rf", &"long".repeat(100), "🦀"];
    let rules = lab.driver().capabilities().snapshot_names;
    for (index, label) in labels.iter().enumerate() {
        let mut request = lab.snapshot_request(&format!("s-label-{index}"), &[0]);
        request.label = (*label).to_owned();
        let name = native_name(&lab.ensure(&request).await?)?;
        ensure!(name.len() <= rules.bytes_max, "{label:?} gave {name:?}, longer than {}", rules.bytes_max);
        ensure!(!name.contains(['/', '\0', '\n', ' ', '%']) && name.is_ascii(), "{label:?} gave {name:?}");
    }
    same("snapshots", lab.list(0).await?.len(), labels.len())?;
    Ok(None)
}

async fn wrong_keys(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    for key in ["", "A", "a b", "../x", "a/b", "a_b", "ü", &"k".repeat(41)] {
        refused(lab.ensure(&lab.snapshot_request(key, &[0])).await, Reason::InvalidRequest)?;
        refused(lab.remove(&lab.removal(key, &[0])).await, Reason::InvalidRequest)?;
    }
    Ok(None)
}

async fn longest_names(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    let long = "k".repeat(39);
    let mut names = Vec::new();
    for last in ["a", "b"] {
        let mut request = lab.snapshot_request(&format!("{long}{last}"), &[0]);
        request.label = "l".repeat(300);
        names.push(native_name(&lab.ensure(&request).await?)?);
    }
    ensure!(names[0] != names[1], "two keys gave one name");
    let name = &names[0];
    lab.remove(&lab.removal(&format!("{long}a"), &[0])).await?;
    ensure!(!lab.bench.has_snapshot(0, name)?, "{name} is still there");
    Ok(None)
}

async fn paths_that_lead_out(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    let snapshot = lab.snapshot("s-paths").await?;
    let (volume, id) = (lab.bench.volume(0), id_of(&snapshot, &lab.bench.volume(0)));
    for path in ["../ds-1/x", "/etc/passwd", "vm/../../x", "..", "vm//disk", "./vm/disk", "", "vm/\0"] {
        let read = lab.driver().read_snapshot_file(&volume, &id, path).await;
        ensure!(matches!(&read, Err(error) if error.reason == Reason::UnsafePath), "{path:?}: {read:?}");
    }
    Ok(None)
}

async fn symbolic_links(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    if !lab.bench.symlink(0, "/etc", "links/etc")? {
        return Ok(Some("symbolic links".to_owned()));
    }
    lab.bench.symlink(0, "../vm", "links/vm")?;
    for path in ["links", "links/etc", "links/etc/passwd", "links/vm/disk"] {
        let mut request = lab.snapshot_request("s-link", &[0]);
        request.targets[0].paths = vec![path.to_owned()];
        let made = lab.ensure(&request).await;
        // A whole volume may hold links; reading through one is what must not work.
        if let Ok(snapshot) = made {
            let id = id_of(&snapshot, &lab.bench.volume(0));
            ensure!(path == "links", "a snapshot of {path} was made through a link");
            for inner in ["links/etc/passwd", "links/vm/disk"] {
                let read = lab.driver().read_snapshot_file(&lab.bench.volume(0), &id, inner).await;
                refused(read, Reason::UnsafePath)?;
            }
            lab.remove(&lab.removal("s-link", &[0])).await?;
        } else {
            refused(made, Reason::UnsafePath)?;
        }
    }
    lab.expect_no_leftovers()?;
    Ok(None)
}
