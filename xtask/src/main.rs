//! `cargo xtask`: the errands of this repository, each of which prepares what it needs and says what it lacks.

mod ci;
mod console;
mod part;
mod peers;
mod run;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The errands of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    errand: Errand,
}

/// What can be asked for.
#[derive(Subcommand)]
enum Errand {
    /// Run the whole test suite against every peer that can be had.
    Test {
        /// Passed on to `cargo test`, for instance `-p strata-saga` or a test's name.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Bring the peers (govc, vcsimx, grpcurl, pyvmomi, netapp-ontap, schemathesis, buf) into the cache and print where they are.
    Peers,
    /// Check the rules of the house: dependency direction, file sizes, forbidden names, documents that tell the truth.
    Tidy,
    /// Check licences, duplicate crates, sources and, where the database can be reached, advisories.
    Deny,
    /// Lint the protocol definitions with buf.
    Proto,
    /// Measure what a snapshot and a clone cost by the VM's size, and Strata's own time; prints tables in markdown.
    #[command(args_conflicts_with_subcommands = true)]
    Bench {
        /// Within a minute, with the build of the tests: shows the shape, is no figure to quote.
        #[arg(long)]
        quick: bool,
        #[command(subcommand)]
        of: Option<Bench>,
    },
    /// Everything that CI runs, in its order, with the time of each part.
    Ci {
        /// Only these parts, for instance `services compose`.
        parts: Vec<String>,
    },
}

/// What can be measured by itself.
#[derive(Subcommand)]
enum Bench {
    /// The first load of the inventory beside pyvmomi and govc, its memory, and look-ups a second; not a part of CI.
    Inventory {
        /// VMs of the simulated vCenter, which needs some minutes to make 10,000.
        #[arg(long, default_value_t = 10_000)]
        vms: u32,
        /// Loads by each; medians are shown.
        #[arg(long, default_value_t = 3)]
        runs: u32,
    },
}

fn main() -> ExitCode {
    match carry_out(Arguments::parse().errand) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn carry_out(errand: Errand) -> anyhow::Result<()> {
    match errand {
        Errand::Test { rest } => {
            let tally = part::test::run(&rest)?;
            console::say(&tally.to_string());
        }
        Errand::Peers => {
            for (variable, path) in peers::prepare()? {
                console::say(&format!("{variable}={}", path.display()));
            }
        }
        Errand::Tidy => part::tidy::run()?,
        Errand::Deny => part::deny::run()?,
        Errand::Proto => part::proto::run()?,
        Errand::Bench { of: Some(Bench::Inventory { vms, runs }), .. } => part::bench::inventory(vms, runs)?,
        Errand::Bench { quick, of: None } => part::bench::run(quick)?,
        Errand::Ci { parts } => ci::run(&parts)?,
    }
    Ok(())
}
