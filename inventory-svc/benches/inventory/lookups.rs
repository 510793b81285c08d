//! How many VMs a second memory gives: in the process, and over gRPC.

use super::{served::Served, vcsimx::Vcsimx};
use anyhow::{Context as _, Result, ensure};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use strata_inventory_svc::{
    InventorySvc,
    cache::{Cache, VmFilter},
    config::InventoryConfig,
    footing::Standing,
};
use strata_kit::{
    clock::SystemClock,
    config::load_text,
    http::{ReqwestClient, SharedHttp, TlsOptions},
    program::Output,
};
use strata_proto::strata::inventory::v1 as pb;

/// How long each is measured.
const SPAN: Duration = Duration::from_secs(3);
/// Connections over gRPC.
const CONNECTIONS: usize = 4;
/// Calls under way on each of them.
const CALLS: usize = 8;
/// Threads that look up in the process.
const THREADS: usize = 2;

/// `GetVm` without `fresh`, of VMs in turn. The caller runs on the same cores.
pub(super) async fn over_grpc(served: &Served, output: &Output) -> Result<()> {
    let names: Arc<[String]> = served.names.iter().cloned().collect();
    let begin = Instant::now();
    let mut callers = Vec::new();
    for connection in 0..CONNECTIONS {
        let client = served.client().await?;
        for call in 0..CALLS {
            let (mut client, names) = (client.clone(), names.clone());
            callers.push(tokio::spawn(async move {
                let (mut at, mut done) = ((connection * CALLS + call) * 97, 0_u64);
                while begin.elapsed() < SPAN {
                    let name = names[at % names.len()].clone();
                    let vm = client.get_vm(pb::GetVmRequest { name: name.clone(), fresh: false }).await?.into_inner();
                    ensure!(vm.name == name, "asked for {name}, got {}", vm.name);
                    (at, done) = (at + 1, done + 1);
                }
                Ok(done)
            }));
        }
    }
    let mut done = 0;
    for caller in callers {
        done += caller.await??;
    }
    let rate = done as f64 / begin.elapsed().as_secs_f64();
    output.line(&format!("GetVm over gRPC, {CONNECTIONS} connections with {CALLS} calls each: {rate:.0} a second"));
    Ok(())
}

/// By uuid and by display name, each with the whole VM as the answer, without gRPC.
pub(super) async fn in_process(vcsimx: &Vcsimx, output: &Output) -> Result<()> {
    let config: InventoryConfig = load_text("bench", &vcsimx.configuration(), [])?.value;
    let http =
        |_: &str, options: &TlsOptions| -> Result<SharedHttp, String> { Ok(Arc::new(ReqwestClient::new(options)?)) };
    let svc = InventorySvc::new(&config, &http, &SystemClock::shared()).map_err(anyhow::Error::msg)?;
    let beside = svc.clone();
    let following = tokio::spawn(async move { beside.keep_alive().await });
    let cache = svc.vcenters().caches().get("vcsim").context("vcsim is not followed")?.clone();
    let mut signal = svc.vcenters().caches().feed().signal();
    // Not `can_answer`: that turns true a moment after the feed tells of the load, and nothing tells of it then.
    while cache.freshness().stale {
        signal.changed().await?;
    }
    let standing = cache.client().standing().await;
    let all = cache.held().vms(&VmFilter::default(), None, usize::MAX, &standing);
    let uuids: Vec<String> = all.iter().map(|vm| vm.instance_uuid.clone()).collect();
    let names: Vec<String> = all.iter().map(|vm| vm.display_name.clone()).collect();
    let by_uuid = |cache: &Cache, standing: &Standing, uuid: &str| {
        cache.held().vm(uuid, standing).is_some_and(|vm| vm.instance_uuid == uuid)
    };
    let by_name = |cache: &Cache, standing: &Standing, name: &str| {
        let filter = VmFilter { display_name: name.to_owned(), ..VmFilter::default() };
        cache.held().vms(&filter, None, 2, standing).first().is_some_and(|vm| vm.display_name == name)
    };
    for (what, keys, look) in [
        ("uuid", &uuids, &by_uuid as &(dyn Fn(&Cache, &Standing, &str) -> bool + Sync)),
        ("display name", &names, &by_name),
    ] {
        let rate = tokio::task::block_in_place(|| rate(keys, |key| look(&cache, &standing, key)))?;
        output.line(&format!("look-up in the process by {what}, {THREADS} threads: {rate:.0} a second"));
    }
    following.abort();
    svc.log_out().await;
    Ok(())
}

/// Look-ups a second by all threads together; one that finds nothing is an error.
fn rate(keys: &[String], look: impl Fn(&str) -> bool + Sync) -> Result<f64> {
    let begin = Instant::now();
    let count = |thread: usize| -> Result<u64> {
        let mut done = 0;
        for key in keys.iter().cycle().skip(thread * 97) {
            ensure!(look(key), "{key} is not found");
            done += 1;
            if begin.elapsed() >= SPAN {
                break;
            }
        }
        Ok(done)
    };
    let done = std::thread::scope(|scope| {
        let count = &count;
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || count(thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Ok(0))).sum::<Result<u64>>()
    })?;
    Ok(done as f64 / begin.elapsed().as_secs_f64())
}
