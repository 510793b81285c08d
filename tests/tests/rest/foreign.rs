//! Software that nobody here wrote, over a socket: schemathesis, which tries to break what `/openapi.json` promises, and curl with the
//! lines of README.md.

use super::{caller::Rest, caller::vm_path, house};
use anyhow::ensure;
use http::Method;
use serde_json::{Value, json};
use std::{path::Path, process::Command};
use strata_tests::peers;

/// What is asked of every answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance";

async fn run(mut command: Command) -> anyhow::Result<(bool, String)> {
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Ok((output.status.success(), text))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_no_server_error_and_nothing_undocumented() -> anyhow::Result<()> {
    let Some(python) = peers::find(peers::SCHEMATHESIS) else { return Ok(()) };
    let house = house().await?;
    let rest = Rest::of(&house)?;
    let vms = rest.ok(Method::GET, "/v1/vcenters/-/vms", Value::Null).await?;
    let vm = vm_path(&vms, "web-01");
    let point = rest.ok(Method::POST, &format!("{vm}/snapshots"), json!({})).await?;
    let operation = point["name"].as_str().unwrap_or_default().to_owned();
    let point = rest.finish(&point).await?;
    let sockets = house.serve().await?;
    let directory = tempfile::tempdir()?;
    let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    // Names that exist, so that not every request ends at a name that does not.
    let names = format!(
        "[parameters]\n\"path.vcenter\" = \"vc-1\"\n\"path.vm\" = \"{}\"\n\"path.snapshot\" = \"{}\"\n\"path.operation\" = \"{}\"\n",
        last(&vm),
        last(point["response"]["name"].as_str().unwrap_or_default()),
        last(&operation),
    );
    fs_err::write(directory.path().join("schemathesis.toml"), names)?;
    let mut command = Command::new(python);
    command.current_dir(directory.path()).env("NO_COLOR", "1");
    command.args(["-m", "schemathesis.cli", "run", &format!("http://{}/openapi.json", sockets.gateway)]);
    command.args(["--checks", CHECKS, "--phases", "coverage,fuzzing", "--max-examples", "5"]);
    command.args(["--generation-deterministic", "--suppress-health-check", "all"]);
    let (well, text) = run(command).await?;
    ensure!(well, "schemathesis found something:\n{text}");
    let generated = text.lines().find(|line| line.contains(" generated, ")).unwrap_or_default();
    ensure!(generated.contains("passed"), "nothing was tried:\n{text}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_does_what_the_readme_says() -> anyhow::Result<()> {
    if Command::new("curl").arg("--version").output().is_err() {
        peers::skip("there is no curl on this machine");
        return Ok(());
    }
    let house = house().await?;
    let sockets = house.serve().await?;
    let readme = fs_err::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md"))?;
    let examples: Vec<&str> = readme.lines().filter_map(|line| line.strip_prefix("$ curl ")).collect();
    ensure!(examples.len() >= 3, "README.md has only {} examples", examples.len());
    for example in examples {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec curl --fail --no-progress-meter {example}")]);
        shell.env("GATEWAY", sockets.gateway.to_string());
        let (well, text) = run(shell).await?;
        ensure!(well && text.starts_with('{'), "{example}: {text}");
        serde_json::from_str::<Value>(&text)?;
    }
    Ok(())
}
