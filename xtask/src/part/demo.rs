//! The demo, as a machine would run it, on each kind of array: it exits 0 only if every one of its checks held.

use super::reflink_image::ReflinkImage;
use crate::{console, run};
use anyhow::{Context as _, Result, ensure};

/// What is simulated, and so can be had on every machine.
const SIMULATED: [&str; 4] = ["reference", "reference-lun", "ontap", "ontap-lun"];
/// Enough to tell a copy from none; most of the time is taken by comparing every block.
const DISK_MIB: &str = "64";

/// `cargo demo --json` on what this machine can, and on every simulated kind that this was not.
///
/// # Errors
/// A demo failed; the text holds its checks.
pub fn run() -> Result<()> {
    // Built before, so that the times are the demos' own.
    run::check(&mut run::cargo(&["build", "--quiet", "--package", "strata-cli", "--bin", "strata"])?)?;
    let first = play(&[])?;
    if first != "filer" {
        play_filer()?;
    }
    for kind in SIMULATED.into_iter().filter(|kind| *kind != first) {
        let played = play(&["--array", kind])?;
        ensure!(played == kind, "cargo demo --array {kind} was played on {played}");
    }
    Ok(())
}

/// On a file system in a file, where the machine's own ones do not share blocks.
fn play_filer() -> Result<()> {
    let image = match ReflinkImage::mount() {
        Ok(image) => image,
        Err(error) if std::env::var_os("CI").is_some() => return Err(error.context("the demo on the filer")),
        Err(error) => {
            console::say(&format!(
                "SKIPPED: filer: no file system here shares blocks, and none can be mounted: {error:#}"
            ));
            return Ok(());
        }
    };
    let directory = image.path().to_str().context("a temporary path that is no text")?;
    let played = play(&["--filer", directory])?;
    ensure!(played == "filer", "cargo demo --filer was played on {played}");
    Ok(())
}

/// Plays it and gives back the kind that it was played on.
fn play(arguments: &[&str]) -> Result<String> {
    let all = [&["demo", "--json", "--disk-mib", DISK_MIB], arguments].concat();
    let start = std::time::Instant::now();
    let printed = run::output_of(&mut run::cargo(&all)?)?;
    let report: serde_json::Value = serde_json::from_str(&printed).context("the demo printed no JSON")?;
    let kind = report["array"]["kind"].as_str().context("the demo does not say its array")?.to_owned();
    let checks = report["checks"].as_array().map_or(0, Vec::len);
    ensure!(report["held"] == true && checks >= 20, "the demo on {kind} did not hold: {printed}");
    console::say(&format!("demo on {kind:<14} {checks} checks held, {:.1} s", start.elapsed().as_secs_f64()));
    Ok(kind)
}
