//! What tests ask of an installation, as a caller would.

use super::House;
use anyhow::{Context as _, bail};
use prost::Message;
use strata_kit::upstream::Upstream;
use strata_proto::{
    google::longrunning::{
        Operation, WaitOperationRequest, operation::Result as LroResult, operations_client::OperationsClient,
    },
    strata::gateway::v1::{self as pb, vm_service_client::VmServiceClient},
};
use tonic::{Response, Status};

/// How an operation ended.
#[derive(Debug)]
pub enum Finished {
    /// With an answer.
    Well(prost_types::Any),
    /// With an error.
    Badly(Status),
}

impl Finished {
    /// The answer as a message.
    pub fn answer<M: Message + Default>(self) -> anyhow::Result<M> {
        match self {
            Finished::Well(any) => Ok(M::decode(any.value.as_slice())?),
            Finished::Badly(status) => bail!("the operation failed: {status}"),
        }
    }

    /// The error's message.
    pub fn error(self) -> anyhow::Result<Status> {
        match self {
            Finished::Well(_) => bail!("the operation succeeded"),
            Finished::Badly(status) => Ok(status),
        }
    }
}

/// Somebody who calls a gateway.
#[derive(Debug, Clone)]
pub struct Caller(pub Upstream);

impl Caller {
    /// The full name of the one VM with this display name.
    pub async fn vm(&self, display_name: &str) -> anyhow::Result<String> {
        let request = pb::ListVmsRequest {
            parent: "vcenters/-".to_owned(),
            display_name: display_name.to_owned(),
            ..pb::ListVmsRequest::default()
        };
        let vms = VmServiceClient::new(self.0.clone()).list_vms(request).await?.into_inner().vms;
        Ok(vms.into_iter().next().with_context(|| format!("no VM {display_name}"))?.name)
    }

    /// Waits for an operation to end.
    pub async fn finish(&self, operation: Result<Response<Operation>, Status>) -> anyhow::Result<Finished> {
        let operation = operation?.into_inner();
        let request = WaitOperationRequest { name: operation.name, timeout: None };
        let ended = OperationsClient::new(self.0.clone()).wait_operation(request).await?.into_inner();
        match ended.result {
            Some(LroResult::Response(any)) => Ok(Finished::Well(any)),
            Some(LroResult::Error(error)) => {
                let code = tonic::Code::from_i32(error.code);
                Ok(Finished::Badly(Status::with_details(code, error.message.clone(), error.encode_to_vec().into())))
            }
            None => {
                let metadata = ended.metadata.map(|any| pb::OperationMetadata::decode(any.value.as_slice()));
                let steps = metadata.transpose()?.map(|metadata| metadata.steps).unwrap_or_default();
                let told: Vec<String> = steps
                    .into_iter()
                    .filter(|step| !step.message.is_empty())
                    .map(|step| format!("{}: {}", step.name, step.message))
                    .collect();
                bail!("operation {} did not end: {}", ended.name, told.join("; "))
            }
        }
    }
}

impl House {
    /// A caller of its gateway.
    pub fn caller(&self) -> Caller {
        Caller(self.upstream.clone())
    }

    /// The full name of the one VM with this display name.
    pub async fn vm(&self, display_name: &str) -> anyhow::Result<String> {
        self.caller().vm(display_name).await
    }

    /// Waits for an operation to end.
    pub async fn finish(&self, operation: Result<Response<Operation>, Status>) -> anyhow::Result<Finished> {
        self.caller().finish(operation).await
    }

    /// Drops the gateway and opens its stores again, as a restart does.
    pub async fn restart(mut self) -> anyhow::Result<House> {
        self.gateway.drain().await;
        let ports = self.gateway.deps().ports.clone();
        let directory = self.data_directory();
        let House {
            world,
            vcenter,
            vcenters,
            datastores,
            vcenter_certificate,
            array_certificate,
            gate,
            hurt,
            gateway,
            upstream,
            inventory_svc,
            storage_svc,
            inventory,
            storage,
            ungated_storage,
            filer_root,
            directory: kept,
            image,
        } = self;
        drop((gateway, upstream));
        let gateway = super::build::open_hurt(&directory, ports, Some(hurt.clone())).await?;
        let upstream = super::build::in_process("gateway", gateway.api.routes());
        self = House {
            world,
            vcenter,
            vcenters,
            datastores,
            vcenter_certificate,
            array_certificate,
            gate,
            hurt,
            gateway,
            upstream,
            inventory_svc,
            storage_svc,
            inventory,
            storage,
            ungated_storage,
            filer_root,
            directory: kept,
            image,
        };
        Ok(self)
    }
}

impl House {
    /// Writes into a disk's data as the guest would: through the running VM, or into the file of one that is off.
    pub fn write(&self, vm: &str, bytes: &[u8]) -> anyhow::Result<()> {
        match self.vcenter.guest_write(vm, 0, 0, bytes) {
            Ok(()) => Ok(()),
            Err(_) => self
                .tree("ds1")?
                .write(&format!("{vm}/{vm}-flat.vmdk"), 0, bytes)
                .map_err(|error| anyhow::anyhow!("{error}")),
        }
    }

    /// Reads the beginning of a VM's first disk, through its chain.
    pub fn read(&self, vm: &str, length: usize) -> anyhow::Result<Vec<u8>> {
        self.vcenter.guest_read(vm, 0, 0, length).map_err(|fault| anyhow::anyhow!("{vm}: {}", fault.message))
    }

    /// The files of a datastore.
    pub fn tree(&self, datastore: &str) -> anyhow::Result<std::sync::Arc<dyn strata_sim::world::tree::FileTree>> {
        self.world
            .nfs(super::build::FILER_ADDRESS, &format!("/{}", super::build::volume_of(datastore)))
            .context("no such export")
    }
}
