//! A data centre and its two services in this process behind a gate, and the gateway in another process.

use super::{
    child::Child,
    gate::{Gate, Side},
    leftovers,
    operation::{NEW, OLD, Operation, VM},
    picture::{DISK_BYTES, Picture},
};
use crate::{
    between::{self, Between, Face},
    house::{ArrayKind, Caller, House, open_gateway},
};
use anyhow::{Context as _, bail, ensure};
use std::{path::PathBuf, sync::Arc};
use strata_proto::google::longrunning::{
    WaitOperationRequest, operation::Result as LroResult, operations_client::OperationsClient,
};
use strata_sim::world::compute::VmSpec;

/// Longest wait for an operation to end after the restart, in seconds.
const END_SECONDS: i64 = 120;
/// What the neighbour's disk holds.
const NEIGHBOURS: u8 = 9;

/// How an operation ended after the kill and the restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It was finished.
    Finished,
    /// It was undone; why.
    Undone(String),
}

/// See the module.
pub struct Rig {
    house: House,
    gate: Arc<Gate>,
    _faces: [Face; 2],
    directory: tempfile::TempDir,
}

impl Rig {
    /// Builds one: a VM that runs and its neighbour on one datastore.
    ///
    /// # Errors
    /// What this machine lacks.
    pub async fn build(array: ArrayKind) -> anyhow::Result<Self> {
        let house = House::builder()
            .array(array)
            .vm(VmSpec::named(VM).on())
            .vm(VmSpec::named("neighbour").on())
            .start()
            .await?;
        house.write(VM, &[OLD; DISK_BYTES])?;
        house.write("neighbour", &[NEIGHBOURS; DISK_BYTES])?;
        let gate = Arc::new(Gate::open());
        let inventory = between::serve(Between::new(house.inventory.clone(), gate.clone())).await?;
        let storage = between::serve(Between::new(house.storage.clone(), gate.clone())).await?;
        let rig = Self { house, gate, _faces: [inventory, storage], directory: tempfile::tempdir()? };
        let config = format!(
            "data_directory = \"{}\"\ntime_zone = \"UTC\"\n[server]\nlisten = \"127.0.0.1:0\"\nlameduck = \"0s\"\n\
             [inventory]\nurl = \"{}\"\n[storage]\nurl = \"{}\"\n",
            rig.data_directory().display(),
            rig._faces[0].url(),
            rig._faces[1].url()
        );
        fs_err::write(rig.directory.path().join("gateway.toml"), config)?;
        Ok(rig)
    }

    fn data_directory(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    async fn start(&self) -> anyhow::Result<Child> {
        let directory = self.directory.path();
        Child::start(&directory.join("gateway.toml"), &directory.join("gateway.log")).await
    }

    /// Kills the gateway at the `number`-th mutating call of the operation, starts it again and checks everything. `None`
    /// where the operation has fewer calls than that; then it has been checked unkilled. With `refused`, calls of that method
    /// are refused, so that the operation must end undone.
    ///
    /// # Errors
    /// What is not as it must be.
    pub async fn kill(
        &self,
        operation: Operation,
        (number, side): (usize, Side),
        refused: Option<&'static str>,
    ) -> anyhow::Result<Option<(String, Ended)>> {
        let child = self.start().await?;
        let caller = Caller(child.upstream.clone());
        let prepared = operation.prepare(&caller).await?;
        self.house.write(VM, &[NEW; DISK_BYTES])?;
        let before = Picture::of(&self.house)?;
        self.gate.arm(number, side, refused);
        let name = operation.start(&caller, &prepared).await?;
        let held = tokio::select! {
            method = self.gate.held() => Some(method),
            ended = ended(&caller, &name) => {
                let ended = ended?;
                ensure!((ended == Ended::Finished) == refused.is_none(), "unkilled, it ended as {ended:?}");
                None
            }
        };
        child.kill().await?;
        let passed = self.gate.disarm();
        let judged = self.judge(operation, &before, &name).await;
        let ended = judged.with_context(|| {
            let log = fs_err::read_to_string(self.directory.path().join("gateway.log")).unwrap_or_default();
            format!("{operation:?} killed at {held:?} ({side:?} call {number} of {passed:?})\n{log}")
        })?;
        ensure!(
            refused.is_none() || ended != Ended::Finished,
            "{operation:?} finished although {refused:?} was refused"
        );
        Ok(held.map(|method| (method, ended)))
    }

    /// Starts the gateway again, waits for the operation's end, and looks at everything.
    async fn judge(&self, operation: Operation, before: &Picture, name: &str) -> anyhow::Result<Ended> {
        let child = self.start().await?;
        let caller = Caller(child.upstream.clone());
        let ended = ended(&caller, name).await?;
        // Once more, so that what is looked at is what is durable.
        child.kill().await?;
        let ports = self.house.gateway.deps().ports.clone();
        let gateway = open_gateway(&self.data_directory(), ports).await?;
        let after = Picture::of(&self.house)?;
        let mut faults = operation.faults(before, &after, ended == Ended::Finished);
        faults.extend(leftovers::faults(&self.house, &gateway).await?);
        ensure!(faults.is_empty(), "it ended as {ended:?}, and:\n  {}", faults.join("\n  "));
        Ok(ended)
    }
}

/// Waits for an operation's end.
async fn ended(caller: &Caller, name: &str) -> anyhow::Result<Ended> {
    let timeout = Some(prost_types::Duration { seconds: END_SECONDS, nanos: 0 });
    let request = WaitOperationRequest { name: name.to_owned(), timeout };
    let operation = OperationsClient::new(caller.0.clone()).wait_operation(request).await?.into_inner();
    match operation.result {
        Some(LroResult::Response(_)) => Ok(Ended::Finished),
        Some(LroResult::Error(error)) => Ok(Ended::Undone(error.message)),
        None => bail!("{name} did not end within {END_SECONDS} s: {operation:?}"),
    }
}
