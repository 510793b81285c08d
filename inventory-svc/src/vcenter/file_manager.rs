//! Files and directories of datastores (FileManager).

use super::{Client, Error};
use crate::soap::{MoRef, Request};

impl Client {
    /// Makes a directory with its parents. One that exists is no error.
    ///
    /// # Errors
    /// The call failed.
    pub async fn make_directory(&self, datacenter: &MoRef, path: &str) -> Result<(), Error> {
        let content = self.content().await?;
        let manager = self.manager(content.file_manager.as_ref(), "file manager")?;
        let request = Request::with("MakeDirectory", &manager, |body| {
            body.text("name", path).moref("datacenter", datacenter).flag("createParentDirectories", true);
        });
        match self.call(&request, path).await {
            Err(error) if error.is_fault("FileAlreadyExists") => Ok(()),
            other => other.map(drop),
        }
    }

    /// Deletes a file, or a directory with all in it (DeleteDatastoreFile_Task). An absent one is no error.
    ///
    /// # Errors
    /// The call or the task failed.
    pub async fn delete_file(&self, datacenter: &MoRef, path: &str) -> Result<(), Error> {
        let content = self.content().await?;
        let manager = self.manager(content.file_manager.as_ref(), "file manager")?;
        let request = Request::with("DeleteDatastoreFile_Task", &manager, |body| {
            body.text("name", path).moref("datacenter", datacenter);
        });
        let done = match self.call_for_ref(&request, path).await {
            Ok(task) => self.finish_task(&task, "deletion", path).await.map(drop),
            Err(error) => Err(error),
        };
        match done {
            Err(error) if error.is_fault("FileNotFound") => Ok(()),
            other => other,
        }
    }
}
