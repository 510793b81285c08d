//! From a request to an operation: the same request id answers the same operation, without planning again.

use super::{Api, convert};
use crate::{
    error::{GatewayError, Result, from_saga},
    plan::{NameAllocator, Planned},
};
use prost::Message;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use strata_proto::google::longrunning as lro;
use strata_saga::{Operation, Submission};
use tonic::metadata::MetadataMap;

/// What all requests that change something have in common.
#[derive(Debug, Clone)]
pub struct Asked {
    caller: String,
    request_id: Option<String>,
    hash: String,
    validate_only: bool,
    plan_hash: String,
}

impl Asked {
    /// Of a request. `plain` is the request without its id and without validate_only: what must be equal.
    pub fn new(
        metadata: &MetadataMap,
        request_id: &str,
        validate_only: bool,
        plan_hash: &str,
        kind: &str,
        plain: &impl Message,
    ) -> Result<Self> {
        let request_id = match request_id {
            "" => None,
            id => {
                let uuid: uuid::Uuid = id.parse().map_err(|_| {
                    GatewayError::invalid("request_id", format!("'{id}' is not a UUID; leave it out or send one"))
                })?;
                Some(uuid.to_string())
            }
        };
        let mut hasher = Sha256::new();
        hasher.update(kind.as_bytes());
        hasher.update([0]);
        hasher.update(plain.encode_to_vec());
        Ok(Self {
            caller: caller(metadata),
            request_id,
            hash: hex::encode(hasher.finalize()),
            validate_only,
            plan_hash: plan_hash.to_owned(),
        })
    }
}

/// Who calls, as far as it is known. Until callers are authenticated this is their own word, and only good for the record.
pub fn caller(metadata: &MetadataMap) -> String {
    let said = metadata.get("x-strata-caller").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let said: String = said.chars().filter(|c| !c.is_control()).take(64).collect();
    if said.is_empty() { "anonymous".to_owned() } else { said }
}

impl Api {
    /// Plans and submits; with validate_only only plans. `planning` is awaited only where the request is a new one.
    pub(super) async fn submit<O, F>(&self, asked: Asked, planning: F) -> Result<lro::Operation>
    where
        O: Operation,
        F: Future<Output = Result<Planned<O::Params>>>,
    {
        match self.known(&asked).await? {
            Some(operation) => Ok(operation),
            None => self.accept::<O>(asked, planning.await?).await,
        }
    }

    /// The operation of an earlier request with the same id.
    pub(super) async fn known(&self, asked: &Asked) -> Result<Option<lro::Operation>> {
        let Some(id) = &asked.request_id else { return Ok(None) };
        let known = self.engine.find_request(&asked.caller, id, &asked.hash).await;
        known.map_err(|error| from_saga(&error))?.map(|operation| self.operation(operation)).transpose()
    }

    /// Submits what was planned; with validate_only nothing.
    pub(super) async fn accept<O: Operation>(
        &self,
        asked: Asked,
        planned: Planned<O::Params>,
    ) -> Result<lro::Operation> {
        self.plans.require(&asked.plan_hash, &planned.shown)?;
        if asked.validate_only {
            return Ok(lro::Operation { name: String::new(), metadata: None, done: true, result: None });
        }
        let submission =
            Submission { caller: asked.caller, request_id: asked.request_id, request_hash: Some(asked.hash) };
        let submitted =
            self.engine.submit::<O>(&planned.intent, submission).await.map_err(|error| from_saga(&error))?;
        self.operation(submitted.operation)
    }

    /// The names to plan with: a request that only checks keeps none.
    pub(super) fn names_for(&self, validate_only: bool) -> Arc<NameAllocator> {
        if validate_only { Arc::new(self.names.preview()) } else { self.names.clone() }
    }

    /// One operation as the API shows it.
    pub(super) fn operation(&self, id: strata_saga::OperationId) -> Result<lro::Operation> {
        let status = self.engine.get(id).map_err(|error| from_saga(&error))?;
        Ok(convert::operation(&status, &*self.deps.catalog))
    }
}
