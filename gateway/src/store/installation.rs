//! Who this installation is, and which start of it: a small file beside the stores, replaced atomically and synced.
//!
//! The generation grows with every start and goes into every mark, so that a catalog older than an array's newest mark can be
//! told (safety.md S4).

use serde::{Deserialize, Serialize};
use std::{io::Write, path::Path};

const FILE: &str = "installation.json";

/// The file's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// 32 hex digits, made once.
    pub id: String,
    /// How often it was started.
    pub generation: u64,
}

/// Reads it, counts this start, and writes it back durably.
///
/// # Errors
/// The directory cannot be written, or the file is damaged; the text says what to do.
pub fn begin(directory: &Path) -> Result<Installation, String> {
    let path = directory.join(FILE);
    let mut installation = match fs_err::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| {
            format!("{} is damaged ({error}); put it back from a backup: without it, what is on the arrays is not known as ours", path.display())
        })?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Installation { id: uuid::Uuid::new_v4().simple().to_string(), generation: 0 }
        }
        Err(error) => return Err(error.to_string()),
    };
    installation.generation += 1;
    write(directory, &installation).map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    Ok(installation)
}

fn write(directory: &Path, installation: &Installation) -> std::io::Result<()> {
    let temporary = directory.join(format!("{FILE}.new"));
    let mut file = fs_err::File::create(&temporary)?;
    file.write_all(&serde_json::to_vec(installation).map_err(std::io::Error::other)?)?;
    file.sync_all()?;
    fs_err::rename(&temporary, directory.join(FILE))?;
    // The rename itself must survive power loss.
    fs_err::File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_stays_and_the_generation_grows() {
        let directory = tempfile::tempdir().unwrap();
        let (first, second) = (begin(directory.path()).unwrap(), begin(directory.path()).unwrap());
        assert_eq!(first.id, second.id);
        assert_eq!(first.id.len(), 32);
        assert_eq!((first.generation, second.generation), (1, 2));
    }

    #[test]
    fn a_damaged_file_is_refused_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        begin(directory.path()).unwrap();
        fs_err::write(directory.path().join(FILE), "{").unwrap();
        let error = begin(directory.path()).unwrap_err();
        assert!(error.contains("damaged") && error.contains("backup"), "{error}");
        assert_eq!(fs_err::read_to_string(directory.path().join(FILE)).unwrap(), "{");
    }
}
