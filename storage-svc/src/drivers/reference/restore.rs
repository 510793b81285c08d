//! Files put back, by cloning them without overwriting.

use super::{
    Reference,
    client::{Change, pending},
    files, look,
};
use crate::{
    driver::{DriverError, Progress, Reason, RestoreFilesRequest, RestoredFile},
    rel_path::RelPath,
};

/// `resume` is the job and, for each file that is over, whether it was present before: `<job> 0100`.
pub(super) async fn restore(
    array: &Reference,
    want: &RestoreFilesRequest,
) -> Result<Progress<Vec<RestoredFile>>, DriverError> {
    crate::naming::check_key(&want.mark.key)?;
    let (job, mut over) = match want.resume.as_deref().and_then(|resume| resume.split_once(' ')) {
        Some((job, over)) => (Some(job), over.chars().map(|digit| digit == '1').collect()),
        None => (None, Vec::new()),
    };
    if let Some(waiting) = array.client.settle::<()>(job).await? {
        return Ok(with_over(waiting, &over));
    }
    check(array, want).await?;
    let snapshot = files::snapshot(array, &want.volume, &want.snapshot).await?;
    for file in &want.files {
        files::in_snapshot(array, &snapshot, &file.from).await?;
    }
    // The file whose job is over now is there; that it was made by us is known from its place.
    if job.is_some()
        && let Some(file) = want.files.get(over.len())
        && files::find(array, want.volume.as_str(), None, &file.to).await?.is_some()
    {
        over.push(false);
    }
    for file in want.files.iter().skip(over.len()) {
        if files::find(array, want.volume.as_str(), None, &file.to).await?.is_some() {
            over.push(true);
            continue;
        }
        let parent = file.to.rsplit_once('/').map_or("", |(parent, _)| parent);
        if !parent.is_empty()
            && files::find(array, want.volume.as_str(), None, parent).await?.is_none()
            && let Change::Queued(job) = files::make_directory(array, want.volume.as_str(), parent).await?
        {
            return Ok(with_over(pending::<()>(&job), &over));
        }
        match files::clone(array, &snapshot, &file.from, &file.to).await {
            Ok(Change::Done) => over.push(false),
            Ok(Change::Queued(job)) => return Ok(with_over(pending::<()>(&job), &over)),
            Err(error) if error.reason == Reason::TargetExists => over.push(true),
            Err(error) => return Err(error),
        }
    }
    let files = want.files.iter().zip(over);
    let files = files.map(|(file, present)| RestoredFile { path: file.to.clone(), present, copied_bytes: 0 });
    Ok(Progress::Ready(files.collect()))
}

async fn check(array: &Reference, want: &RestoreFilesRequest) -> Result<(), DriverError> {
    for file in &want.files {
        RelPath::parse(&file.from)?;
        RelPath::parse(&file.to)?;
    }
    if let Some(expected) = want.expected_uuid.as_ref().filter(|expected| **expected != want.volume.0) {
        let text = format!("volume '{}' was expected to be {expected}; nothing was restored", want.volume);
        return Err(DriverError::new(Reason::VolumeReplaced, text));
    }
    let volume = look::volume(array, &want.volume).await?;
    if volume.read_only {
        let text = format!("volume '{}' is a replica and read-only; restore in its source", volume.name);
        return Err(DriverError::new(Reason::ReadOnly, text));
    }
    Ok(())
}

fn with_over<T>(waiting: Progress<()>, over: &[bool]) -> Progress<T> {
    let digits: String = over.iter().map(|present| if *present { '1' } else { '0' }).collect();
    match waiting {
        Progress::Pending { ask_again_after, resume, percent } => {
            Progress::Pending { ask_again_after, resume: format!("{resume} {digits}"), percent }
        }
        // Never given: the callers pass what is pending.
        Progress::Ready(()) => pending(&format!(" {digits}")),
    }
}
