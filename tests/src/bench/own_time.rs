//! Strata's own time: the wall time of CreateSnapshot as a caller over gRPC sees it, without the time in which a call to
//! inventory-svc or storage-svc was under way; beside what the flushes of the journal cost on this disk.

use super::{
    stopwatch::Stopwatch,
    table::{markdown, median, ms},
};
use crate::{
    between::{self, Between, Face},
    house::{ArrayKind, Caller, House},
};
use std::{
    io::Write as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use strata_gateway::{
    Gateway, Parts,
    ports::{Inventory, Ports, Storage},
    store::{catalog, installation, journal},
};
use strata_kit::{
    clock::SystemClock,
    health::HealthHandle,
    serve::{ServeOptions, serve},
    upstream::{Upstream, UpstreamOptions},
};
use strata_proto::strata::{
    common::v1::Grade,
    gateway::v1::{self as pb, snapshot_service_client::SnapshotServiceClient},
};
use strata_sim::world::compute::VmSpec;
use tokio_util::sync::CancellationToken;

const VM: &str = "measured";
const HEADINGS: [&str; 9] = [
    "grade",
    "runs",
    "CreateSnapshot",
    "calls to services",
    "in calls to services",
    "own time",
    "own time, p90",
    "flushes",
    "flushes x fdatasync",
];

/// The table, and before it what one fdatasync costs.
pub(super) async fn table(array: ArrayKind, runs: usize) -> anyhow::Result<String> {
    let house = House::builder().array(array).vm(VmSpec::named(VM).on()).start().await?;
    let bench = Bench::over(&house).await?;
    let flush = fdatasync(bench.directory.path(), runs)?;
    let mut rows = Vec::new();
    for (name, grade) in [("crash", Grade::Crash), ("vm", Grade::Vm)] {
        rows.push(bench.row(name, grade, runs, flush).await?);
    }
    Ok(format!(
        "One fdatasync after an append of 512 bytes, in the directory of the journal ({}): {} (median of {runs}).\n\n{}",
        file_system(bench.directory.path()),
        ms(flush),
        markdown(&HEADINGS, &rows)
    ))
}

fn fdatasync(directory: &Path, runs: usize) -> anyhow::Result<Duration> {
    let path = directory.join("fdatasync");
    let mut file = std::fs::File::create(&path)?;
    let mut all = Vec::new();
    for _ in 0..runs {
        let begin = Instant::now();
        file.write_all(&[7; 512])?;
        file.sync_data()?;
        all.push(begin.elapsed());
    }
    fs_err::remove_file(path)?;
    Ok(median(all))
}

fn file_system(path: &Path) -> String {
    let output = std::process::Command::new("stat").args(["--file-system", "--format=%T"]).arg(path).output();
    output.map_or_else(|_| "unknown".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A gateway with its two services and its caller on sockets, all in this process.
struct Bench {
    caller: Caller,
    stopwatch: Arc<Stopwatch>,
    journal: Arc<journal::DurableJournal>,
    vm: String,
    _gateway: Gateway,
    _faces: [Face; 2],
    _stop: tokio_util::sync::DropGuard,
    directory: tempfile::TempDir,
}

impl Bench {
    async fn over(house: &House) -> anyhow::Result<Self> {
        let (stopwatch, directory) = (Arc::new(Stopwatch::default()), tempfile::tempdir()?);
        let inventory = between::serve(Between::new(house.inventory.clone(), stopwatch.clone())).await?;
        let storage = between::serve(Between::new(house.storage.clone(), stopwatch.clone())).await?;
        let ports = Ports {
            inventory: Inventory::new(Upstream::connect(&UpstreamOptions::new(inventory.url()))?),
            storage: Storage::new(Upstream::connect(&UpstreamOptions::new(storage.url()))?),
        };
        let (gateway, journal) = open(directory.path(), ports).await?;
        let stop = CancellationToken::new();
        let health = HealthHandle::new(Vec::<String>::new());
        let running = serve(ServeOptions::loopback(), gateway.api.routes(), health, stop.clone()).await?;
        let url = format!("http://{}", running.local_addr());
        let caller = Caller(Upstream::connect(&UpstreamOptions::new(url))?);
        let vm = caller.vm(VM).await?;
        let _faces = [inventory, storage];
        Ok(Self { caller, stopwatch, journal, vm, _gateway: gateway, _faces, _stop: stop.drop_guard(), directory })
    }

    async fn row(&self, name: &str, grade: Grade, runs: usize, flush: Duration) -> anyhow::Result<Vec<String>> {
        let (mut wall, mut busy, mut own) = (Vec::new(), Vec::new(), Vec::new());
        let (mut flushes, mut calls) = (0, 0);
        let mut snapshots = SnapshotServiceClient::new(self.caller.0.clone());
        // The first one opens connections and logs in.
        for run in 0..=runs {
            let request = pb::CreateSnapshotRequest {
                vm: self.vm.clone(),
                grade: grade.into(),
                accept_skew_ms: 60_000,
                ..Default::default()
            };
            self.stopwatch.take();
            let (begin, flushed) = (Instant::now(), self.journal.flushes());
            let snapshot: pb::Snapshot =
                self.caller.finish(snapshots.create_snapshot(request).await).await?.answer()?;
            let took = begin.elapsed();
            let reading = self.stopwatch.take();
            if run > 0 {
                wall.push(took);
                busy.push(reading.busy);
                own.push(took.saturating_sub(reading.busy));
                (flushes, calls) = (self.journal.flushes() - flushed, reading.calls.len());
            }
            let request = pb::DeleteSnapshotRequest { name: snapshot.name, ..Default::default() };
            self.caller.finish(snapshots.delete_snapshot(request).await).await?.answer::<()>()?;
        }
        own.sort();
        Ok(vec![
            name.to_owned(),
            runs.to_string(),
            ms(median(wall)),
            calls.to_string(),
            ms(median(busy)),
            ms(median(own.clone())),
            ms(own.get(runs * 9 / 10).copied().unwrap_or_default()),
            flushes.to_string(),
            ms(flush * u32::try_from(flushes).unwrap_or(0)),
        ])
    }
}

/// As the gateway's binary opens it, with the journal kept to count its flushes.
async fn open(directory: &Path, ports: Ports) -> anyhow::Result<(Gateway, Arc<journal::DurableJournal>)> {
    let clock = SystemClock::shared();
    let opened = journal::DurableJournal::open(&directory.join("journal"), journal::Options::default())?;
    let wrong = |error: String| anyhow::anyhow!(error);
    let installation = installation::begin(directory).map_err(wrong)?;
    let view = catalog::open(&directory.join("catalog"), clock.now()).map_err(|error| anyhow::anyhow!("{error}"))?;
    let journal = Arc::new(opened.journal);
    let parts = Parts {
        ports,
        journal: journal.clone(),
        ledger: journal.clone(),
        catalog: Arc::new(view.catalog),
        clock,
        zone: jiff::tz::TimeZone::UTC,
        protected_vms: Vec::new(),
        installation: installation.id,
        generation: installation.generation,
        faults: None,
    };
    Ok((Gateway::start(parts).await?, journal))
}
