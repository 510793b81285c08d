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

/// Builds the binary once a test process, in the profile and target directory that this test was built in.
fn binary() -> anyhow::Result<&'static Path> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    built.as_deref().map_err(|error| anyhow!("{error}"))
}

fn build() -> anyhow::Result<PathBuf> {
    // <target>/<profile>/deps/<test>
    let test = std::env::current_exe()?;
    let profile = test.parent().and_then(Path::parent).context("the test lies in no target directory")?;
    let target = profile.parent().context("the test lies in no target directory")?;
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "-p", "strata-gateway", "--bin", "gateway", "--target-dir"]).arg(target);
    if profile.file_name().is_some_and(|name| name != "debug") {
        cargo.arg("--profile").arg(profile.file_name().unwrap_or_default());
    }
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().context("cargo cannot be run")?;
    anyhow::ensure!(output.status.success(), "cargo build: {}", String::from_utf8_lossy(&output.stderr));
    Ok(profile.join("gateway"))
}
