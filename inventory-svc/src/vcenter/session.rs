//! The session with one vCenter: opened when it is first needed, kept alive, and opened again exactly once when vCenter
//! has forgotten it, however many calls find out at the same time.

use super::{Error, Refusal, content::Content, rescan::Rescans};
use crate::footing::{Footing, Standing, VcenterAddress};
use crate::soap::{Connection, Element, MoRef, Request, SoapError, reader};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use strata_kit::{clock::SharedClock, http::SharedHttp};
use strata_model::ErrorKind;

/// vCenter drops a session after 30 minutes without a call.
const KEEPALIVE_PERIOD: Duration = Duration::from_secs(600);
/// After a refused login none is tried for this long: vCenter locks accounts after a few.
const REFUSED_LOGIN_PAUSE: jiff::SignedDuration = jiff::SignedDuration::from_secs(30);

/// Whom to talk to and as whom.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Configured name.
    pub name: String,
    /// `https://vc.example.com`.
    pub url: String,
    /// Account.
    pub username: String,
    /// Its password.
    pub password: SecretString,
    /// How long one call of ours waits for a task before it answers "pending".
    pub task_wait: Duration,
    /// What Strata itself stands on.
    pub footing: Footing,
}

/// One vCenter.
#[derive(Debug)]
pub struct Client {
    options: ClientOptions,
    connection: Connection,
    address: VcenterAddress,
    clock: SharedClock,
    /// Counts logins; a call that fails with NotAuthenticated logs in only if nobody has since.
    generation: AtomicU64,
    rescans: Rescans,
    resignature: tokio::sync::Mutex<()>,
    state: tokio::sync::Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    content: Option<Arc<Content>>,
    logged_in: bool,
    login_refused: Option<(Timestamp, String)>,
}

impl Client {
    /// A client that has not talked to anybody yet.
    pub fn new(options: ClientOptions, http: SharedHttp, clock: SharedClock) -> Arc<Self> {
        let connection = Connection::new(http, &options.url);
        let address = VcenterAddress::new(connection.base_url(), options.footing.names.clone());
        let state = tokio::sync::Mutex::new(State::default());
        Arc::new(Self {
            options,
            connection,
            address,
            clock,
            generation: AtomicU64::new(0),
            rescans: Rescans::default(),
            resignature: tokio::sync::Mutex::default(),
            state,
        })
    }

    /// Configured name.
    pub fn name(&self) -> &str {
        &self.options.name
    }

    /// Address without `/sdk`.
    pub fn url(&self) -> &str {
        self.connection.base_url()
    }

    /// What tells a VM that Strata stands on from all others.
    pub async fn standing(&self) -> Standing {
        Standing {
            vcenter: self.name().to_owned(),
            host: self.address.host().to_owned(),
            addresses: self.address.addresses(&*self.clock).await,
            machine: self.options.footing.machine.clone(),
        }
    }

    /// How long one call waits for a task.
    pub fn task_wait(&self) -> Duration {
        self.options.task_wait
    }

    /// Version of the API that is spoken.
    pub fn api_version(&self) -> String {
        self.connection.api_version()
    }

    /// The clock that everything here waits by.
    pub fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// Rescans of this vCenter's hosts.
    pub fn rescans(&self) -> &Rescans {
        &self.rescans
    }

    /// Held from the look at unresolved VMFS to the start of the task: two at once would see each other's copies.
    pub fn resignature(&self) -> &tokio::sync::Mutex<()> {
        &self.resignature
    }

    /// The connection, with a session's cookie once [`Client::content`] was asked.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The managers; opens the session where there is none.
    ///
    /// # Errors
    /// vCenter cannot be reached or refuses the account.
    pub async fn content(&self) -> Result<Arc<Content>, Error> {
        let mut state = self.state.lock().await;
        if let (Some(content), true) = (&state.content, state.logged_in) {
            return Ok(content.clone());
        }
        self.open(&mut state).await
    }

    /// Calls a method; `object` says in words what it is about.
    ///
    /// # Errors
    /// The call failed, after a new login where the session was gone.
    pub async fn call(&self, request: &Request, object: &str) -> Result<Vec<Element>, Error> {
        let body = self.post(request, object).await?;
        reader::read_values(&body).map_err(|error| {
            let source = crate::soap::connection::read_failed(request.method, error);
            self.call_error(object, source)
        })
    }

    /// Calls a method and gives the answer's bytes.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn post(&self, request: &Request, object: &str) -> Result<bytes::Bytes, Error> {
        self.content().await?;
        let generation = self.generation.load(Ordering::Acquire);
        match self.connection.post(request).await {
            Err(error) if error.fault().is_some_and(|fault| fault.is("NotAuthenticated")) => {
                self.log_in_again(generation).await?;
                self.connection.post(request).await.map_err(|source| self.call_error(object, source))
            }
            other => other.map_err(|source| self.call_error(object, source)),
        }
    }

    /// Calls a method that answers with one reference: a task, a view, a new object.
    ///
    /// # Errors
    /// As [`Client::call`], or the answer has no reference.
    pub async fn call_for_ref(&self, request: &Request, object: &str) -> Result<MoRef, Error> {
        let values = self.call(request, object).await?;
        values.first().and_then(Element::moref).ok_or_else(|| self.incomplete(request.method, "reference"))
    }

    /// A new session, unless somebody opened one since `seen`, which is what [`Client::generation`] said before the call.
    ///
    /// # Errors
    /// vCenter cannot be reached or refuses the account.
    pub async fn log_in_again(&self, seen: u64) -> Result<(), Error> {
        let mut state = self.state.lock().await;
        if self.generation.load(Ordering::Acquire) != seen {
            return Ok(());
        }
        tracing::info!(vcenter = self.name(), "the session is gone; logging in again");
        state.logged_in = false;
        self.open(&mut state).await.map(drop)
    }

    /// How many sessions were opened.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Asks whether the session is alive by asking the time, and opens one where it is not.
    ///
    /// # Errors
    /// vCenter cannot be reached or refuses the account.
    pub async fn check(&self) -> Result<Arc<Content>, Error> {
        let content = self.content().await?;
        self.call(&Request::new("CurrentTime", &MoRef::new("ServiceInstance", "ServiceInstance")), "session").await?;
        Ok(content)
    }

    /// Keeps the session alive for as long as it is polled. Run it beside the service.
    pub async fn keep_alive(self: Arc<Self>) {
        loop {
            self.clock.sleep(KEEPALIVE_PERIOD).await;
            if let Err(error) = self.check().await {
                tracing::warn!(vcenter = self.name(), %error, "vCenter does not answer");
            }
        }
    }

    /// Ends the session, so that it does not count against vCenter's limit until it times out.
    pub async fn log_out(&self) {
        let mut state = self.state.lock().await;
        let manager = state.content.as_ref().and_then(|content| content.session_manager.clone());
        if let (Some(manager), true) = (manager, state.logged_in) {
            let _ended = self.connection.call(&Request::new("Logout", &manager)).await;
            state.logged_in = false;
            self.connection.forget_cookie();
        }
    }

    async fn open(&self, state: &mut State) -> Result<Arc<Content>, Error> {
        let object = format!("login of {}", self.options.username);
        if let Some((at, message)) = &state.login_refused
            && self.clock.now().duration_since(*at) < REFUSED_LOGIN_PAUSE
        {
            return Err(self.refused_login(message).into());
        }
        // A login with the cookie of a live session is refused as InvalidLogin.
        self.connection.forget_cookie();
        // Each time anew: a vCenter may come back from an upgrade.
        self.connection.negotiate().await.map_err(|source| self.call_error(&object, source))?;
        let instance = MoRef::new("ServiceInstance", "ServiceInstance");
        let retrieve = Request::new("RetrieveServiceContent", &instance);
        let values = self.connection.call(&retrieve).await.map_err(|source| self.call_error(&object, source))?;
        let content = values.first().map(Content::from_element).unwrap_or_default();
        let manager = content
            .session_manager
            .clone()
            .ok_or_else(|| self.incomplete("RetrieveServiceContent", "sessionManager"))?;
        let login = Request::with("Login", &manager, |body| {
            body.text("userName", &self.options.username).text("password", self.options.password.expose_secret());
        });
        match self.connection.call(&login).await {
            Ok(_) => {}
            Err(source) if source.fault().is_some_and(|fault| fault.is("InvalidLogin")) => {
                let message = source.to_string();
                state.login_refused = Some((self.clock.now(), message.clone()));
                return Err(self.refused_login(&message).into());
            }
            Err(source) => return Err(self.call_error(&object, source)),
        }
        let content = Arc::new(content);
        *state = State { content: Some(content.clone()), logged_in: true, login_refused: None };
        self.generation.fetch_add(1, Ordering::AcqRel);
        Ok(content)
    }

    fn refused_login(&self, message: &str) -> Refusal {
        let text = format!(
            "vCenter {} refuses the login of {}: {message}; check username and password in the configuration",
            self.name(),
            self.options.username
        );
        Refusal::new(ErrorKind::Unauthenticated, "VCENTER_REFUSES_LOGIN", text).and("vcenter", self.name())
    }

    /// An error of a call, with our name for the vCenter.
    pub fn call_error(&self, object: &str, source: SoapError) -> Error {
        Error::Call { vcenter: self.name().to_owned(), object: object.to_owned(), source }
    }

    /// An answer that lacks something.
    pub fn incomplete(&self, method: &str, what: &str) -> Error {
        Error::Incomplete { vcenter: self.name().to_owned(), method: method.to_owned(), what: what.to_owned() }
    }

    /// A manager that must be there.
    ///
    /// # Errors
    /// This server has none: a standalone ESXi.
    pub fn manager(&self, manager: Option<&MoRef>, what: &'static str) -> Result<MoRef, Error> {
        manager.cloned().ok_or_else(|| {
            let text = format!("{} has no {what}; configure a vCenter, not a single host", self.url());
            Refusal::new(ErrorKind::Unsupported, "NOT_A_VCENTER", text).and("vcenter", self.name()).into()
        })
    }
}
