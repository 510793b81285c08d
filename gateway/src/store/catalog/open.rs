//! Opening a catalog that may be damaged: lock, open, verify; what does not open is set aside and begun anew.

use super::SledCatalog;
use jiff::Timestamp;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

/// A catalog, and what was found wrong with its predecessor.
#[derive(Debug)]
pub struct Opened {
    /// Ready for use; perhaps empty.
    pub catalog: SledCatalog,
    /// Where a damaged one was put, and why. It can be deleted.
    pub set_aside: Option<(PathBuf, String)>,
}

/// Opens the catalog in `directory`, which is made where absent.
///
/// # Errors
/// Another process has it open, or the disk refuses; the text says which and what to do.
pub fn open(directory: &Path, now: Timestamp) -> Result<Opened, String> {
    let why = match try_open(directory) {
        Ok(catalog) => return Ok(Opened { catalog, set_aside: None }),
        Err(Failure::Refused(why)) => return Err(why),
        Err(Failure::Damaged(why)) => why,
    };
    let aside = directory.with_extension(format!("damaged-{}", now.strftime("%Y%m%dT%H%M%SZ")));
    fs_err::rename(directory, &aside)
        .map_err(|error| format!("the catalog is damaged ({why}) and cannot be set aside: {error}"))?;
    match try_open(directory) {
        Ok(catalog) => Ok(Opened { catalog, set_aside: Some((aside, why)) }),
        Err(Failure::Refused(why) | Failure::Damaged(why)) => Err(format!("a new catalog cannot be made: {why}")),
    }
}

enum Failure {
    /// Opening again would not help, nor would a new one.
    Refused(String),
    /// A new one helps.
    Damaged(String),
}

fn try_open(directory: &Path) -> Result<SledCatalog, Failure> {
    // sled panics on some damage instead of answering an error.
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let db = sled::Config::new().path(directory).cache_capacity(64 << 20).flush_every_ms(Some(500)).open()?;
        SledCatalog::trees(db)
    }));
    match opened {
        Ok(Ok(catalog)) => match catch_unwind(AssertUnwindSafe(|| catalog.verify())) {
            Ok(Ok(())) => Ok(catalog),
            Ok(Err(error)) => Err(Failure::Damaged(error.message)),
            Err(_) => Err(Failure::Damaged("sled panicked while its records were read".to_owned())),
        },
        Ok(Err(sled::Error::Io(error))) if error.to_string().contains("lock") => Err(Failure::Refused(format!(
            "{} is in use by another process: only one gateway may run on a data directory",
            directory.display()
        ))),
        Ok(Err(sled::Error::Io(error))) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            Err(Failure::Refused(format!("{} cannot be opened: {error}", directory.display())))
        }
        Ok(Err(error)) => Err(Failure::Damaged(error.to_string())),
        Err(_) => Err(Failure::Damaged("sled panicked at open".to_owned())),
    }
}
