//! `strata completion`.

use crate::{args::Cli, context::Context, exit_code::SUCCESS, failure::Failure};
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

/// Which shell.
#[derive(Debug, Args)]
pub struct CompletionArgs {
    /// The shell, as bash, zsh, fish, elvish or powershell
    shell: Shell,
}

/// Prints the script: `source <(strata completion bash)`.
///
/// # Errors
/// stdout cannot be written.
pub fn run(args: &CompletionArgs, context: &Context) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "strata", &mut script);
    context.printer.raw(&String::from_utf8_lossy(&script))?;
    Ok(SUCCESS)
}
