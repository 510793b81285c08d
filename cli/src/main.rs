//! The `strata` binary: hands the process's surroundings to [`strata_cli::run`].

use std::process::ExitCode;

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(_) => return ExitCode::FAILURE,
    };
    let code = runtime.block_on(strata_cli::run(std::env::args_os().collect(), strata_cli::Environment::of_process()));
    // A question that nobody answered still waits for a line on its own thread; the process does not wait for it.
    runtime.shutdown_background();
    ExitCode::from(code)
}
