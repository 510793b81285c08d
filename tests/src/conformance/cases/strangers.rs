//! S2, marks travel: what is not ours is neither taken for ours nor removed.

use super::case;
use crate::conformance::{
    Case, CaseResult,
    lab::{Lab, OURS, native_name, refused, same, their_mark},
};
use anyhow::ensure;
use strata_storage_svc::{driver::Reason, naming};

pub(super) const CASES: &[Case] = &[
    case!("strangers: another installation's snapshot is not removed (S2)", [], other_installation_is_not_removed),
    case!(
        "strangers: another installation's snapshot is not answered as ours (S2)",
        [],
        other_installation_is_not_answered
    ),
    case!("strangers: a snapshot without a mark under our name is left alone (S2)", [], unmarked_is_left_alone),
    case!("strangers: a snapshot with a mark of other form is left alone (S2)", [], wrong_mark_is_left_alone),
    case!("strangers: their snapshots are listed, as unmarked", [], strangers_are_listed),
    case!("strangers: marks on a copy of the volume are not ours (S2)", [], copies_are_not_ours),
];

async fn other_installation_is_not_removed(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    let mut theirs = lab.snapshot_request("s-theirs", &[0]);
    theirs.mark = their_mark("s-theirs");
    let name = native_name(&lab.ensure(&theirs).await?)?;
    let error = refused(lab.remove(&lab.removal("s-theirs", &[0])).await, Reason::NotOurs)?;
    ensure!(error.message.contains(&name), "the message does not name the snapshot: {error}");
    ensure!(lab.bench.has_snapshot(0, &name)?, "their snapshot is gone");
    Ok(None)
}

async fn other_installation_is_not_answered(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    let mut theirs = lab.snapshot_request("s-theirs", &[0]);
    theirs.mark = their_mark("s-theirs");
    lab.ensure(&theirs).await?;
    refused(lab.ensure(&lab.snapshot_request("s-theirs", &[0])).await, Reason::NotOurs)?;
    Ok(None)
}

async fn unmarked_is_left_alone(lab: &Lab) -> CaseResult {
    left_alone(lab, "").await
}

async fn wrong_mark_is_left_alone(lab: &Lab) -> CaseResult {
    // Ours but for the key; a later form; words of a person.
    let other_key = format!("strata1;i={OURS};k=s-other;g=1");
    for comment in [other_key.as_str(), "strata2;i=x;k=s-planted;g=1", "do not delete, audit"] {
        if let Some(lacking) = left_alone(lab, comment).await? {
            return Ok(Some(lacking));
        }
        lab.bench.recreate(1)?;
    }
    Ok(None)
}

/// On volume 1, which can be made anew.
async fn left_alone(lab: &Lab, comment: &str) -> CaseResult {
    lab.bench.write(1, "vm/disk", b"one")?;
    let rules = lab.driver().capabilities().snapshot_names;
    let name = naming::render(&rules, "s-planted", "web-01");
    if !lab.bench.has_snapshot(1, &name)? && !lab.bench.plant_snapshot(1, &name, comment)? {
        return Ok(Some("snapshots of others".to_owned()));
    }
    refused(lab.remove(&lab.removal("s-planted", &[1])).await, Reason::NotOurs)?;
    refused(lab.ensure(&lab.snapshot_request("s-planted", &[1])).await, Reason::NotOurs)?;
    ensure!(lab.bench.has_snapshot(1, &name)?, "it is gone (comment '{comment}')");
    same("owned", lab.owned(Some(OURS)).await?.len(), 0)?;
    Ok(None)
}

async fn strangers_are_listed(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    if !lab.bench.plant_snapshot(0, "hourly.0", "")? {
        return Ok(Some("snapshots of others".to_owned()));
    }
    lab.snapshot("s-1").await?;
    let listed = lab.list(0).await?;
    same("listed", listed.len(), 2)?;
    let marks: Vec<bool> = listed.iter().map(|snapshot| snapshot.mark.is_some()).collect();
    same("marked", marks.iter().filter(|marked| **marked).count(), 1)?;
    Ok(None)
}

async fn copies_are_not_ours(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    let original = lab.snapshot("s-copied").await?;
    let Some((driver, copy)) = lab.bench.replica()? else {
        return Ok(Some("copies of a volume with its snapshots".to_owned()));
    };
    driver.identify().await?;
    let page = strata_storage_svc::driver::PageRequest::first(100);
    let claimed = driver.owned(Some(OURS), &page).await?.items;
    ensure!(claimed.iter().all(|owned| owned.volume != copy), "the copy's snapshot was taken for ours: {claimed:?}");
    let mut removal = lab.removal("s-copied", &[0]);
    removal.volumes = vec![copy.clone()];
    let removed = lab.remove_by(&driver, &removal).await;
    ensure!(removed.is_err() || copy != lab.bench.volume(0), "the copy's snapshot was removed");
    let name = native_name(&original)?;
    let listed = driver.snapshots(&copy, &page).await?.items;
    ensure!(
        listed.iter().any(|snapshot| snapshot.members.iter().any(|member| member.native_name == name)),
        "the copy's snapshot is gone"
    );
    ensure!(listed.iter().all(|snapshot| snapshot.mark.is_none()), "the copy's snapshot is told as marked: {listed:?}");
    ensure!(lab.bench.has_snapshot(0, &name)?, "the original is gone");
    if !driver.volume(&copy).await?.read_write {
        let mut request = lab.snapshot_request("s-on-the-copy", &[0]);
        request.targets[0].volume = copy;
        refused(lab.ensure_by(&driver, &request).await, Reason::ReadOnly)?;
    }
    Ok(None)
}
