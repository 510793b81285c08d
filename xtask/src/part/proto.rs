//! The protocol definitions under buf's rules; buf.yaml says which, and why some are left out.

use crate::{peers, run};
use anyhow::Result;

/// `buf lint` over proto/.
pub fn run() -> Result<()> {
    run::check(run::command(peers::bring("buf")?)?.arg("lint"))
}
