//! Bringing one peer into the cache. An entry counts only once its `.complete` file is there, which is written last:
//! an installation that was interrupted is done again, never used by halves.

use super::{Source, go};
use crate::{console, run, workspace};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Returns the path of the program, installing it first where the cache does not hold it.
///
/// # Errors
/// What is missing on this machine (go, python3, npm), or what the installer said.
pub fn install(name: &str, source: &Source) -> Result<PathBuf> {
    let cache = workspace::cache()?;
    fs_err::create_dir_all(&cache)?;
    let key = format!("{name}-{}", key_of(source)?);
    let entry = cache.join(&key);
    let program = entry.join(program_in_entry(name, source));
    // Two xtasks at once must not install into one entry.
    let lock = fs_err::File::create(cache.join(format!("{key}.lock")))?;
    lock.file().lock().context("cannot lock the cache entry")?;
    if entry.join(".complete").exists() && program.exists() {
        return Ok(program);
    }
    if entry.exists() {
        fs_err::remove_dir_all(&entry)?;
    }
    fs_err::create_dir_all(&entry)?;
    let start = Instant::now();
    match source {
        Source::GoModule { package, version } => go::install(&entry, &format!("{package}@{version}"))?,
        Source::GoFolder { module, package } => go::build(module, package, &program)?,
        Source::Venv { requirements } => venv(&entry, requirements)?,
        Source::Npm { package, version, .. } => npm(&entry, &format!("{package}@{version}"))?,
        Source::CargoInstall { package, version } => cargo_install(&entry, &format!("{package}@{version}"))?,
    }
    if !program.exists() {
        bail!("the installer succeeded and left no {}", program_in_entry(name, source));
    }
    fs_err::write(entry.join(".complete"), "")?;
    console::say(&format!("installed {name} in {:.1} s", start.elapsed().as_secs_f64()));
    Ok(program)
}

/// What tells one version of a peer from another in the cache.
fn key_of(source: &Source) -> Result<String> {
    Ok(match source {
        Source::GoModule { version, .. } | Source::Npm { version, .. } | Source::CargoInstall { version, .. } => {
            version.clone()
        }
        Source::GoFolder { module, package } => go::key_of_sources(module, package)?,
        Source::Venv { requirements } => requirements.join("+").replace("==", "-"),
    })
}

/// Where the installer puts the program, relative to the cache entry.
fn program_in_entry(name: &str, source: &Source) -> String {
    match source {
        Source::GoModule { .. } | Source::GoFolder { .. } => name.to_owned(),
        Source::Venv { .. } => "bin/python".to_owned(),
        Source::Npm { binary, .. } => format!("node_modules/.bin/{binary}"),
        Source::CargoInstall { package, .. } => format!("bin/{package}"),
    }
}

fn venv(entry: &Path, requirements: &[String]) -> Result<()> {
    let Some(python) = run::find_program("python3") else {
        bail!("no python3 in PATH; install Python 3.9 or newer");
    };
    run::output_of(run::command(python)?.args(["-m", "venv"]).arg(entry))
        .context("python3 -m venv failed; on Debian install python3-venv")?;
    let mut pip = run::command(entry.join("bin/python"))?;
    run::output_of(pip.args(["-m", "pip", "install", "--quiet", "--no-input"]).args(requirements))?;
    Ok(())
}

fn npm(entry: &Path, package: &str) -> Result<()> {
    let Some(npm) = run::find_program("npm") else {
        bail!("no npm in PATH; install Node.js 20 or newer");
    };
    let mut install = run::command(npm)?;
    install.args(["install", "--no-fund", "--no-audit", "--ignore-scripts", "--loglevel=error", "--prefix"]);
    run::output_of(install.arg(entry).arg(package))?;
    Ok(())
}

fn cargo_install(entry: &Path, package: &str) -> Result<()> {
    // The target folder is the entry's own: installing must neither wait for nor disturb a build of the workspace.
    let mut install = run::cargo(&["install", "--locked", "--quiet", "--root"])?;
    install.arg(entry).arg("--target-dir").arg(entry.join("target")).arg(package);
    run::output_of(&mut install)?;
    fs_err::remove_dir_all(entry.join("target"))?;
    Ok(())
}
