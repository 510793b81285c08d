//! Snapshot and clone of one VM by the size of its disk and by its extents, beside a full copy of the same disk.

use super::{
    disk,
    stopwatch::Stopwatch,
    table::{markdown, median, ms},
};
use crate::{
    between::Between,
    house::{ArrayKind, Caller, House, in_process, open_gateway},
};
use anyhow::ensure;
use std::{sync::Arc, time::Instant};
use strata_gateway::{
    Gateway,
    ports::{Inventory, Ports, Storage},
};
use strata_proto::strata::{
    common::v1::Grade,
    gateway::v1::{
        self as pb, clone_service_client::CloneServiceClient, snapshot_service_client::SnapshotServiceClient,
    },
};
use strata_sim::world::compute::{DiskSpec, VmSpec};

const VM: &str = "measured";
const GIB: u64 = 1 << 30;
const HEADINGS: [&str; 9] = [
    "disk",
    "extents",
    "snapshot",
    "of it array",
    "clone",
    "of it array",
    "bytes copied",
    "full copy",
    "full copy : clone's array call",
];

/// Sizes at an equal number of extents, then numbers of extents at an equal size; all with the same allocated bytes.
pub(super) const ROWS: [(u64, u64); 5] =
    [(GIB, 1_000), (10 * GIB, 1_000), (100 * GIB, 1_000), (100 * GIB, 1), (100 * GIB, 20_000)];

/// The table of one array.
pub(super) async fn table(array: ArrayKind, rows: &[(u64, u64)], runs: usize) -> anyhow::Result<String> {
    let mut text = Vec::new();
    for (size, pieces) in rows {
        text.push(row(array, *size, *pieces, runs).await?);
    }
    Ok(markdown(&HEADINGS, &text))
}

/// Each thing `runs` times, one after the other, so that all see the same machine.
async fn row(array: ArrayKind, size: u64, pieces: u64, runs: usize) -> anyhow::Result<Vec<String>> {
    let vm = VmSpec::named(VM).disks(vec![DiskSpec::of(size)]).on();
    let house = House::builder().array(array).vm(vm).start().await?;
    let root = house.filer_root.clone().unwrap_or_default();
    let source = root.join(format!("ds1/{VM}/{VM}-flat.vmdk"));
    let target = root.join("full-copy");
    let extents = disk::fill(&source, pieces)?;
    let bench = Bench::over(&house).await?;
    let mut all = Times::default();
    for _ in 0..runs {
        bench.measure(&mut all).await?;
        let (took, copied) = disk::copy(&source, &target)?;
        ensure!(copied >= disk::ALLOCATED_BYTES, "the full copy copied {copied} bytes only");
        all.copy.push(took);
        fs_err::remove_file(&target)?;
    }
    let (clone_call, copy) = (median(all.clone_call), median(all.copy));
    Ok(vec![
        format!("{} GiB", size / GIB),
        extents.to_string(),
        ms(median(all.snapshot)),
        ms(median(all.snapshot_call)),
        ms(median(all.clone)),
        ms(clone_call),
        all.copied_bytes.to_string(),
        ms(copy),
        format!("{:.0} : 1", copy.as_secs_f64() / clone_call.as_secs_f64().max(1e-9)),
    ])
}

#[derive(Default)]
struct Times {
    snapshot: Vec<std::time::Duration>,
    snapshot_call: Vec<std::time::Duration>,
    clone: Vec<std::time::Duration>,
    clone_call: Vec<std::time::Duration>,
    copy: Vec<std::time::Duration>,
    copied_bytes: u64,
}

/// A gateway whose calls are measured.
struct Bench {
    caller: Caller,
    stopwatch: Arc<Stopwatch>,
    vm: String,
    _gateway: Gateway,
    _directory: tempfile::TempDir,
}

impl Bench {
    async fn over(house: &House) -> anyhow::Result<Self> {
        let (stopwatch, directory) = (Arc::new(Stopwatch::default()), tempfile::tempdir()?);
        let ports = Ports {
            inventory: Inventory::new(
                Between::new(house.inventory.clone(), stopwatch.clone()).upstream("inventory-svc"),
            ),
            storage: Storage::new(Between::new(house.storage.clone(), stopwatch.clone()).upstream("storage-svc")),
        };
        let gateway = open_gateway(&directory.path().join("data"), ports).await?;
        let caller = Caller(in_process("gateway", gateway.api.routes()));
        let vm = caller.vm(VM).await?;
        Ok(Self { caller, stopwatch, vm, _gateway: gateway, _directory: directory })
    }

    async fn measure(&self, all: &mut Times) -> anyhow::Result<()> {
        let mut snapshots = SnapshotServiceClient::new(self.caller.0.clone());
        let mut clones = CloneServiceClient::new(self.caller.0.clone());
        self.stopwatch.take();
        let begin = Instant::now();
        let request = pb::CreateSnapshotRequest {
            vm: self.vm.clone(),
            grade: Grade::Crash.into(),
            accept_skew_ms: 60_000,
            ..Default::default()
        };
        let snapshot: pb::Snapshot = self.caller.finish(snapshots.create_snapshot(request).await).await?.answer()?;
        all.snapshot.push(begin.elapsed());
        all.snapshot_call.push(self.stopwatch.take().longest("EnsureSnapshot"));

        let begin = Instant::now();
        let request = pb::CreateCloneRequest {
            snapshot: snapshot.name.clone(),
            display_name: format!("{VM}-clone"),
            ..Default::default()
        };
        let clone: pb::Clone = self.caller.finish(clones.create_clone(request).await).await?.answer()?;
        all.clone.push(begin.elapsed());
        all.clone_call.push(self.stopwatch.take().longest("EnsureClone"));
        all.copied_bytes += clone.copied_bytes;

        let request = pb::DeleteCloneRequest { name: clone.name, ..Default::default() };
        self.caller.finish(clones.delete_clone(request).await).await?.answer::<()>()?;
        let request = pb::DeleteSnapshotRequest { name: snapshot.name, ..Default::default() };
        self.caller.finish(snapshots.delete_snapshot(request).await).await?.answer::<()>()?;
        Ok(())
    }
}
