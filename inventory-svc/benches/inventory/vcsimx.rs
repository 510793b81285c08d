//! The vCenter that all are measured against, and the configuration of inventory-svc for it.

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Instant,
};

/// VMs a cluster, at most.
const CLUSTER_VMS_MAX: usize = 500;
/// Hosts a cluster.
const CLUSTER_HOSTS: usize = 4;

/// What vcsimx says of itself when it is ready; the account is a simulator's, so no secret.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Ready {
    pub(super) url: String,
    pub(super) username: String,
    pub(super) password: String,
    pub(super) ca_file: PathBuf,
    pub(super) thumbprint_sha256: String,
}

/// A running one; it ends with this.
pub(super) struct Vcsimx {
    child: Child,
    pub(super) ready: Ready,
    /// How many it has: what was asked for, rounded up to full clusters.
    pub(super) vms: usize,
    /// How long it took to start.
    pub(super) start_s: f64,
}

impl Vcsimx {
    pub(super) fn start(vms: usize) -> Result<Self> {
        let begin = Instant::now();
        let clusters = vms.div_ceil(CLUSTER_VMS_MAX);
        let each = vms.div_ceil(clusters);
        let number = |number: usize| number.to_string();
        let mut child = Command::new(super::peers::path("STRATA_VCSIMX")?)
            .args(["-until-eof", "-nfs-root", env!("CARGO_TARGET_TMPDIR"), "-hosts", &number(CLUSTER_HOSTS)])
            .args(["-clusters", &number(clusters), "-vms", &number(each)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start vcsimx")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("vcsimx has no stdout")?).read_line(&mut line)?;
        if line.is_empty() {
            bail!("vcsimx ended before it was ready: {}", child.wait()?);
        }
        let ready = serde_json::from_str(&line).with_context(|| format!("vcsimx said {line}"))?;
        Ok(Self { child, ready, vms: clusters * each, start_s: begin.elapsed().as_secs_f64() })
    }

    /// inventory-svc's configuration for it, on any free port.
    pub(super) fn configuration(&self) -> String {
        let ready = &self.ready;
        format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n[log]\nlevel = \"error\"\n[[vcenter]]\nname = \"vcsim\"\nurl = \"{}\"\n\
             username = \"{}\"\npassword = \"{}\"\nthumbprint = \"{}\"\n",
            ready.url.trim_end_matches("/sdk"),
            ready.username,
            ready.password,
            ready.thumbprint_sha256
        )
    }
}

impl Drop for Vcsimx {
    fn drop(&mut self) {
        // The end of its input is its signal, and lets it remove its own temporary folders.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
