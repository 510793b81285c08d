//! VMware's own simulator as the vCenter of a test: started on a free port, ended with the test.

mod machine;

pub use machine::write_machines;

use crate::peers;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Remote host of every export that [`Vcsimx::start_with_datastore`] mounts.
pub const FILER: &str = "filer.lab.example";

/// What vcsimx says of itself when it is ready.
#[derive(Debug, Clone, Deserialize)]
pub struct Ready {
    /// `https://127.0.0.1:port/sdk`.
    pub url: String,
    /// Who may log in.
    pub username: String,
    /// With which password; a simulator's, so no secret.
    pub password: String,
    /// PEM of its certificate, which signs itself.
    pub ca_file: PathBuf,
    /// SHA-256 of its certificate, hexadecimal.
    pub thumbprint_sha256: String,
}

/// A running vcsimx. It ends when this is dropped, and also when the test's process dies.
pub struct Vcsimx {
    child: Child,
    /// How to reach it.
    pub ready: Ready,
}

impl Vcsimx {
    /// Starts it over the folder that stands for the filer's exports; `arguments` as `vcsimx -help` names them.
    /// `None` where vcsimx cannot be had, after having said so.
    ///
    /// # Errors
    /// It cannot be started, or ends before it is ready.
    pub fn start(exports: &Path, arguments: &[&str]) -> Result<Option<Self>> {
        let Some(program) = peers::find(peers::VCSIMX) else { return Ok(None) };
        let mut child = Command::new(program)
            .args(["-until-eof", "-nfs-root"])
            .arg(exports)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start vcsimx")?;
        let stdout = child.stdout.take().context("vcsimx has no stdout")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        if line.is_empty() {
            bail!("vcsimx ended before it was ready: {}", child.wait()?);
        }
        let ready = serde_json::from_str(&line).with_context(|| format!("vcsimx said {line}"))?;
        Ok(Some(Self { child, ready }))
    }

    /// As [`Vcsimx::start`]; then every host mounts the folder `remote_path` of the exports from [`FILER`] as `datastore`, and
    /// the machines in it, as [`write_machines`] writes them, are registered in the first cluster. The first, the third and so
    /// on are on. `None` also where govc cannot be had.
    ///
    /// # Errors
    /// As [`Vcsimx::start`] and [`Govc::run`].
    pub fn start_with_datastore(
        exports: &Path,
        datastore: &str,
        remote_path: &str,
        arguments: &[&str],
    ) -> Result<Option<Self>> {
        let Some(vcsimx) = Self::start(exports, arguments)? else { return Ok(None) };
        let Some(govc) = vcsimx.govc() else { return Ok(None) };
        let from = ["-type", "nfs", "-mode", "readWrite", "-remote-host", FILER, "-remote-path", remote_path];
        govc.run(&[&["datastore.create", "-name", datastore], &from[..], &["/DC0/host/*"]].concat())?;
        govc.register_machines(&exports.join(remote_path.trim_start_matches('/')), datastore)?;
        Ok(Some(vcsimx))
    }

    /// govc, logged in here; `None` where it cannot be had, after having said so.
    pub fn govc(&self) -> Option<Govc> {
        peers::find(peers::GOVC).map(|program| Govc { program, ready: self.ready.clone() })
    }
}

impl Drop for Vcsimx {
    fn drop(&mut self) {
        // The end of its input is its signal, and lets it remove its own temporary folders.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// VMware's command line client for one vCenter.
pub struct Govc {
    program: PathBuf,
    ready: Ready,
}

impl Govc {
    fn register_machines(&self, volume: &Path, datastore: &str) -> Result<()> {
        let mut names = fs_err::read_dir(volume)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<Result<Vec<_>>>()?;
        names.retain(|name| volume.join(name).join(format!("{name}.vmx")).exists());
        names.sort_unstable();
        for name in &names {
            let file = format!("{name}/{name}.vmx");
            self.run(&["vm.register", "-ds", datastore, "-pool", "/DC0/host/DC0_C0/Resources", &file])?;
        }
        let on = names.iter().step_by(2).map(String::as_str);
        if !names.is_empty() {
            self.run(&["vm.power", "-on"].into_iter().chain(on).collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// Moves the machines of `-vms` into ten folders, `F0` to `F9`, by the last digit of their names.
    ///
    /// # Errors
    /// As [`Govc::run`].
    pub fn spread_over_folders(&self) -> Result<()> {
        for digit in 0..10 {
            let folder = format!("/DC0/vm/F{digit}");
            self.run(&["folder.create", &folder])?;
            self.run(&["object.mv", &format!("/DC0/vm/DC0_*_VM*{digit}"), &folder])?;
        }
        Ok(())
    }

    /// Runs it and returns what it printed, trimmed.
    ///
    /// # Errors
    /// It failed; the message is what it said.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new(&self.program)
            .args(arguments)
            .env("GOVC_URL", &self.ready.url)
            .env("GOVC_USERNAME", &self.ready.username)
            .env("GOVC_PASSWORD", &self.ready.password)
            .env("GOVC_TLS_CA_CERTS", &self.ready.ca_file)
            .env("GOVC_PERSIST_SESSION", "false")
            .stdin(Stdio::null())
            .output()
            .context("cannot start govc")?;
        if !output.status.success() {
            bail!("govc {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}
