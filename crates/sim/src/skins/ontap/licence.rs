//! What a licence or a full aggregate forbids.

use super::{Face, refusal::Refusal};

impl Face {
    /// FlexClone is licensed, or 1115127.
    pub(super) fn may_clone(&self) -> Result<(), Refusal> {
        if self.settings().flexclone { Ok(()) } else { Err(unlicensed("FlexClone")) }
    }

    /// SnapRestore is licensed, or 1115127.
    pub(super) fn may_restore(&self) -> Result<(), Refusal> {
        if self.settings().snaprestore { Ok(()) } else { Err(unlicensed("SnapRestore")) }
    }

    /// The aggregate has space, or 524479.
    pub(super) fn has_space(&self) -> Result<(), Refusal> {
        if self.settings().aggregate_full {
            return Err(Refusal::code(
                "524479",
                "The aggregate \"aggr1\" has no space left, or the volume is offline.",
            ));
        }
        Ok(())
    }
}

fn unlicensed(what: &str) -> Refusal {
    Refusal::code("1115127", &format!("The cluster lacks a valid {what} license."))
}
