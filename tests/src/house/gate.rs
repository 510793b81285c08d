//! A gate between the gateway and the two services: a test sees every call, and may do something before or after one, or
//! answer in the service's stead.

use axum::{body::Body, extract::Request, middleware::Next, response::Response};
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};
use tonic::{Status, service::Routes};

/// On which side of the service's work a hook is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The service has not seen the call.
    Before,
    /// The service has answered; the gateway has not seen the answer.
    After,
}

/// What a hook decides: pass, or this answer to the gateway.
pub type Verdict = Result<(), Status>;

type Hook = Box<dyn FnMut(&str, Side) -> Verdict + Send>;

/// One gate before both services. Clones share it.
#[derive(Clone, Default)]
pub struct Gate {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    hook: Option<Hook>,
    calls: Vec<String>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

impl Gate {
    /// From now on this is asked, with the method's name (`EnsureSnapshot`); it takes the place of an earlier one.
    pub fn hook(&self, hook: impl FnMut(&str, Side) -> Verdict + Send + 'static) {
        self.with(|state| state.hook = Some(Box::new(hook)));
    }

    /// Lets everything pass again.
    pub fn open(&self) {
        self.with(|state| state.hook = None);
    }

    /// Methods called since the last time this was asked, in order.
    pub fn take_calls(&self) -> Vec<String> {
        self.with(|state| std::mem::take(&mut state.calls))
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn ask(&self, method: &str, side: Side) -> Verdict {
        // The hook is out of its place while it runs, so that it may look at the world without holding the gate.
        let hook = self.with(|state| {
            if side == Side::Before {
                state.calls.push(method.to_owned());
            }
            state.hook.take()
        });
        let Some(mut hook) = hook else { return Ok(()) };
        let verdict = hook(method, side);
        self.with(|state| state.hook = Some(hook));
        verdict
    }

    /// The service behind the gate.
    pub(super) fn before(&self, routes: Routes) -> Routes {
        let gate = self.clone();
        let pass = move |request: Request, next: Next| {
            let gate = gate.clone();
            async move { gate.pass(request, next).await }
        };
        Routes::from(routes.into_axum_router().layer(axum::middleware::from_fn(pass)))
    }

    async fn pass(&self, request: Request, next: Next) -> Response {
        let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        if let Err(status) = self.ask(&method, Side::Before) {
            return refused(status);
        }
        let response = next.run(request).await;
        match self.ask(&method, Side::After) {
            Ok(()) => response,
            Err(status) => refused(status),
        }
    }
}

fn refused(status: Status) -> Response {
    status.into_http::<tonic::body::Body>().map(Body::new)
}
