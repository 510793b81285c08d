//! Finds files on a datastore (HostDatastoreBrowser).

use super::{Client, Error};
use crate::soap::{Element, MoRef, Request};
use strata_model::DatastorePath;

/// A file that was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundFile {
    /// Where it is.
    pub path: DatastorePath,
    /// Bytes.
    pub size_bytes: u64,
    /// True for a directory.
    pub directory: bool,
}

impl Client {
    /// All files below a directory whose names match one of the patterns, sorted by path.
    ///
    /// # Errors
    /// The call or the task failed; FileNotFound where the directory does not exist.
    pub async fn search(
        &self,
        browser: &MoRef,
        below: &DatastorePath,
        patterns: &[String],
    ) -> Result<Vec<FoundFile>, Error> {
        let object = below.to_string();
        let task = self.call_for_ref(&search_request(browser, &object, patterns), &object).await?;
        let result = self.finish_task(&task, "search", &object).await?;
        let mut files = Vec::new();
        for folder in result.iter().flat_map(|result| &result.children) {
            files.extend(folder_files(folder));
        }
        files.sort();
        files.dedup();
        Ok(files)
    }
}

/// SearchDatastoreSubFolders_Task. Without a pattern vcsim finds nothing and vCenter everything: one is always sent.
pub fn search_request(browser: &MoRef, below: &str, patterns: &[String]) -> Request {
    Request::with("SearchDatastoreSubFolders_Task", browser, |body| {
        body.text("datastorePath", below).element("searchSpec", |body| {
            body.element("details", |body| {
                body.flag("fileType", true).flag("fileSize", true).flag("modification", false).flag("fileOwner", false);
            });
            body.flag("searchCaseInsensitive", true);
            if patterns.is_empty() {
                body.text("matchPattern", "*");
            }
            for pattern in patterns {
                body.text("matchPattern", pattern);
            }
            body.flag("sortFoldersFirst", false);
        });
    })
}

fn folder_files(folder: &Element) -> Vec<FoundFile> {
    let Some(Ok(at)) = folder.text_at("folderPath").map(str::parse::<DatastorePath>) else { return Vec::new() };
    let directory = at.path.trim_end_matches('/');
    let of_file = |file: &Element| {
        let name = file.text_at("path")?;
        let path = if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") };
        Some(FoundFile {
            path: DatastorePath::new(at.datastore.clone(), path),
            size_bytes: file.number_at("fileSize").unwrap_or(0),
            directory: file.xsi_type == "FolderFileInfo",
        })
    };
    folder.all("file").filter_map(of_file).collect()
}
