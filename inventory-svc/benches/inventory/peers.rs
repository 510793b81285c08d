//! The same inventory read by VMware's own clients.

use super::vcsimx::Vcsimx;
use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use std::{
    path::PathBuf,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};
use strata_inventory_svc::cache::followed;

/// Where a peer is; `cargo xtask bench inventory` says so.
pub(super) fn path(variable: &str) -> Result<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.exists());
    path.with_context(|| format!("{variable} names no program; run `cargo xtask bench inventory`"))
}

/// govc of a vCenter.
pub(super) fn govc_command(vcsimx: &Vcsimx) -> Result<Command> {
    let mut govc = Command::new(path("STRATA_GOVC")?);
    govc.env("GOVC_URL", &vcsimx.ready.url)
        .env("GOVC_USERNAME", &vcsimx.ready.username)
        .env("GOVC_PASSWORD", &vcsimx.ready.password)
        .env("GOVC_TLS_CA_CERTS", &vcsimx.ready.ca_file)
        .env("GOVC_PERSIST_SESSION", "false")
        .stdin(Stdio::null());
    Ok(govc)
}

/// What govc took to collect the same properties of all VMs, from its start to its end. It has no command that reads the places
/// in the same call, so it does less than the others.
pub(super) fn govc(vcsimx: &Vcsimx) -> Result<Duration> {
    let paths = followed().find(|of| of.kind == "VirtualMachine").map(|of| of.paths).unwrap_or_default();
    let mut govc = govc_command(vcsimx)?;
    let (output, took) = run(govc.args(["object.collect", "-json", "-type", "m", "/"]).args(paths))?;
    let found = String::from_utf8_lossy(&output.stdout).matches("\"config.changeVersion\"").count();
    ensure!(found == vcsimx.vms, "govc told the change version of {found} VMs, not of {}", vcsimx.vms);
    Ok(took)
}

/// What pyvmomi took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pyvmomi {
    /// From the start of the interpreter to its end.
    pub(super) took: Duration,
    /// Of it the reading alone.
    pub(super) collecting: Duration,
}

#[derive(Deserialize)]
struct Said {
    vms: usize,
    seconds: f64,
}

/// pyvmomi with the same types and properties.
pub(super) fn pyvmomi(vcsimx: &Vcsimx) -> Result<Pyvmomi> {
    let url = vcsimx.ready.url.trim_start_matches("https://").trim_end_matches("/sdk");
    let (host, port) = url.rsplit_once(':').context("vcsimx named no port")?;
    let wanted: serde_json::Map<String, serde_json::Value> =
        followed().map(|of| (of.kind.to_owned(), of.paths.into())).collect();
    let mut python = Command::new(path("STRATA_PYVMOMI")?);
    python.args(["-c", include_str!("collect.py"), host, port, &vcsimx.ready.username]).stdin(Stdio::null());
    python.arg(serde_json::to_string(&wanted)?).env("VCSIMX_PASSWORD", &vcsimx.ready.password);
    let (output, took) = run(&mut python)?;
    let said: Said = serde_json::from_slice(&output.stdout).context("pyvmomi's answer")?;
    ensure!(said.vms == vcsimx.vms, "pyvmomi found {} VMs, not {}", said.vms, vcsimx.vms);
    Ok(Pyvmomi { took, collecting: Duration::from_secs_f64(said.seconds) })
}

/// Runs it to its end, with what it printed and how long it took.
fn run(command: &mut Command) -> Result<(Output, Duration)> {
    let begin = Instant::now();
    let output = command.output().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let took = begin.elapsed();
    let name = command.get_program().display();
    ensure!(output.status.success(), "{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok((output, took))
}
