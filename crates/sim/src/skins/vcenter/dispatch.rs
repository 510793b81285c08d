//! From a call to the code of its method.

use super::{
    Face, collector,
    context::{Answer, Ctx},
    envelope::Call,
    objects,
};
use crate::{
    fault::{Action, Ask},
    world::compute::{
        fault::Fault,
        task::Work,
        value::{MoRef, Val},
    },
};
use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

/// What a call answers.
#[derive(Debug, Default)]
pub struct Done {
    /// The result.
    pub value: Val,
    /// A result already written as XML.
    pub raw: String,
    /// A cookie to set.
    pub cookie: Option<String>,
}

/// Methods that answer before a login.
const OPEN_TO_ALL: &[&str] = &["RetrieveServiceContent", "Login", "CloneSession", "CurrentTime"];

/// The singletons: id and type.
pub(super) const SINGLETONS: &[(&str, &str)] = &[
    ("ServiceInstance", "ServiceInstance"),
    ("SessionManager", "SessionManager"),
    ("propertyCollector", "PropertyCollector"),
    ("ViewManager", "ViewManager"),
    ("SearchIndex", "SearchIndex"),
    ("FileManager", "FileManager"),
    ("virtualDiskManager", "VirtualDiskManager"),
    ("TaskManager", "TaskManager"),
    ("EventManager", "EventManager"),
    ("AuthorizationManager", "AuthorizationManager"),
    ("ExtensionManager", "ExtensionManager"),
    ("CustomFieldsManager", "CustomFieldsManager"),
    ("VpxSettings", "OptionManager"),
    ("LicenseManager", "LicenseManager"),
];

/// Objects that belong to an object of the inventory: prefix of the id, type, type of the owner.
const PARTS: &[(&str, &str, &str)] = &[
    ("datastoreBrowser-", "HostDatastoreBrowser", "Datastore"),
    ("hostBrowser-", "HostDatastoreBrowser", "HostSystem"),
    ("vmBrowser-", "HostDatastoreBrowser", "VirtualMachine"),
    ("datastoreSystem-", "HostDatastoreSystem", "HostSystem"),
    ("storageSystem-", "HostStorageSystem", "HostSystem"),
];

/// The object of the inventory that a part belongs to, where both are there.
pub(super) fn owner(s: &crate::world::compute::state::State, part: &MoRef) -> Option<MoRef> {
    let (prefix, _, ty) = PARTS.iter().find(|(p, t, _)| part.ty == *t && part.id.starts_with(p))?;
    let owner = MoRef::new(ty, &part.id[prefix.len()..]);
    s.has(&owner).then_some(owner)
}

/// True where the object is there, for this session.
pub(super) fn there(face: &Face, s: &crate::world::compute::state::State, secret: &str, r: &MoRef) -> bool {
    SINGLETONS.iter().any(|(id, ty)| *id == r.id && *ty == r.ty)
        || s.has(r)
        || owner(s, r).is_some()
        || face.collectors.lock().unwrap_or_else(PoisonError::into_inner).has(secret, r)
}

/// Runs a call.
pub async fn run(face: &Arc<Face>, call: Call, secret: Option<String>, later: Option<Duration>) -> Result<Done, Fault> {
    let session = secret.as_ref().and_then(|k| face.vc.with(|s| s.session(k)).map(|session| (k.clone(), session)));
    face.vc.with(|s| {
        let ended = std::mem::take(&mut s.sessions.ended);
        let mut collectors = face.collectors.lock().unwrap_or_else(PoisonError::into_inner);
        ended.iter().for_each(|secret| collectors.end_session(secret));
    });
    let open = OPEN_TO_ALL.contains(&call.method.as_str());
    let public = call.this.ty == "ServiceInstance" && call.method.starts_with("Retrieve");
    if session.is_none() && !open && !public && !reads_service_instance(&call) {
        return Err(Fault::new("NotAuthenticated", "The session is not authenticated.")
            .with("object", &call.this)
            .with("privilegeId", "System.View"));
    }
    let key = secret.filter(|_| session.is_some()).unwrap_or_default();
    if !face.vc.with(|s| there(face, s, &key, &call.this)) {
        return Err(Fault::gone(&call.this));
    }
    if collector::handles(&call.method) {
        return collector::run(face, &call, &key).await;
    }
    let done = face.vc.with(|s| {
        let mut ctx = Ctx { s, this: &call.this, args: &call.args, session, cookie: None };
        let answer: Answer = objects::call(&mut ctx, &call.method);
        answer.map(|value| Done { value, raw: String::new(), cookie: ctx.cookie })
    });
    start_work(face, later);
    done
}

/// pyvmomi and others read properties of the ServiceInstance before they log in.
fn reads_service_instance(call: &Call) -> bool {
    call.method.starts_with("RetrieveProperties")
        && call
            .args
            .list("specSet")
            .iter()
            .flat_map(|s| s.list("objectSet"))
            .all(|o| o.moref("obj").is_some_and(|r| r.ty == "ServiceInstance" || r.ty == "SessionManager"))
}

/// Lets started tasks run after the answer has been made. The world's rules see each as `task:<method>`: a delay keeps it
/// running, a refusal makes it fail with the code as the fault's type, a hang keeps it running for ever.
pub(super) fn start_work(face: &Arc<Face>, later: Option<Duration>) {
    let work = face.vc.take_work();
    if work.is_empty() {
        return;
    }
    let face = Arc::clone(face);
    tokio::spawn(async move {
        if let Some(later) = later {
            face.vc.clock().sleep(later).await;
        }
        let mut work = work;
        while !work.is_empty() {
            for (task, work) in work {
                run_one(&face, &task, work).await;
            }
            work = face.vc.take_work();
        }
    });
}

async fn run_one(face: &Arc<Face>, task: &MoRef, work: Work) {
    let Some((world, name, path)) = face.vc.with(|s| {
        let t = s.tasks.get(&task.id)?;
        let path = t.entity.as_ref().map(|e| format!("{}:{}", e.ty, e.id)).unwrap_or_default();
        Some((Arc::clone(&s.world), format!("task:{}", t.name), format!("{path} {}", t.entity_name)))
    }) else {
        return;
    };
    let verdict = world.faults().decide(&Ask { face: &face.name, method: &name, path: &path, object: "" });
    if verdict.delay_ms > 0 {
        face.vc.with(|s| s.mark_running(task));
        world.clock().sleep(Duration::from_millis(verdict.delay_ms)).await;
    }
    match verdict.action {
        Some(Action::Refuse { code, message, .. }) => {
            face.vc.with(|s| s.finish(task, Err(Fault::new(&code, message))));
        }
        Some(Action::Hang | Action::Drop) => face.vc.with(|s| s.mark_running(task)),
        _ => face.vc.run_work(task, work),
    }
}
