//! Jobs: `/api/cluster/jobs`. A job is told to run until it was looked at once after it was done, and is forgotten five
//! minutes after its end.

use super::{
    Face, Release,
    call::Call,
    query::Kind,
    refusal::Refusal,
    reply::{Act, Reply, send},
    state::JobFacts,
};
use crate::world::{
    World,
    storage::{Effect, JobState},
};
use axum::{extract::Request, middleware::Next, response::Response};
use http::HeaderValue;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// How long a finished job is remembered.
const KEPT: Duration = Duration::from_secs(300);

pub(super) const JOB: Kind = Kind {
    href: "/api/cluster/jobs/{uuid}",
    key: &["uuid"],
    shown: &["uuid"],
    expensive: &[],
    fields: "uuid description state message code error{message,code,arguments} start_time end_time \
             svm{name,uuid} node{name}",
};

/// On a response: the call is to be taken, and its job to fail.
#[derive(Debug, Clone)]
pub(super) struct JobRefusal(pub(super) Refusal);

/// True for a job that ended too long ago to be remembered.
pub(super) fn is_forgotten(job: &JobFacts, now: jiff::Timestamp) -> bool {
    now.duration_since(job.due) > jiff::SignedDuration::try_from(KEPT).unwrap_or(jiff::SignedDuration::MAX)
}

impl Face {
    /// Takes work, to be done after the delay.
    pub(super) fn queue(self: &Arc<Self>, call: &Call, delay: Duration, act: Act) -> Result<Uuid, Refusal> {
        let start = self.array()?.info()?.time;
        let description = format!("{} {}", call.method, call.path);
        self.queue_for(&description, &call.user, call.svm.clone(), (start, delay), act)
    }

    fn queue_for(
        self: &Arc<Self>,
        description: &str,
        user: &str,
        svm: Option<String>,
        (start, delay): (jiff::Timestamp, Duration),
        act: Act,
    ) -> Result<Uuid, Refusal> {
        let face = Arc::clone(self);
        // The effect learns the job's id through this: it is known only after the effect was handed over.
        let slot = Arc::new(std::sync::OnceLock::<Uuid>::new());
        let own = Arc::clone(&slot);
        let effect: Effect = Box::new(move |_: &World| {
            let cancelled =
                own.get().is_some_and(|id| face.with(|state| state.jobs.get(id).is_some_and(|job| job.cancelled)));
            if cancelled {
                return Ok(json!({"refused": Refusal::new(400, "458762", "The job was cancelled.").packed()}));
            }
            face.adopt()?;
            Ok(match act(&face) {
                Ok(record) => json!({"done": record}),
                Err(refusal) => json!({"refused": refusal.packed()}),
            })
        });
        let job = self.array()?.queue(description, delay, effect)?;
        let _first = slot.set(job.id);
        let facts = JobFacts {
            description: description.to_owned(),
            svm,
            user: user.to_owned(),
            start,
            due: start.checked_add(delay).unwrap_or(jiff::Timestamp::MAX),
            polls: 0,
            cancelled: false,
        };
        self.with(|state| state.jobs.insert(job.id, facts));
        Ok(job.id)
    }

    /// How a job ended; nothing while it has not.
    pub(super) fn outcome(&self, id: Uuid) -> Result<Option<Result<Value, Refusal>>, Refusal> {
        Ok(match self.array()?.job(id)?.state {
            JobState::Queued => None,
            JobState::Succeeded(answer) => Some(match answer.get("refused") {
                Some(refused) => Err(Refusal::unpacked(refused)),
                None => Ok(answer.get("done").cloned().unwrap_or_default()),
            }),
            JobState::Failed(error) => Some(Err(error.into())),
        })
    }

    /// A job as clients see it; `is_poll` is a look at it alone.
    fn job_record(&self, id: Uuid, facts: &JobFacts, is_poll: bool) -> Result<Option<Value>, Refusal> {
        let now = self.array()?.info()?.time;
        if is_forgotten(facts, now) {
            return Ok(None);
        }
        let settings = self.settings();
        let mut outcome = self.outcome(id)?;
        if outcome.is_some() && facts.polls < settings.polls_running {
            outcome = None;
        }
        if is_poll && facts.due <= now {
            self.with(|state| {
                if let Some(job) = state.jobs.get_mut(&id) {
                    job.polls = job.polls.saturating_add(1);
                }
            });
        }
        let mut record = json!({
            "uuid": id,
            "description": facts.description,
            "start_time": super::acts::time(facts.start),
            "node": {"name": "node1"},
        });
        if let Some(svm) = &facts.svm {
            record["svm"] = json!({"name": svm, "uuid": self.id_of(&format!("svm {svm}"))});
        }
        match outcome {
            None => {
                record["state"] = json!(if facts.cancelled { "paused" } else { "running" });
                record["message"] = json!("running");
            }
            Some(ended) => {
                record["end_time"] = json!(super::acts::time(facts.due));
                let (state, code, message) = match &ended {
                    Ok(_) => ("success", 0, "success".to_owned()),
                    Err(refusal) => ("failure", refusal.code.parse::<u64>().unwrap_or(65541), refusal.message.clone()),
                };
                record["state"] = json!(state);
                record["code"] = json!(code);
                record["message"] = json!(message);
                if let (Err(refusal), true) = (ended, settings.release >= Release::V9_9_1) {
                    record["error"] = refusal.shown();
                }
            }
        }
        Ok(Some(record))
    }
}

/// GET /cluster/jobs
pub(super) fn all(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    let jobs = call.face.with(|state| state.jobs.clone());
    let mut records = Vec::new();
    for (id, facts) in jobs.iter().filter(|(_, facts)| call.svm.is_none() || call.svm == facts.svm) {
        records.extend(call.face.job_record(*id, facts, false)?);
    }
    Ok(Reply::List(&JOB, records))
}

fn own_job(call: &Call, id: &str) -> Result<(Uuid, JobFacts), Refusal> {
    let id = call.id(id)?;
    let facts = call.face.with(|state| state.jobs.get(&id).cloned()).ok_or_else(Refusal::absent)?;
    let visible = call.svm.is_none() || call.svm == facts.svm || facts.user == call.user;
    if visible { Ok((id, facts)) } else { Err(Refusal::absent()) }
}

/// GET /cluster/jobs/{uuid}
pub(super) fn one(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let (id, facts) = own_job(call, ids[0])?;
    let record = call.face.job_record(id, &facts, true)?.ok_or_else(Refusal::absent)?;
    Ok(Reply::One(&JOB, record))
}

/// PATCH /cluster/jobs/{uuid}?action=cancel
pub(super) fn act_on(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    call.params.only(&["action"])?;
    let (id, _) = own_job(call, ids[0])?;
    if call.face.outcome(id)?.is_some() {
        return Err(Refusal::code("458762", "The job is in a terminal state."));
    }
    match call.params.get("action") {
        Some("cancel") => {
            call.face.with(|state| {
                if let Some(job) = state.jobs.get_mut(&id) {
                    job.cancelled = true;
                }
            });
            Ok(Reply::Done(json!({})))
        }
        Some("pause") => Err(Refusal::code("458783", "The job does not support pausing.")),
        Some("resume") => Err(Refusal::code("458771", "The job is already running.")),
        Some(other) => Err(Refusal::bad_value("action", other)),
        None => Err(Refusal::missing("action")),
    }
}

/// Where a fault rule refuses with status 202: the call is taken, nothing is done, and the job fails with its code.
pub(super) async fn fail_when_asked(face: &Arc<Face>, request: Request, next: Next) -> Response {
    let description = format!("{} {}", request.method(), request.uri().path());
    let is_post = request.method() == http::Method::POST;
    let collection = request.uri().path().to_owned();
    let response = next.run(request).await;
    let Some(JobRefusal(refusal)) = response.extensions().get::<JobRefusal>().cloned() else { return response };
    let queued = face.array().and_then(|array| array.info()).map_err(Refusal::from).and_then(|info| {
        let when = (info.time, Duration::from_millis(info.spec.behaviour.job_delay_ms));
        let refusal = Refusal { status: 400, ..refusal };
        face.queue_for(&description, &info.spec.user, None, when, Box::new(move |_| Err(refusal)))
    });
    match queued {
        Err(refusal) => axum::response::IntoResponse::into_response(refusal),
        Ok(id) => {
            let href = format!("/api/cluster/jobs/{id}");
            let mut response = send(202, &json!({"job": {"uuid": id, "_links": {"self": {"href": href}}}}));
            if let (true, Ok(location)) = (is_post, HeaderValue::from_str(&collection)) {
                response.headers_mut().insert(http::header::LOCATION, location);
            }
            response
        }
    }
}
