//! The drivers: one folder a vendor, one line of each table here.

pub mod ceph;
pub mod filer;
pub mod ontap;
pub mod reference;

use crate::{
    config::ArrayConfig,
    driver::{ArrayDriver, DriverError, Reason},
};
use std::sync::Arc;
use strata_kit::{
    clock::SharedClock,
    http::{SharedHttp, TlsOptions},
};

/// Makes the HTTP client of an array, by the array's name: real in production, in process in tests.
pub type HttpFactory<'a> = &'a (dyn Fn(&str, &TlsOptions) -> Result<SharedHttp, String> + Send + Sync);

/// The kinds that a configuration may name.
pub const KINDS: [&str; 4] = ["ceph", "filer", "ontap", "reference"];

/// What is wrong in the vendor's table: field below the array, and a sentence.
pub(crate) fn faults(array: &ArrayConfig) -> Vec<(String, String)> {
    let table_missing = || {
        let text = format!("is missing: kind '{0}' needs the table [array.{0}]", array.kind);
        vec![(array.kind.clone(), text)]
    };
    let below = |kind: &str, faults: Vec<(&'static str, String)>| {
        faults.into_iter().map(|(field, text)| (format!("{kind}.{field}"), text)).collect()
    };
    match array.kind.as_str() {
        "ceph" => array.ceph.as_ref().map_or_else(table_missing, |table| below("ceph", table.faults())),
        "filer" => array.filer.as_ref().map_or_else(table_missing, |table| below("filer", table.faults())),
        "ontap" => array.ontap.as_ref().map_or_else(table_missing, |table| below("ontap", table.faults())),
        "reference" => array.reference.as_ref().map_or_else(table_missing, |table| below("reference", table.faults())),
        other => vec![("kind".to_owned(), format!("'{other}' is no kind of array; use one of {}", KINDS.join(", ")))],
    }
}

/// The driver of a configured array. Asks nobody.
///
/// # Errors
/// The table of its kind is missing, or its HTTP client cannot be set up (a CA file that cannot be read).
pub fn build(
    array: &ArrayConfig,
    http: HttpFactory<'_>,
    clock: &SharedClock,
) -> Result<Arc<dyn ArrayDriver>, DriverError> {
    let missing = || {
        let text = format!("array '{}' of kind '{}' has no table of that kind", array.name, array.kind);
        DriverError::new(Reason::InvalidRequest, text)
    };
    let client = |options: &TlsOptions| {
        http(&array.name, options)
            .map_err(|text| DriverError::new(Reason::InvalidRequest, format!("array '{}': {text}", array.name)))
    };
    match array.kind.as_str() {
        "ceph" => {
            let table = array.ceph.as_ref().ok_or_else(missing)?;
            Ok(Arc::new(ceph::Ceph::new(table, client(&table.tls())?, clock.clone())))
        }
        "filer" => {
            let table = array.filer.clone().ok_or_else(missing)?;
            Ok(Arc::new(filer::Filer::new(table, clock.clone())))
        }
        "ontap" => {
            let table = array.ontap.as_ref().ok_or_else(missing)?;
            Ok(Arc::new(ontap::Ontap::new(table, client(&table.tls())?)))
        }
        "reference" => {
            let table = array.reference.as_ref().ok_or_else(missing)?;
            Ok(Arc::new(reference::Reference::new(table, client(&table.tls())?)))
        }
        _ => Err(missing()),
    }
}
