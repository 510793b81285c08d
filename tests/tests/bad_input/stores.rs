//! The gateway's own stores: damaged, or in use.

use super::done;
use std::path::{Path, PathBuf};
use strata_sim::world::compute::VmSpec;
use strata_tests::house::{ArrayKind, House, open_gateway};

async fn with_snapshot() -> anyhow::Result<(House, String)> {
    let house = House::builder().array(ArrayKind::Reference).vm(VmSpec::named("web-01")).start().await?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
    Ok((house, snapshot.name))
}

/// A copy of the data directory as a stopped gateway left it; the lock does not travel.
async fn copy_of(house: &House, to: &Path) -> anyhow::Result<()> {
    house.gateway.drain().await;
    copy(&house.data_directory(), to)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs_err::create_dir_all(to)?;
    for entry in fs_err::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &target)?,
            false => drop(fs_err::copy(entry.path(), target)?),
        }
    }
    Ok(())
}

fn files_in(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs_err::read_dir(directory)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => files.extend(files_in(&entry.path())?),
            false => files.push(entry.path()),
        }
    }
    files.sort();
    Ok(files)
}

#[tokio::test]
async fn a_damaged_catalog_is_set_aside_and_made_anew() -> anyhow::Result<()> {
    let (house, snapshot) = with_snapshot().await?;
    let id = snapshot.trim_start_matches("snapshots/").to_owned();
    let whole = tempfile::tempdir()?;
    copy_of(&house, whole.path()).await?;
    let mut set_aside = 0;
    // A bit in the middle of every file of the catalog, and a file that is empty.
    for file in files_in(&whole.path().join("catalog"))? {
        for cut in [false, true] {
            let damaged = tempfile::tempdir()?;
            copy(whole.path(), damaged.path())?;
            let target = damaged.path().join(file.strip_prefix(whole.path())?);
            let mut bytes = fs_err::read(&target)?;
            let middle = bytes.len() / 2;
            match (cut, bytes.get_mut(middle)) {
                (true, _) => bytes.truncate(middle),
                (false, Some(byte)) => *byte ^= 0x10,
                (false, None) => continue,
            }
            fs_err::write(&target, bytes)?;
            let gateway = open_gateway(damaged.path(), house.gateway.deps().ports.clone()).await?;
            let point = gateway.deps().catalog.point(&id)?;
            assert!(point.is_some(), "the restore point is lost by damage in {}", target.display());
            let aside = fs_err::read_dir(damaged.path())?.filter_map(Result::ok);
            set_aside += aside.filter(|entry| entry.file_name().to_string_lossy().contains("damaged")).count();
        }
    }
    assert!(set_aside > 0, "no damage was seen at all");
    Ok(())
}

#[tokio::test]
async fn a_damaged_journal_is_refused() -> anyhow::Result<()> {
    let (house, _) = with_snapshot().await?;
    let whole = tempfile::tempdir()?;
    copy_of(&house, whole.path()).await?;
    let mut refused = 0;
    let segments: Vec<PathBuf> = files_in(&whole.path().join("journal"))?
        .into_iter()
        .filter(|path| fs_err::metadata(path).is_ok_and(|metadata| metadata.len() > 512))
        .collect();
    assert!(!segments.is_empty());
    for file in segments {
        let damaged = tempfile::tempdir()?;
        copy(whole.path(), damaged.path())?;
        let target = damaged.path().join(file.strip_prefix(whole.path())?);
        let mut bytes = fs_err::read(&target)?;
        // Within the first record that holds text: acknowledged, and not the tail that a crash may tear.
        let Some(at) = bytes.windows(7).position(|window| window == b"web-01@") else { continue };
        bytes[at] ^= 0x01;
        fs_err::write(&target, &bytes)?;
        let Err(error) = open_gateway(damaged.path(), house.gateway.deps().ports.clone()).await else {
            anyhow::bail!("it opened with damage in {}", target.display());
        };
        let text = format!("{error:#}");
        assert!(text.contains("damaged") && text.contains("backup"), "{text}");
        assert!(text.contains(&target.file_name().unwrap_or_default().to_string_lossy().into_owned()), "{text}");
        assert_eq!(fs_err::read(&target)?, bytes, "a journal that is refused stays as it is");
        refused += 1;
    }
    assert!(refused > 0, "no segment held the record");
    Ok(())
}

#[tokio::test]
async fn a_store_in_use_is_refused() -> anyhow::Result<()> {
    let (house, _) = with_snapshot().await?;
    let Err(error) = open_gateway(&house.data_directory(), house.gateway.deps().ports.clone()).await else {
        anyhow::bail!("two gateways run on one directory");
    };
    let text = format!("{error:#}");
    let directory = house.data_directory().display().to_string();
    assert!(text.contains("in use by another process") && text.contains(&directory), "{text}");
    assert!(text.contains("only one gateway"), "{text}");
    // The first one goes on.
    done(house.snapshot("web-01", |_| {}).await?)?;
    house.check().await
}
