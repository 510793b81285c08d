//! The real grpcurl, without any file at hand, against all three services; and the examples of README.md, as written there.

use anyhow::{Context as _, ensure};
use std::{path::Path, process::Command};
use strata_sim::world::compute::VmSpec;
use strata_tests::{
    house::{House, Sockets},
    peers,
};

async fn house() -> anyhow::Result<(House, Sockets)> {
    let house = House::builder().vm(VmSpec::named("web-01")).vm(VmSpec::named("größe @:%#")).start().await?;
    let sockets = house.serve().await?;
    Ok((house, sockets))
}

/// Runs grpcurl and answers what it printed; an error where it failed.
async fn grpcurl(program: &Path, arguments: Vec<String>) -> anyhow::Result<String> {
    let program = program.to_owned();
    let output = tokio::task::spawn_blocking(move || Command::new(program).args(&arguments).output()).await??;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "grpcurl failed: {complaint}");
    Ok(printed)
}

fn words(text: &[&str]) -> Vec<String> {
    text.iter().map(|word| (*word).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_service_lists_itself_and_answers() -> anyhow::Result<()> {
    let Some(program) = peers::find(peers::GRPCURL) else { return Ok(()) };
    let (_house, sockets) = house().await?;
    let cases: [(String, &str, &str, &str, &str); 7] = [
        (
            sockets.gateway.to_string(),
            "strata.gateway.v1.VmService/ListVms",
            r#"{"parent": "vcenters/-"}"#,
            "VmService",
            "größe @:%#",
        ),
        (
            sockets.gateway.to_string(),
            "strata.gateway.v1.SnapshotService/ListSnapshots",
            r#"{"parent": "vcenters/-/vms/-"}"#,
            "SnapshotService",
            "{",
        ),
        (sockets.gateway.to_string(), "strata.gateway.v1.PlanService/Preflight", "{}", "PlanService", "arrays/array-1"),
        (
            sockets.gateway.to_string(),
            "google.longrunning.Operations/ListOperations",
            "{}",
            "google.longrunning.Operations",
            "{",
        ),
        (
            sockets.inventory.to_string(),
            "strata.inventory.v1.InventoryService/ListVms",
            r#"{"parent": "vcenters/-"}"#,
            "InventoryService",
            "web-01",
        ),
        (sockets.storage.to_string(), "strata.storage.v1.StorageService/ListArrays", "{}", "StorageService", "array-1"),
        (sockets.storage.to_string(), "grpc.health.v1.Health/Check", "{}", "grpc.health.v1.Health", "SERVING"),
    ];
    for (address, method, data, service, expected) in cases {
        let list = grpcurl(&program, words(&["-plaintext", &address, "list"])).await?;
        ensure!(list.contains(service), "{address} does not list {service}: {list}");
        let answer = grpcurl(&program, words(&["-plaintext", "-d", data, &address, method])).await.context(method)?;
        ensure!(answer.contains(expected), "{method} answered without '{expected}': {answer}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_come_with_their_details() -> anyhow::Result<()> {
    let Some(program) = peers::find(peers::GRPCURL) else { return Ok(()) };
    let (_house, sockets) = house().await?;
    let call = words(&[
        "-plaintext",
        "-d",
        r#"{"name": "snapshots/s-none"}"#,
        &sockets.gateway.to_string(),
        "strata.gateway.v1.SnapshotService/GetSnapshot",
    ]);
    let error = grpcurl(&program, call).await.expect_err("there is no such snapshot").to_string();
    for word in ["NotFound", "snapshots/s-none", "google.rpc.ErrorInfo", "SNAPSHOT_NOT_FOUND"] {
        ensure!(error.contains(word), "no '{word}' in {error}");
    }
    Ok(())
}

/// The lines of README.md that begin with `$ grpcurl`.
fn readme_examples() -> anyhow::Result<Vec<String>> {
    let readme = fs_err::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md"))?;
    let examples: Vec<String> =
        readme.lines().filter_map(|line| line.strip_prefix("$ grpcurl ")).map(str::to_owned).collect();
    ensure!(examples.len() >= 8, "README.md has only {} examples", examples.len());
    Ok(examples)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_examples_of_the_readme_work() -> anyhow::Result<()> {
    let Some(program) = peers::find(peers::GRPCURL) else { return Ok(()) };
    let (_house, sockets) = house().await?;
    for example in readme_examples()? {
        // A shell takes the line apart, as the reader's does.
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec \"$PROGRAM\" {example}")]).env("PROGRAM", &program);
        shell.env("GATEWAY", sockets.gateway.to_string());
        shell.env("INVENTORY", sockets.inventory.to_string()).env("STORAGE", sockets.storage.to_string());
        let output = tokio::task::spawn_blocking(move || shell.output()).await??;
        ensure!(output.status.success(), "{example}: {}", String::from_utf8_lossy(&output.stderr));
        ensure!(!output.stdout.is_empty(), "{example} printed nothing");
    }
    Ok(())
}
