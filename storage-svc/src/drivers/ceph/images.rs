//! Finding images. The dashboard shows an image by its name alone, and its list of names is up to 30 s old: what this driver
//! made itself it remembers meanwhile, and before an id is said to be nowhere the list must have had the time to become true.
//!
//! An image with a removed snapshot that still has clones cannot be shown at all (16.2: 404, as if it were not there), so that
//! a 404 is checked by a change that changes nothing.

use super::{
    Ceph,
    client::{Call, right},
    wire::{Image, Listed, PoolImages},
};
use crate::driver::{DriverError, Reason};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::{collections::HashMap, time::Duration};
use strata_model::{ids::VolumeId, names::encode};

/// The list's age at most (30 s in services/rbd.py of 16.2), and some room.
const LIST_LAG: Duration = Duration::from_secs(33);
/// Images that one call lists: the manager opens each.
const PER_CALL: usize = 100;
/// More than this is not remembered.
const REMEMBERED_MAX: usize = 10_000;

/// Where an image is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Spec {
    pub(super) pool: String,
    pub(super) name: String,
}

impl Spec {
    pub(super) fn of(image: &Image) -> Self {
        Self { pool: image.pool_name.clone(), name: image.name.clone() }
    }

    /// `/block/image/{spec}` with what follows.
    pub(super) fn path(&self, rest: &str) -> String {
        format!("/block/image/{}{rest}", encode(&self.to_string()))
    }
}

impl std::fmt::Display for Spec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.pool, self.name)
    }
}

/// What this process saw: only a help, true or not.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Under which name an id was last seen.
    specs: HashMap<VolumeId, Spec>,
    /// Names that the list may not hold yet.
    made: HashMap<Spec, Timestamp>,
    /// Ids that we removed ourselves.
    removed: HashMap<VolumeId, Timestamp>,
    /// Since when an id is missed.
    missed: HashMap<VolumeId, Timestamp>,
}

impl Seen {
    pub(super) fn note(&mut self, id: VolumeId, spec: Spec) {
        if self.specs.len() >= REMEMBERED_MAX {
            self.specs.clear();
        }
        self.missed.remove(&id);
        self.specs.insert(id, spec);
    }

    /// Before the call that makes it, so that a lost answer does not lose it.
    pub(super) fn will_make(&mut self, spec: Spec, now: Timestamp) {
        self.made.retain(|_, since| is_young(*since, now));
        self.made.insert(spec, now);
    }

    pub(super) fn removed(&mut self, id: VolumeId, now: Timestamp) {
        self.removed.retain(|_, since| is_young(*since, now));
        self.removed.insert(id, now);
    }

    /// Names that the list may lack.
    pub(super) fn made_in(&self, pool: &str) -> Vec<Spec> {
        self.made.keys().filter(|spec| spec.pool == pool).cloned().collect()
    }

    /// True once the id was missed for so long that no list can be the reason.
    fn is_gone(&mut self, id: &VolumeId, now: Timestamp) -> bool {
        if self.removed.contains_key(id) {
            return true;
        }
        if self.missed.len() >= REMEMBERED_MAX {
            self.missed.clear();
        }
        let since = *self.missed.entry(id.clone()).or_insert(now);
        !is_young(since, now)
    }
}

fn is_young(since: Timestamp, now: Timestamp) -> bool {
    now.duration_since(since) < SignedDuration::try_from(LIST_LAG).unwrap_or(SignedDuration::MAX)
}

/// A pool's images as far as they can be shown, and how many cannot.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) images: Vec<Image>,
    pub(super) hidden: usize,
}

/// An image by its name; `None` where it is not there.
pub(super) async fn by_name(array: &Ceph, spec: &Spec) -> Result<Option<Image>, DriverError> {
    by_name_with(array, spec, "?omit_usage=true").await
}

/// The same with what each snapshot costs, which takes longer.
pub(super) async fn by_name_with_usage(array: &Ceph, spec: &Spec) -> Result<Option<Image>, DriverError> {
    by_name_with(array, spec, "").await
}

async fn by_name_with(array: &Ceph, spec: &Spec, query: &str) -> Result<Option<Image>, DriverError> {
    let path = spec.path(query);
    match array.client.read::<Image>(Call::get(&path, "show an image", right::READ)).await {
        Ok(image) => {
            if let Some(id) = array.volume_id(&image) {
                array.seen().note(id, spec.clone());
            }
            Ok(Some(image))
        }
        Err(error) if error.reason == Reason::NotFound => match is_hidden(array, spec).await? {
            false => Ok(None),
            true => Err(DriverError::new(
                Reason::NotSupported,
                format!(
                    "image '{spec}' is there, and this version of the dashboard cannot show it: one of its snapshots was removed \
                     while it had clones. Flatten or remove those clones (rbd children --all {spec}), or use a newer Ceph"
                ),
            )),
        },
        Err(error) => Err(error),
    }
}

/// Asks to edit a snapshot that is not there in no way: done where the image can be opened, ENOENT where it cannot.
async fn is_hidden(array: &Ceph, spec: &Spec) -> Result<bool, DriverError> {
    let path = spec.path("/snap/strata-is-it-there");
    match array.client.change(Call::change(Method::PUT, &path, json!({}), "look for an image", right::UPDATE)).await {
        Ok(_) => Ok(true),
        Err(error) if error.reason == Reason::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// All images of a pool, in its default namespace.
pub(super) async fn in_pool(array: &Ceph, pool: &str, search: &str) -> Result<Listing, DriverError> {
    let (mut listing, mut offset) = (Listing::default(), 0);
    loop {
        let path = format!(
            "/block/image?pool_name={}&offset={offset}&limit={PER_CALL}&search={}",
            encode(pool),
            encode(search)
        );
        let call = Call { version: "2.0", ..Call::get(&path, "list a pool's images", right::READ) };
        let (found, total): (Vec<PoolImages>, _) = array.client.read_with_total(call).await?;
        let listed: Vec<Listed> = found.into_iter().flat_map(|pool| pool.value).collect();
        let asked = total.unwrap_or_default().saturating_sub(offset).min(PER_CALL);
        listing.hidden += asked.saturating_sub(listed.len());
        listing.images.extend(listed.into_iter().filter_map(|listed| match listed {
            Listed::Image(image) => image.namespace.as_deref().unwrap_or_default().is_empty().then_some(*image),
            Listed::Removing { .. } => None,
        }));
        offset += PER_CALL;
        if offset >= total.unwrap_or_default() {
            break;
        }
    }
    let made = array.seen().made_in(pool);
    for spec in made.into_iter().filter(|spec| spec.name.contains(search)) {
        if !listing.images.iter().any(|image| image.name == spec.name)
            && let Some(image) = by_name(array, &spec).await?
        {
            listing.images.push(image);
        }
    }
    let mut seen = array.seen();
    for image in &listing.images {
        if let Some(id) = array.volume_id(image) {
            seen.note(id, Spec::of(image));
        }
    }
    Ok(listing)
}

/// The image of a volume; `None` where there is surely none.
pub(super) async fn find(array: &Ceph, id: &VolumeId) -> Result<Option<Image>, DriverError> {
    let Some((pool, image_id)) = array.system().await?.parse(id) else {
        return Ok(None);
    };
    let known = array.seen().specs.get(id).cloned();
    if let Some(spec) = &known
        && let Some(image) = by_name(array, spec).await?
        && image.id == image_id
    {
        return Ok(Some(image));
    }
    let listing = in_pool(array, &pool, "").await?;
    if let Some(image) = listing.images.into_iter().find(|image| image.id == image_id) {
        return Ok(Some(image));
    }
    let now = array.clock.now();
    if !array.seen().is_gone(id, now) {
        let text =
            format!("volume '{id}' is not in the list of pool '{pool}', which may be half a minute old; ask again");
        let mut error = DriverError::new(Reason::Busy, text);
        error.retry_after = Some(LIST_LAG);
        return Err(error);
    }
    if listing.hidden > 0 && !array.seen().removed.contains_key(id) {
        let text = format!(
            "volume '{id}' is not in the list of pool '{pool}', but {} of its images cannot be shown by this version of the \
             dashboard (a removed snapshot that still has clones); flatten or remove those clones",
            listing.hidden
        );
        return Err(DriverError::new(Reason::NotSupported, text));
    }
    Ok(None)
}

/// The image of a volume; [`Reason::NotFound`] where there is none.
pub(super) async fn get(array: &Ceph, id: &VolumeId) -> Result<Image, DriverError> {
    find(array, id).await?.ok_or_else(|| {
        let text =
            format!("array {} has no volume '{id}'; list its volumes to see which there are", array.client.name());
        DriverError::new(Reason::NotFound, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_gone_once_the_list_had_time_or_we_removed_it() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let mut seen = Seen::default();
        let (lost, ours) = (VolumeId::from("2.10ab"), VolumeId::from("2.10ac"));
        for (second, gone) in [(0, false), (29, false), (40, true)] {
            assert_eq!(seen.is_gone(&lost, at(second)), gone, "after {second} s");
        }
        seen.note(lost.clone(), Spec { pool: "vm".into(), name: "ds-0".into() });
        assert!(!seen.is_gone(&lost, at(50)), "it was seen meanwhile");
        seen.removed(ours.clone(), at(50));
        assert!(seen.is_gone(&ours, at(50)));
    }

    #[test]
    fn what_was_made_is_remembered_as_long_as_the_list_may_lack_it() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let spec = |name: &str| Spec { pool: "vm".into(), name: name.into() };
        let mut seen = Seen::default();
        seen.will_make(spec("a"), at(0));
        seen.will_make(spec("b"), at(31));
        assert_eq!(seen.made_in("vm").len(), 2);
        assert!(seen.made_in("other").is_empty());
        seen.will_make(spec("c"), at(60));
        let mut names: Vec<String> = seen.made_in("vm").into_iter().map(|spec| spec.name).collect();
        names.sort();
        assert_eq!(names, ["b", "c"]);
    }
}
