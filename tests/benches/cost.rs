//! `cargo xtask bench [--quick]`; see `strata_tests::bench`.

use std::process::ExitCode;
use strata_kit::program::Output;
use strata_tests::bench::{Depth, run};

#[tokio::main(flavor = "multi_thread")]
async fn main() -> ExitCode {
    let depth = if std::env::args().any(|argument| argument == "--quick") { Depth::Quick } else { Depth::Full };
    match run(depth, &Output).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            Output.fail(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
