//! `cargo xtask bench inventory [--vms N] [--runs N]`: what it takes to have the inventory of a vCenter in memory, beside VMware's own
//! clients, and how fast memory answers. One simulated vCenter serves all of them, one after the other.

#[path = "inventory/lookups.rs"]
mod lookups;
#[path = "inventory/peers.rs"]
mod peers;
#[path = "inventory/served.rs"]
mod served;
#[path = "inventory/vcsimx.rs"]
mod vcsimx;

use anyhow::{Context as _, Result, ensure};
use served::Served;
use std::{process::ExitCode, time::Duration};
use strata_kit::program::Output;
use vcsimx::Vcsimx;

/// What is measured with.
#[derive(Debug, Clone, Copy)]
struct Size {
    vms: usize,
    runs: usize,
}

impl Size {
    /// `--vms N` and `--runs N`; cargo's own arguments are passed over.
    fn from_arguments() -> Result<Self> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let number = |name: &str, otherwise: usize| -> Result<usize> {
            let Some(at) = arguments.iter().position(|argument| argument == name) else { return Ok(otherwise) };
            let text = arguments.get(at + 1).with_context(|| format!("{name} needs a number"))?;
            let number = text.parse().with_context(|| format!("{name} {text}"))?;
            ensure!(number > 0, "{name} must be at least 1");
            Ok(number)
        };
        Ok(Self { vms: number("--vms", 10_000)?, runs: number("--runs", 3)? })
    }
}

/// The first loads, run after run, so that what else the machine does strikes all three alike.
#[derive(Debug, Default)]
struct Loads {
    strata: Vec<Duration>,
    pyvmomi: Vec<Duration>,
    pyvmomi_collecting: Vec<Duration>,
    govc: Vec<Duration>,
    rss_kib: Vec<u64>,
    peak_kib: Vec<u64>,
}

#[tokio::main(flavor = "multi_thread")]
async fn main() -> ExitCode {
    match run(Size::from_arguments(), &Output).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            Output.fail(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(size: Result<Size>, output: &Output) -> Result<()> {
    let size = size?;
    let vcsimx = Vcsimx::start(size.vms)?;
    output.line(&format!("{} VMs in vcsimx, started in {:.1} s; {}", vcsimx.vms, vcsimx.start_s, load_of_machine()));
    let mut loads = Loads::default();
    let mut seen = Vec::new();
    for run in 1..=size.runs {
        let served = Served::load(&vcsimx).await?;
        let memory = served.memory()?;
        ensure!(served.names.len() == vcsimx.vms, "inventory-svc holds {} VMs", served.names.len());
        loads.strata.push(served.took);
        loads.rss_kib.push(memory.now_kib);
        loads.peak_kib.push(memory.peak_kib);
        seen.push(served.see_rename(&vcsimx, run).await?);
        if run == size.runs {
            lookups::over_grpc(&served, output).await?;
        }
        drop(served);
        let pyvmomi = peers::pyvmomi(&vcsimx)?;
        loads.pyvmomi.push(pyvmomi.took);
        loads.pyvmomi_collecting.push(pyvmomi.collecting);
        loads.govc.push(peers::govc(&vcsimx)?);
    }
    lookups::in_process(&vcsimx, output).await?;
    output.line(&format!(
        "rename by govc, from its start to the watcher that is told: {} (median)",
        seconds(median(seen))
    ));
    print_loads(loads, output);
    output.line(&load_of_machine());
    Ok(())
}

fn print_loads(loads: Loads, output: &Output) {
    let strata = median(loads.strata);
    let row = |who: &str, took: Duration| {
        let ratio = took.as_secs_f64() / strata.as_secs_f64();
        output.line(&format!("| {who} | {} | {ratio:.1} |", seconds(took)));
    };
    output.line("\n| first load | median | of Strata's |\n| --- | --- | --- |");
    row("inventory-svc: process start to loaded, places too", strata);
    row("pyvmomi: process start to end, same paths, places too", median(loads.pyvmomi));
    row("pyvmomi: of it from the filter to the last object", median(loads.pyvmomi_collecting));
    row("govc object.collect -json: process start to end, same paths, VMs only", median(loads.govc));
    let mib = |kib: Vec<u64>| median(kib) as f64 / 1024.0;
    output.line(&format!(
        "\ninventory-svc: VmRSS {:.1} MiB after the load, VmHWM {:.1} MiB (medians)",
        mib(loads.rss_kib),
        mib(loads.peak_kib)
    ));
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

/// The middle one of an odd number, else the lower of the two in the middle; zero of none.
fn median<T: Ord + Copy + Default>(mut all: Vec<T>) -> T {
    all.sort();
    all.get(all.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

/// What else runs here decides what the times are worth.
fn load_of_machine() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let minute = load.split(' ').next().unwrap_or("unknown");
    format!("{cores} cores, load of the last minute {minute}")
}
