//! The configured arrays: name to driver, and what was last learned of each.

use crate::driver::{ArrayDriver, ArrayIdentity, Device, DriverError, Reason, Resolution};
use futures::future::join_all;
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use strata_kit::clock::SharedClock;
use strata_model::{ErrorKind, ids::ArrayName};

/// An array that does not say who it is for this long is taken for unreachable.
const IDENTIFY_TIMEOUT: Duration = Duration::from_secs(15);

/// One configured array.
#[derive(Debug)]
pub struct ConfiguredArray {
    /// Its name in the configuration.
    pub name: ArrayName,
    /// What speaks to it.
    pub driver: Arc<dyn ArrayDriver>,
    /// Kept while it is unreachable, so that people see which array it was.
    identity: RwLock<Option<ArrayIdentity>>,
}

/// Whether an array can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Answers.
    Ready,
    /// Does not answer; why.
    Unreachable(String),
    /// Refuses our credentials; why.
    Denied(String),
}

impl ConfiguredArray {
    /// Who it was when it last answered.
    pub fn identity(&self) -> Option<ArrayIdentity> {
        self.identity.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks it who it is.
    pub async fn check(&self, clock: &SharedClock) -> Health {
        let asked = tokio::select! {
            biased;
            asked = self.driver.identify() => asked,
            () = clock.sleep(IDENTIFY_TIMEOUT) => Err(DriverError::new(
                Reason::NoAnswer,
                format!("array '{}' did not answer within {} s", self.name, IDENTIFY_TIMEOUT.as_secs()),
            )),
        };
        match asked {
            Ok(identity) => {
                *self.identity.write().unwrap_or_else(PoisonError::into_inner) = Some(identity);
                Health::Ready
            }
            Err(error) => {
                tracing::warn!(array = %self.name, error = strata_kit::status::report(&error), "array is not ready");
                match error.kind() {
                    ErrorKind::Unauthenticated | ErrorKind::Forbidden => Health::Denied(error.message),
                    _ => Health::Unreachable(error.message),
                }
            }
        }
    }
}

/// All configured arrays, by name.
#[derive(Debug)]
pub struct Arrays {
    by_name: BTreeMap<ArrayName, ConfiguredArray>,
    clock: SharedClock,
}

/// Where a device was found, among all arrays.
#[derive(Debug)]
pub enum Placement {
    /// On this array.
    On(ArrayName, Box<Resolution>),
    /// Nowhere; why.
    Nowhere(String),
}

impl Arrays {
    /// The arrays of these drivers. Of two with one name the later counts; the configuration refuses that.
    pub fn new(drivers: Vec<(ArrayName, Arc<dyn ArrayDriver>)>, clock: SharedClock) -> Self {
        let array = |(name, driver): (ArrayName, _)| {
            (name.clone(), ConfiguredArray { name, driver, identity: RwLock::default() })
        };
        Self { by_name: drivers.into_iter().map(array).collect(), clock }
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = &ConfiguredArray> {
        self.by_name.values()
    }

    /// One.
    pub fn get(&self, name: &ArrayName) -> Option<&ConfiguredArray> {
        self.by_name.get(name)
    }

    /// The clock that all share.
    pub fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// Asks all arrays at once who they are; the slowest sets the time.
    pub async fn check_all(&self) -> Vec<(&ConfiguredArray, Health)> {
        join_all(self.iter().map(|array| async move { (array, array.check(&self.clock).await) })).await
    }

    /// Looks for devices on all arrays at once. Returns a placement a device, and the arrays that did not answer.
    pub async fn resolve(&self, devices: &[Device]) -> (Vec<Placement>, Vec<ArrayName>) {
        let answers = join_all(self.iter().map(|array| resolve_on(array, devices))).await;
        let mut placements: Vec<Vec<(ArrayName, Resolution)>> = devices.iter().map(|_| Vec::new()).collect();
        let mut unreachable = Vec::new();
        for (array, answer) in self.iter().zip(answers) {
            match answer {
                Ok(resolutions) => {
                    for (slot, resolution) in placements.iter_mut().zip(resolutions) {
                        slot.push((array.name.clone(), resolution));
                    }
                }
                Err(error) => {
                    let error = strata_kit::status::report(&error);
                    tracing::warn!(array = %array.name, error, "devices could not be looked for");
                    unreachable.push(array.name.clone());
                }
            }
        }
        (placements.into_iter().map(choose).collect(), unreachable)
    }
}

async fn resolve_on(array: &ConfiguredArray, devices: &[Device]) -> Result<Vec<Resolution>, DriverError> {
    let mut found = Vec::with_capacity(devices.len());
    for device in devices {
        found.push(array.driver.resolve(device).await?);
    }
    Ok(found)
}

/// One array's answer; two that both claim a device are an error of configuration that nobody may guess away.
fn choose(answers: Vec<(ArrayName, Resolution)>) -> Placement {
    let (mut found, mut reasons) = (Vec::new(), Vec::new());
    for (name, resolution) in answers {
        match resolution {
            Resolution::Found { .. } => found.push((name, resolution)),
            Resolution::Absent { reason } if !reason.is_empty() => reasons.push(format!("{name}: {reason}")),
            Resolution::Absent { .. } => {}
        }
    }
    if found.len() > 1 {
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        return Placement::Nowhere(format!(
            "arrays {} all claim this device; correct their addresses in the configuration",
            names.join(" and ")
        ));
    }
    match found.pop() {
        Some((name, resolution)) => Placement::On(name, Box::new(resolution)),
        None if reasons.is_empty() => Placement::Nowhere("no configured array has this address or device".to_owned()),
        None => Placement::Nowhere(reasons.join("; ")),
    }
}
