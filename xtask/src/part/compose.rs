//! compose.yaml, read by docker-compose itself. Nothing is started: that needs a Docker engine.

use crate::{console, peers, run, workspace};
use anyhow::{Result, bail};

/// `docker-compose config`, the lab's profile included.
pub fn run() -> Result<()> {
    let program = match peers::require_system("docker-compose", &["docker-compose"]) {
        Ok(program) => program,
        Err(error) if workspace::is_ci() => return Err(error),
        Err(error) => {
            console::skipped("compose.yaml", &format!("{error:#}"));
            return Ok(());
        }
    };
    // Asking for the names is enough: the whole file is read and checked first.
    let services = run::output_of(run::command(program)?.args([
        "--file",
        "compose.yaml",
        "--profile",
        "lab",
        "config",
        "--services",
    ]))?;
    for expected in ["inventory-svc", "storage-svc", "gateway", "lab"] {
        if !services.lines().any(|name| name == expected) {
            bail!("compose.yaml has no service {expected}, only {}", services.replace('\n', " "));
        }
    }
    console::say(&format!("compose.yaml is valid: {}", services.trim().replace('\n', ", ")));
    Ok(())
}
