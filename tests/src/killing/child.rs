//! The gateway's own binary as a child process.

use anyhow::{Context as _, anyhow, bail};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::OnceLock,
};
use strata_kit::upstream::{Upstream, UpstreamOptions};
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// A running gateway. Killed when dropped.
#[derive(Debug)]
pub(super) struct Child {
    process: tokio::process::Child,
    /// The way to it.
    pub(super) upstream: Upstream,
    /// Kept open, so that it can go on printing.
    _stdout: BufReader<tokio::process::ChildStdout>,
}

impl Child {
    /// Starts it with a configuration and returns once it accepts calls. Its log goes to `log`.
    pub(super) async fn start(config: &Path, log: &Path) -> anyhow::Result<Self> {
        let written = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
        let mut process = tokio::process::Command::new(binary()?)
            .arg("--config")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::from(written))
            .kill_on_drop(true)
            .spawn()
            .context("the gateway's binary cannot be run")?;
        let mut stdout = BufReader::new(process.stdout.take().context("no standard output")?);
        let mut line = String::new();
        stdout.read_line(&mut line).await?;
        let Some(address) = line.trim().strip_prefix("gateway listens on ") else {
            bail!("the gateway did not start: {line}{}", fs_err::read_to_string(log).unwrap_or_default());
        };
        let upstream = Upstream::connect(&UpstreamOptions::new(format!("http://{address}")))?;
        Ok(Self { process, upstream, _stdout: stdout })
    }

    /// SIGKILL; returns when the process is gone.
    pub(super) async fn kill(mut self) -> anyhow::Result<()> {
        self.process.kill().await.context("the gateway cannot be killed: did it end by itself?")
    }
}

/// The binary, built once a test process.
fn binary() -> anyhow::Result<&'static Path> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built =
        BUILT.get_or_init(|| crate::built::binary("strata-gateway", "gateway").map_err(|error| format!("{error:#}")));
    built.as_deref().map_err(|error| anyhow!("{error}"))
}
