//! What the story is played with: the lab, the gateway's clients, and how a step is told and checked.

use super::{
    copy,
    picture::{self, Picture},
    report::Report,
};
use crate::{
    config::GatewayConfig,
    connect::{Gateway, call},
    context::Context,
    failure::Failure,
    follow::Finished,
    lab::{ArrayKind, Lab},
    printer::Printer,
};
use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use strata_kit::upstream::{Upstream, UpstreamOptions};
use strata_model::ErrorKind;
use strata_proto::{
    google::longrunning::{Operation, WaitOperationRequest},
    strata::{
        gateway::v1::{ListVmsRequest, Vm},
        storage::v1::{ListOwnedRequest, Owned, storage_service_client::StorageServiceClient},
    },
};
use strata_sim::world::{World, compute::Vcenter, tree::FileTree};

/// The demo's stage.
pub struct Stage<'a> {
    /// The gateway.
    pub gateway: Gateway,
    /// The simulated vCenter: how the demo looks into disks as a guest does.
    pub vcenter: Arc<Vcenter>,
    /// What was found so far.
    pub report: Report,
    /// Size of web-01's disk.
    pub disk_bytes: u64,
    storage: StorageServiceClient<Upstream>,
    arrays: Vec<String>,
    world: Arc<World>,
    kind: ArrayKind,
    web_datastore: &'static str,
    web_directory: Option<PathBuf>,
    printer: &'a Printer,
}

impl<'a> Stage<'a> {
    /// Over a running lab.
    ///
    /// # Errors
    /// The lab has no vCenter of its own.
    pub fn new(lab: &Lab, context: &'a Context, report: Report, disk_bytes: u64) -> Result<Self, Failure> {
        let config = GatewayConfig {
            url: lab.facts.gateway.grpc.clone(),
            ca_file: None,
            token: None,
            insecure: false,
            timeout: Duration::from_secs(120),
        };
        let vcenter = lab.vcenter.clone().ok_or_else(|| failed("the demo needs the lab's own vCenter"))?;
        let storage = Upstream::connect(&UpstreamOptions::new(&lab.facts.storage.grpc)).map_err(failed)?;
        Ok(Self {
            gateway: Gateway::new(&config, context.clock.clone())?,
            vcenter,
            report,
            disk_bytes,
            storage: StorageServiceClient::new(storage),
            arrays: lab.facts.arrays.iter().map(|array| array.name.clone()).collect(),
            world: lab.world.clone(),
            kind: lab.array.kind,
            web_datastore: lab.web_datastore(),
            web_directory: lab.web_directory(),
            printer: &context.printer,
        })
    }

    /// Tells a step and what a person would type for it.
    pub fn step(&mut self, name: &'static str, told: &str) -> Result<(), Failure> {
        self.report.begin(name);
        if self.report.is_told() {
            self.printer.data("")?;
            self.printer.head(&format!("{name}: {told}"))?;
        }
        Ok(())
    }

    /// Tells a fact.
    pub fn say(&self, text: &str) -> Result<(), Failure> {
        if self.report.is_told() { self.printer.data(&format!("  {text}")) } else { Ok(()) }
    }

    /// Checks a claim: `found` is what was found instead.
    pub fn check(&mut self, claim: &str, found: Option<String>) -> Result<(), Failure> {
        match &found {
            None => self.say(&format!("ok      {claim}"))?,
            Some(found) => self.say(&format!("FAILED  {claim}: {found}"))?,
        }
        self.report.check(claim.to_owned(), found);
        Ok(())
    }

    /// Checks a claim that needs no words where it fails.
    pub fn check_that(&mut self, claim: &str, held: bool, found: impl std::fmt::Debug) -> Result<(), Failure> {
        self.check(claim, (!held).then(|| format!("found {found:?}")))
    }

    /// Waits for an operation and notes the time from the request on.
    pub async fn finish(
        &mut self,
        began: Instant,
        operation: Operation,
        instead_of_copy: bool,
    ) -> Result<Finished, Failure> {
        let finished = self.wait(operation).await?;
        self.report.took(began.elapsed(), instead_of_copy);
        Ok(finished)
    }

    /// The same where the operation goes on behind a VM that runs again after this step: what comes then counts as `behind`.
    pub async fn finish_in_two(
        &mut self,
        began: Instant,
        operation: Operation,
        step: &str,
        behind: &'static str,
    ) -> Result<Finished, Failure> {
        let finished = self.wait(operation).await?;
        let took = began.elapsed();
        let metadata = &finished.metadata;
        let last = metadata.steps.iter().find(|one| one.name == step).and_then(|one| one.end_time);
        let running = match (metadata.create_time, last) {
            (Some(from), Some(to)) => Duration::try_from(between(from, to)).unwrap_or(took).min(took),
            _ => took,
        };
        self.report.took(running, true);
        if running < took {
            self.report.took_by(behind, took - running);
        }
        Ok(finished)
    }

    async fn wait(&mut self, operation: Operation) -> Result<Finished, Failure> {
        let mut operation = operation;
        while !operation.done {
            let timeout = prost_types::Duration { seconds: 60, nanos: 0 };
            let request = WaitOperationRequest { name: operation.name.clone(), timeout: Some(timeout) };
            operation = call!(self.gateway, longrunning.wait_operation(request))?;
        }
        Finished::new(operation)
    }

    /// All VMs of the vCenter.
    pub async fn vms(&self) -> Result<Vec<Vm>, Failure> {
        let request = ListVmsRequest { parent: "vcenters/-".to_owned(), page_size: 1000, ..ListVmsRequest::default() };
        Ok(call!(self.gateway, vms.list_vms(request))?.vms)
    }

    /// Everything of Strata's on any array.
    pub async fn owned(&self) -> Result<Vec<Owned>, Failure> {
        let mut all = Vec::new();
        for array in &self.arrays {
            let parent = format!("arrays/{array}");
            let request = ListOwnedRequest { parent, page_size: 1000, ..ListOwnedRequest::default() };
            all.extend(self.storage.clone().list_owned(request).await?.into_inner().owned);
        }
        Ok(all)
    }

    /// The datastore of web-01.
    pub fn web_datastore(&self) -> &'static str {
        self.web_datastore
    }

    /// The names of all datastores.
    pub fn datastores(&self) -> BTreeSet<String> {
        self.vcenter.with(|state| state.datastores.values().map(|store| store.name.clone()).collect())
    }

    /// True where it is VMFS on LUNs.
    pub fn is_block(&self) -> bool {
        self.kind.is_block()
    }

    /// What there is in the data centre now.
    pub fn picture(&self) -> Result<Picture, Failure> {
        Picture::take(&self.world, &self.vcenter).map_err(failed)
    }

    /// What must never be, or have been, where nothing is Strata's.
    pub fn violations(&self) -> Vec<String> {
        picture::violations(&self.world, &self.vcenter)
    }

    /// What lies at the top of web-01's datastore, without the filer's own folder.
    pub fn datastore(&self) -> Result<BTreeSet<String>, Failure> {
        let names: Vec<String> = match &self.web_directory {
            Some(path) => fs_err::read_dir(path)
                .and_then(|entries| entries.map(|e| Ok(e?.file_name().to_string_lossy().into_owned())).collect())
                .map_err(failed)?,
            None => self.tree()?.list("").map_err(failed)?.into_iter().map(|entry| entry.name).collect(),
        };
        Ok(names.into_iter().filter(|name| !name.starts_with('.')).collect())
    }

    /// Whether a directory of web-01's datastore is there.
    pub fn has_directory(&self, relative: &str) -> Result<bool, Failure> {
        Ok(self.tree()?.list(relative).is_ok())
    }

    fn tree(&self) -> Result<Arc<dyn FileTree>, Failure> {
        let found = self.vcenter.with(|state| {
            let id =
                state.datastores.iter().find(|(_, store)| store.name == self.web_datastore).map(|(id, _)| id.clone());
            id.and_then(|id| state.tree(&id).ok())
        });
        found.ok_or_else(|| failed("web-01's datastore is gone"))
    }

    /// True where the array's bytes lie in this process's memory.
    pub fn in_memory(&self) -> bool {
        self.web_directory.is_none()
    }

    /// Copies web-01's disk in full and notes the time.
    pub fn full_copy(&mut self) -> Result<Duration, Failure> {
        let disk = "web-01/web-01-flat.vmdk";
        let took = match &self.web_directory {
            Some(path) => copy::within_directory(path, disk)?,
            None => copy::within_tree(&*self.tree()?, disk)?,
        };
        self.report.full_copy(took);
        Ok(took)
    }
}

fn between(from: prost_types::Timestamp, to: prost_types::Timestamp) -> prost_types::Duration {
    let mut between = prost_types::Duration { seconds: to.seconds - from.seconds, nanos: to.nanos - from.nanos };
    between.normalize();
    between
}

/// The story cannot go on.
pub fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(ErrorKind::Unexpected, "DEMO_FAILED", format!("the demo: {error}"))
}
