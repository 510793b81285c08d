//! Logins and rights.

use super::case;
use crate::conformance::{
    Case, CaseResult,
    lab::{Lab, same},
};
use anyhow::ensure;
use strata_model::ErrorKind;

pub(super) const CASES: &[Case] = &[
    case!("sessions: one that ended is renewed, and nobody notices", [], ended_session),
    case!("sessions: a wrong password is told as such, without the password", [], wrong_password),
    case!("rights: a missing one is named by preflight and by the call", [], missing_right),
];

async fn ended_session(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    lab.driver().volume(&lab.bench.volume(0)).await?;
    if !lab.bench.end_sessions() {
        return Ok(Some("sessions".to_owned()));
    }
    lab.snapshot("s-1").await?;
    lab.bench.end_sessions();
    same("listed", lab.list(0).await?.len(), 1)?;
    Ok(None)
}

async fn wrong_password(lab: &Lab) -> CaseResult {
    let Some(driver) = lab.bench.with_wrong_password() else {
        return Ok(Some("passwords".to_owned()));
    };
    let error = match driver.identify().await {
        Ok(_) => anyhow::bail!("a wrong password was taken"),
        Err(error) => error,
    };
    ensure!(error.kind() == ErrorKind::Unauthenticated, "{:?}: {error}", error.reason);
    let told = format!("{error} {error:?} {driver:?}");
    ensure!(!told.contains("wrong-password"), "the password is told: {told}");
    Ok(None)
}

async fn missing_right(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    let Some(word) = lab.bench.deny("snapshot") else {
        return Ok(Some("rights".to_owned()));
    };
    let missing = lab.driver().preflight().await?.missing;
    ensure!(missing.iter().any(|right| right.privilege == word), "{word} is not named as missing: {missing:?}");
    let refused = lab.ensure(&lab.snapshot_request("s-1", &[0])).await;
    let error = match refused {
        Ok(_) => anyhow::bail!("it was done without the right"),
        Err(error) => error,
    };
    ensure!(error.kind() == ErrorKind::Forbidden, "{:?}: {error}", error.reason);
    ensure!(error.message.contains(&word), "the message does not name the right: {error}");
    same("snapshots", lab.list(0).await?.len(), 0)?;
    Ok(None)
}
