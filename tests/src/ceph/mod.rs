//! A real Ceph cluster on this machine, for tests: tests/interop/ceph/cluster.sh runs it for as long as a [`Cluster`] lives.

mod http;

pub use http::Hurt;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::Mutex,
};
use uuid::Uuid;

/// What must be in the PATH.
const PROGRAMS: [&str; 9] =
    ["bash", "setpriv", "openssl", "ceph", "rbd", "ceph-mon", "ceph-mgr", "ceph-osd", "monmaptool"];
/// Where Debian's package puts the dashboard.
const DASHBOARD: &str = "/usr/share/ceph/mgr/dashboard/module.py";
/// The login of the driver, with the rights that its README asks for.
pub const USER: &str = "strata";

/// A running cluster; ends when this is dropped, or when the process ends in whatever way.
#[derive(Debug)]
pub struct Cluster {
    /// `https://127.0.0.1:…`.
    pub url: String,
    /// Of the dashboard's certificate, SHA-256.
    pub thumbprint: String,
    /// Of the cluster.
    pub fsid: String,
    /// Of [`USER`].
    pub password: String,
    conf: PathBuf,
    child: Child,
    stdin: Option<ChildStdin>,
    is_awaited: bool,
    is_denied: Mutex<bool>,
}

/// The line that the script prints.
#[derive(Deserialize)]
struct Told {
    url: String,
    thumbprint: String,
    password_file: PathBuf,
    conf: PathBuf,
    fsid: String,
}

/// What lacks on this machine to run one; `None` where nothing does.
pub fn lacking() -> Option<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has = |program: &&str| std::env::split_paths(&path).any(|dir| dir.join(program).is_file());
    let mut lacks: Vec<&str> = PROGRAMS.into_iter().filter(|program| !has(program)).collect();
    if !Path::new(DASHBOARD).exists() {
        lacks.push("the dashboard");
    }
    let packages = "ceph-mon, ceph-osd, ceph-mgr, ceph-mgr-dashboard and ceph-common";
    (!lacks.is_empty()).then(|| format!("no {} on this machine; install the packages {packages}", lacks.join(", ")))
}

impl Cluster {
    /// Starts one; takes about ten seconds.
    ///
    /// # Errors
    /// What the script said.
    pub fn start() -> anyhow::Result<Self> {
        // Made and removed by the script, which outlives whoever started it.
        let dir = std::env::temp_dir().join(format!("strata-ceph-{}", Uuid::new_v4()));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/ceph/cluster.sh");
        let mut child = Command::new("bash")
            .arg(script)
            .arg(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run bash")?;
        let stdin = child.stdin.take();
        let mut said = String::new();
        let mut told = None::<Told>;
        for line in BufReader::new(child.stdout.take().context("no stdout")?).lines() {
            let line = line?;
            told = serde_json::from_str(&line).ok();
            if told.is_some() {
                break;
            }
            said.push_str(&line);
            said.push('\n');
        }
        let Some(told) = told else {
            child.wait()?;
            bail!("no cluster: {said}");
        };
        Ok(Self {
            password: fs_err::read_to_string(&told.password_file)?.trim().to_owned(),
            url: told.url,
            thumbprint: told.thumbprint,
            fsid: told.fsid,
            conf: told.conf,
            child,
            stdin,
            is_awaited: true,
            is_denied: Mutex::default(),
        })
    }

    /// The folder that holds all of it.
    pub fn folder(&self) -> Option<&Path> {
        self.conf.parent()
    }

    /// Lets go of it as a process does that is killed.
    pub fn abandon(mut self) {
        self.is_awaited = false;
    }

    /// `ceph` or `rbd` with its cluster set.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.arg("--conf").arg(&self.conf).env_remove("CEPH_ARGS").env("CEPH_CONF", &self.conf);
        command
    }

    /// What a command prints, given this on its standard input.
    ///
    /// # Errors
    /// What it said where it failed.
    pub fn run_with(&self, program: &str, args: &[&str], input: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut command = self.command(program);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot run {program}"))?;
        let mut stdin = child.stdin.take().context("no stdin")?;
        let output = std::thread::scope(|scope| {
            scope.spawn(move || stdin.write_all(input));
            child.wait_with_output()
        })?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{program} {}: {said}", args.join(" "));
        Ok(output.stdout)
    }

    /// `rbd` with these arguments.
    ///
    /// # Errors
    /// What it said where it failed.
    pub fn rbd(&self, args: &[&str]) -> anyhow::Result<Vec<u8>> {
        self.run_with("rbd", args, b"")
    }

    /// `rbd` with these arguments and its JSON.
    ///
    /// # Errors
    /// What it said where it failed.
    pub fn rbd_json(&self, args: &[&str]) -> anyhow::Result<Value> {
        let args: Vec<&str> = args.iter().copied().chain(["--format", "json"]).collect();
        Ok(serde_json::from_slice(&self.rbd(&args)?)?)
    }

    /// `ceph` with these arguments.
    ///
    /// # Errors
    /// What it said where it failed.
    pub fn ceph(&self, args: &[&str]) -> anyhow::Result<Vec<u8>> {
        self.run_with("ceph", args, b"")
    }

    /// Which clones are made from now on: 1 or 2.
    ///
    /// # Errors
    /// What it said where it failed.
    pub fn make_clones_of_format(&self, format: u32) -> anyhow::Result<()> {
        self.ceph(&["config", "set", "global", "rbd_default_clone_format", &format.to_string()]).map(drop)
    }

    /// Takes the right to make snapshots and clones from [`USER`].
    ///
    /// # Errors
    /// What it said where it failed.
    pub fn deny_creating(&self) -> anyhow::Result<()> {
        *self.is_denied.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = true;
        self.set_rights(&["read", "update", "delete"])
    }

    /// Undoes [`Cluster::deny_creating`].
    ///
    /// # Errors
    /// What it said where it failed.
    pub fn allow_all(&self) -> anyhow::Result<()> {
        let mut is_denied = self.is_denied.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *is_denied {
            self.set_rights(&["read", "create", "update", "delete"])?;
        }
        *is_denied = false;
        Ok(())
    }

    fn set_rights(&self, rights: &[&str]) -> anyhow::Result<()> {
        self.ceph(&["dashboard", "ac-role-del-scope-perms", USER, "rbd-image"])?;
        let args: Vec<&str> = ["dashboard", "ac-role-add-scope-perms", USER, "rbd-image"]
            .into_iter()
            .chain(rights.iter().copied())
            .collect();
        self.ceph(&args).map(drop)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.stdin.take());
        if self.is_awaited {
            let _ = self.child.wait();
        }
    }
}
