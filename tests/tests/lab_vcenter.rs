//! `strata lab --vcenter` as a process, over VMware's own simulator: its VMs are seen through the lab's gateway, by the CLI and by
//! gRPC, a restore point of one is real, and SIGTERM ends it and removes what it made.

use anyhow::{Context as _, ensure};
use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Stdio},
};
use strata_kit::upstream::{Upstream, UpstreamOptions};
use strata_proto::strata::gateway::v1 as pb;
use strata_tests::{
    built,
    conformance::rows::image::Image,
    house::Caller,
    peers,
    vcsimx::{FILER, Vcsimx, write_machines},
};

/// A lab that is ready. Killed when dropped, unless it ended before.
struct Lab {
    child: Child,
    gateway: String,
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program without anything of this process's surroundings.
fn strata(program: &Path, temporary: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("TMPDIR", temporary).stdin(Stdio::null());
    command
}

impl Lab {
    fn start(mut command: Command) -> anyhow::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().context("no stdout")?).read_line(&mut line)?;
        let mut lab = Self { child, gateway: String::new() };
        if line.is_empty() {
            lab.child.stderr.take().context("no stderr")?.read_to_string(&mut line)?;
            anyhow::bail!("the lab did not get ready: {line}");
        }
        let facts: Value = serde_json::from_str(&line)?;
        lab.gateway = facts.pointer("/gateway/grpc").and_then(Value::as_str).context("no gateway")?.to_owned();
        Ok(lab)
    }

    fn end(mut self) -> anyhow::Result<Option<i32>> {
        ensure!(Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?.success());
        Ok(self.child.wait()?.code())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lab_over_another_vcenter_is_seen_and_ends() -> anyhow::Result<()> {
    let image = match Image::mount(&["mkfs.xfs", "-q", "-m", "reflink=1"], 512 << 20) {
        Ok(image) => image,
        Err(missing) => {
            peers::skip(&format!("no XFS here: {missing:#}"));
            return Ok(());
        }
    };
    let root = image.path();
    write_machines(&root.join("ds1"), "ds1", 2)?;
    let Some(vcsimx) = Vcsimx::start_with_datastore(&root, "ds1", "/ds1", &[])? else { return Ok(()) };
    let program = built::binary("strata-cli", "strata")?;
    let temporary = tempfile::tempdir()?;
    let mut command = strata(&program, temporary.path());
    command.args(["lab", "--json", "--filer-host", FILER, "--filer-prefix", "/", "--vcenter", &vcsimx.ready.url]);
    command.args(["--vcenter-user", &vcsimx.ready.username, "--vcenter-thumbprint", &vcsimx.ready.thumbprint_sha256]);
    command.arg("--filer").arg(&root).env("STRATA_VCENTER_PASSWORD", &vcsimx.ready.password);
    let lab = Lab::start(command)?;

    let run = |arguments: &[&str]| -> anyhow::Result<Value> {
        let mut command = strata(&program, temporary.path());
        let ended = command.env("STRATA_GATEWAY", &lab.gateway).args(arguments).arg("--json").output()?;
        ensure!(ended.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
        Ok(serde_json::from_slice(&ended.stdout)?)
    };
    let list = run(&["vm", "list"])?;
    let names: Vec<&str> =
        list["vms"].as_array().context("no list")?.iter().filter_map(|vm| vm["displayName"].as_str()).collect();
    assert_eq!(names, ["ds1-vm01", "ds1-vm02"]);
    let made = run(&["snapshot", "create", "ds1-vm02"])?;
    assert_eq!(made["response"]["grade"], "GRADE_CRASH", "{made}");

    // The same by gRPC, without the CLI.
    let caller = Caller(Upstream::connect(&UpstreamOptions::new(&lab.gateway))?);
    let vm = caller.vm("ds1-vm02").await?;
    let request = pb::ListSnapshotsRequest { parent: vm, ..Default::default() };
    let mut snapshots = pb::snapshot_service_client::SnapshotServiceClient::new(caller.0.clone());
    let found = snapshots.list_snapshots(request).await?.into_inner().snapshots;
    assert_eq!(
        found.iter().map(|point| point.name.as_str()).collect::<Vec<_>>(),
        [made["response"]["name"].as_str().unwrap_or_default()]
    );

    assert_eq!(lab.end()?, Some(0), "SIGTERM is how it is ended");
    assert_eq!(temporary.path().read_dir()?.count(), 0, "it removed what it made");
    Ok(())
}
