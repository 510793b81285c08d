//! Filters, and collectors of a client's own.

use super::{
    super::{
        Face,
        dispatch::{Done, there},
        envelope::Call,
    },
    Collector, Filter, change, select, value,
};
use crate::world::compute::{
    fault::Fault,
    value::{MoRef, Val},
};

/// CreateFilter.
pub fn create(face: &Face, call: &Call, secret: &str) -> Result<Done, Fault> {
    let spec = call.args.get("spec").clone();
    select::check(&spec)?;
    let gone = face.vc.with(|s| {
        spec.list("objectSet").iter().filter_map(|o| o.moref("obj")).find(|r| !there(face, s, secret, r)).cloned()
    });
    if let Some(gone) = gone {
        return Err(Fault::gone(&gone));
    }
    let id = face.vc.with(|s| format!("session[{}]{}", &secret[..8.min(secret.len())], s.uuid()));
    let filter = Filter { collector: call.this.id.clone(), spec };
    change(face, secret, |t| t.filters.insert(id.clone(), filter));
    // A wait that runs sees the new filter.
    face.vc.with(|s| s.touch());
    value(MoRef::new("PropertyFilter", id))
}

/// DestroyPropertyFilter.
pub fn destroy(face: &Face, call: &Call, secret: &str) -> Result<Done, Fault> {
    change(face, secret, |t| t.filters.remove(&call.this.id));
    value(Val::Unset)
}

/// CreatePropertyCollector.
pub fn create_collector(face: &Face, secret: &str) -> Result<Done, Fault> {
    let id = face.vc.with(|s| format!("session[{}]{}", &secret[..8.min(secret.len())], s.uuid()));
    change(face, secret, |t| t.collectors.insert(id.clone(), Collector::default()));
    value(MoRef::new("PropertyCollector", id))
}

/// DestroyPropertyCollector: its filters go with it, and a wait on it ends.
pub fn destroy_collector(face: &Face, call: &Call, secret: &str) -> Result<Done, Fault> {
    change(face, secret, |things| {
        things.filters.retain(|_, f| f.collector != call.this.id);
        if let Some(collector) = things.collectors.remove(&call.this.id) {
            collector.cancel.notify_waiters();
        }
    });
    value(Val::Unset)
}
