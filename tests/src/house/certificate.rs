//! The certificate of a vCenter or an array, which a test lets expire: calls then go by TLS to a face whose certificate ran out.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, uri::PathAndQuery};
use std::sync::{Arc, Mutex, PoisonError};
use strata_kit::http::{HttpClient, HttpError, ReqwestClient, ServerTrust, SharedHttp, TlsOptions};
use strata_sim::serve::{Security, Served, serve};

/// One face's certificate. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Certificate {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    expired: bool,
    face: Option<Arc<Expired>>,
}

/// A face whose certificate ran out in 2001, and a client that trusts its issuer.
#[derive(Debug)]
struct Expired {
    served: Served,
    client: ReqwestClient,
}

impl Certificate {
    /// Makes the face; until [`Certificate::expire`] nobody calls it.
    ///
    /// # Errors
    /// It cannot be served.
    pub async fn prepare(&self) -> anyhow::Result<()> {
        let served = serve(axum::Router::new(), Security::ExpiredTls).await?;
        let file = tempfile::NamedTempFile::new()?;
        fs_err::write(file.path(), served.ca_pem.as_deref().unwrap_or_default())?;
        let trust = ServerTrust::CaFile(file.path().to_owned());
        let client = ReqwestClient::new(&TlsOptions { trust, ..TlsOptions::default() }).map_err(anyhow::Error::msg)?;
        self.with(|state| state.face = Some(Arc::new(Expired { served, client })));
        Ok(())
    }

    /// From now on it has run out; needs [`Certificate::prepare`].
    pub fn expire(&self) {
        self.with(|state| state.expired = true);
    }

    /// Somebody renewed it.
    pub fn renew(&self) {
        self.with(|state| state.expired = false);
    }

    /// A client that calls as before while it is good.
    pub(super) fn before(&self, usual: SharedHttp) -> SharedHttp {
        Arc::new(Guarded { usual, certificate: self.clone() })
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Debug)]
struct Guarded {
    usual: SharedHttp,
    certificate: Certificate,
}

#[async_trait]
impl HttpClient for Guarded {
    async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let face = self.certificate.with(|state| state.face.clone().filter(|_| state.expired));
        let Some(face) = face else { return self.usual.send(request).await };
        let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
        let broken = |source: http::uri::InvalidUri| HttpError::Broken { host: "face".into(), source: source.into() };
        *request.uri_mut() = format!("{}{path}", face.served.url()).parse().map_err(broken)?;
        face.client.send(request).await
    }
}
