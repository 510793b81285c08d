//! inventory-svc as a process of its own, watched by one client.

use super::{peers, vcsimx::Vcsimx};
use anyhow::{Context as _, Result, bail};
use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use strata_proto::strata::inventory::v1::{
    self as pb, inventory_service_client::InventoryServiceClient, watch_inventory_response::Event,
};
use tonic::{
    Streaming,
    transport::{Channel, Endpoint},
};

/// Loading longer than that is given up.
const LOAD_LIMIT: Duration = Duration::from_secs(540);
/// A rename that is not told by then will not be.
const RENAME_LIMIT: Duration = Duration::from_secs(60);

/// The process, loaded.
pub(super) struct Served {
    child: Child,
    /// `http://127.0.0.1:port`.
    pub(super) address: String,
    /// From its start to the watcher being told that all is loaded.
    pub(super) took: Duration,
    /// Resource names of all VMs, as the watcher was told.
    pub(super) names: BTreeSet<String>,
}

/// From /proc/{pid}/status.
#[derive(Debug, Clone, Copy)]
pub(super) struct Memory {
    pub(super) now_kib: u64,
    pub(super) peak_kib: u64,
}

impl Served {
    /// Starts it and waits until it says that it knows all.
    pub(super) async fn load(vcsimx: &Vcsimx) -> Result<Self> {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-inventory.toml");
        std::fs::write(&file, vcsimx.configuration())?;
        let begin = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_inventory-svc"))
            .arg("--config")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start inventory-svc")?;
        let stdout = child.stdout.take().context("inventory-svc has no stdout")?;
        // Whatever fails from here on ends the process.
        let mut served = Self { child, address: String::new(), took: Duration::ZERO, names: BTreeSet::new() };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().rsplit(' ').next().filter(|text| !text.is_empty());
        served.address = format!("http://{}", address.context("inventory-svc did not say where it listens")?);
        let mut news = served.watch().await?;
        tokio::time::timeout(LOAD_LIMIT, served.hear_all(&mut news)).await.context("the load was given up")??;
        served.took = begin.elapsed();
        Ok(served)
    }

    /// Over a connection of its own.
    pub(super) async fn client(&self) -> Result<InventoryServiceClient<Channel>> {
        let channel = Endpoint::from_shared(self.address.clone())?.connect().await?;
        Ok(InventoryServiceClient::new(channel))
    }

    async fn watch(&self) -> Result<Streaming<pb::WatchInventoryResponse>> {
        let request = pb::WatchInventoryRequest { parent: "vcenters/vcsim".to_owned(), ..Default::default() };
        Ok(self.client().await?.watch_inventory(request).await?.into_inner())
    }

    /// Until the watcher was told everything, or the news that everything is known.
    async fn hear_all(&mut self, news: &mut Streaming<pb::WatchInventoryResponse>) -> Result<()> {
        while let Some(message) = news.message().await? {
            match message.event {
                Some(Event::Vm(vm)) => drop(self.names.insert(vm.name)),
                Some(Event::Synchronized(all)) if all.freshness.iter().all(|of| !of.stale) => return Ok(()),
                Some(Event::Freshness(of)) if !of.stale => return Ok(()),
                _ => {}
            }
        }
        bail!("inventory-svc ended the watch")
    }

    /// Has govc rename a VM, and waits for a watcher to be told the new name; from the start of govc on.
    pub(super) async fn see_rename(&self, vcsimx: &Vcsimx, run: usize) -> Result<Duration> {
        let mut news = self.watch().await?;
        while let Some(message) = news.message().await? {
            if matches!(message.event, Some(Event::Synchronized(_))) {
                break;
            }
        }
        let (old, new) = match run {
            1 => ("DC0_C0_RP0_VM0".to_owned(), "renamed-1".to_owned()),
            _ => (format!("renamed-{}", run - 1), format!("renamed-{run}")),
        };
        let begin = Instant::now();
        let mut govc = peers::govc_command(vcsimx)?;
        let govc = govc.args(["object.rename", &format!("/DC0/vm/{old}"), &new]).stdout(Stdio::null());
        let mut govc = govc.stderr(Stdio::null()).spawn().context("cannot start govc")?;
        let told = async {
            while let Some(message) = news.message().await? {
                if matches!(&message.event, Some(Event::Vm(vm)) if vm.display_name == new) {
                    return Ok(begin.elapsed());
                }
            }
            bail!("inventory-svc ended the watch")
        };
        let told = tokio::time::timeout(RENAME_LIMIT, told).await;
        let renamed = govc.wait()?;
        anyhow::ensure!(renamed.success(), "govc object.rename failed");
        told.with_context(|| {
            format!("inventory-svc did not see within {} s that {old} is {new}", RENAME_LIMIT.as_secs())
        })?
    }

    /// What it takes now and took at most.
    pub(super) fn memory(&self) -> Result<Memory> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let of = |field: &str| -> Result<u64> {
            let line = text.lines().find_map(|line| line.strip_prefix(field)).with_context(|| field.to_owned())?;
            Ok(line.trim().trim_end_matches(" kB").parse()?)
        };
        Ok(Memory { now_kib: of("VmRSS:")?, peak_kib: of("VmHWM:")? })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
