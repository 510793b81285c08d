//! Files put back, by cloning them without overwriting: constant time, and no snapshot is lost.

use super::{
    Ontap,
    client::Change,
    file_clones::{check_can, check_sources},
    files,
    job::{ASK_AGAIN_AFTER, settle},
    volumes,
};
use crate::{
    driver::{DriverError, Progress, Reason, RestoreFilesRequest, RestoredFile},
    rel_path::RelPath,
};

/// `resume` is the job and, for each file that is over, whether it was present before: `<job> 0100`.
pub(super) async fn restore(
    array: &Ontap,
    want: &RestoreFilesRequest,
) -> Result<Progress<Vec<RestoredFile>>, DriverError> {
    crate::naming::check_key(&want.mark.key)?;
    for file in &want.files {
        RelPath::parse(&file.from)?;
        RelPath::parse(&file.to)?;
    }
    let (job, mut over) = match want.resume.as_deref().and_then(|resume| resume.split_once(' ')) {
        Some((job, over)) => (Some(job), over.chars().map(|digit| digit == '1').collect()),
        None => (None, Vec::new()),
    };
    if let Some(Progress::Pending { resume, .. }) = settle::<()>(array, job).await? {
        return Ok(pending_with(&resume, &over));
    }
    let volume = volumes::get(array, &want.volume).await?;
    volumes::check_uuid(&volume, want.expected_uuid.as_ref())?;
    check_can(array, &volume).await?;
    let snapshot = check_sources(array, &volume, &want.snapshot, &want.files).await?;
    let is_there = async |path: &str| -> Result<bool, DriverError> {
        Ok(files::walk(array, &volume.uuid, "", &RelPath::parse(path)?).await?.is_there())
    };
    // The file whose job is over now is there; that it was made by us is known from its place.
    if job.is_some()
        && let Some(file) = want.files.get(over.len())
        && is_there(&file.to).await?
    {
        over.push(false);
    }
    for file in want.files.iter().skip(over.len()) {
        if is_there(&file.to).await? {
            over.push(true);
            continue;
        }
        let to = RelPath::parse(&file.to)?;
        let parent = to.split().0;
        if !parent.is_empty()
            && let Change::Queued(job) = files::make_directories(array, &volume.uuid, &RelPath::parse(parent)?).await?
        {
            return Ok(pending_with(&job, &over));
        }
        match files::clone(array, &volume, &snapshot, &file.from, &file.to).await {
            Ok(Change::Done) => over.push(false),
            Ok(Change::Queued(job)) => return Ok(pending_with(&job, &over)),
            Err(error) if error.reason == Reason::TargetExists => over.push(true),
            Err(error) => return Err(error),
        }
    }
    let restored = want.files.iter().zip(over);
    let restored = restored.map(|(file, present)| RestoredFile { path: file.to.clone(), present, copied_bytes: 0 });
    Ok(Progress::Ready(restored.collect()))
}

fn pending_with<T>(job: &str, over: &[bool]) -> Progress<T> {
    let digits: String = over.iter().map(|present| if *present { '1' } else { '0' }).collect();
    Progress::Pending { ask_again_after: ASK_AGAIN_AFTER, resume: format!("{job} {digits}"), percent: None }
}
