//! Reads and writes small files of a datastore over vCenter's `/folder`, with the session's cookie.

use super::{Client, Error, Refusal};
use crate::soap::SoapError;
use bytes::Bytes;
use http::{Method, StatusCode};
use strata_model::{DatastorePath, ErrorKind, names::encode};

impl Client {
    /// Reads a file.
    ///
    /// # Errors
    /// No answer, or there is no such file.
    pub async fn read_file(&self, datacenter_path: &str, file: &DatastorePath) -> Result<Bytes, Error> {
        let answer = self.folder_call(Method::GET, datacenter_path, file, Bytes::new()).await?;
        match answer.status() {
            StatusCode::OK => Ok(answer.into_body()),
            status => Err(self.folder_error("GET", file, status)),
        }
    }

    /// Writes a file whole, replacing one that is there.
    ///
    /// # Errors
    /// No answer, or vCenter refused.
    pub async fn write_file(&self, datacenter_path: &str, file: &DatastorePath, bytes: Bytes) -> Result<(), Error> {
        let answer = self.folder_call(Method::PUT, datacenter_path, file, bytes).await?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(self.folder_error("PUT", file, status)),
        }
    }

    async fn folder_call(
        &self,
        method: Method,
        datacenter_path: &str,
        file: &DatastorePath,
        body: Bytes,
    ) -> Result<http::Response<Bytes>, Error> {
        let path: Vec<String> = file.path.split('/').map(encode).collect();
        let uri = format!(
            "/folder/{}?dcPath={}&dsName={}",
            path.join("/"),
            encode(datacenter_path.trim_start_matches('/')),
            encode(&file.datastore)
        );
        self.content().await?;
        let generation = self.generation();
        let object = file.to_string();
        let send = || self.connection().send(method.clone(), &uri, body.clone(), None);
        let answer = send().await.map_err(|source| self.call_error(&object, source))?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        self.log_in_again(generation).await?;
        send().await.map_err(|source| self.call_error(&object, source))
    }

    fn folder_error(&self, method: &str, file: &DatastorePath, status: StatusCode) -> Error {
        if status == StatusCode::NOT_FOUND {
            let text = format!("vCenter {}: there is no file {file}", self.name());
            return Refusal::new(ErrorKind::NotFound, "FILE_NOT_FOUND", text).and("file", file.to_string()).into();
        }
        let source = SoapError::NotSoap {
            method: format!("{method} /folder"),
            status: status.as_u16(),
            reason: status.canonical_reason().unwrap_or("unknown").to_owned(),
        };
        self.call_error(&file.to_string(), source)
    }
}
