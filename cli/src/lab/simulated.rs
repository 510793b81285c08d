//! The simulated arrays of the lab: the reference array and ONTAP, with volumes for NFS datastores, and LUNs for VMFS
//! datastores and raw devices.

use super::{
    arrays::{On, Place},
    facts::ArrayFacts,
    fault,
};
use crate::failure::Failure;
use fs_err as fs;
use serde_json::{Value, json};
use std::{collections::BTreeSet, path::Path, sync::Arc};
use strata_sim::{
    serve::{Security, Served, serve},
    skins::{self, ontap::Ontap},
    world::{
        World,
        storage::{ArraySpec, EVERYONE, NewLun, NewVolume, StorageError, Volume},
    },
};

/// The account of every simulated array.
const USERNAME: &str = "admin";
/// Its password; it protects nothing.
const PASSWORD: &str = "simulated";

const VOLUME_BYTES: u64 = 16 << 40;
/// The size of a LUN below a VMFS datastore. Thin: it takes memory as it is written.
const LUN_BYTES: u64 = 4 << 40;

/// What is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// The reference array.
    Reference,
    /// NetApp ONTAP.
    Ontap,
}

impl Product {
    /// The kind that configurations of storage-svc write.
    pub fn kind(self) -> &'static str {
        match self {
            Product::Reference => "reference",
            Product::Ontap => "ontap",
        }
    }

    /// Its name in the lab.
    pub fn array(self) -> &'static str {
        match self {
            Product::Reference => "array-1",
            Product::Ontap => "ontap-1",
        }
    }

    /// Address under which the lab's hosts mount its volumes (RFC 5737: nobody's).
    fn host(self) -> &'static str {
        match self {
            Product::Reference => "192.0.2.20",
            Product::Ontap => "192.0.2.30",
        }
    }
}

fn wrong(error: StorageError) -> Failure {
    fault("the simulated array", error)
}

/// A simulated array in a world.
#[derive(Debug, Clone)]
pub struct Simulated {
    /// What it is.
    pub product: Product,
    world: Arc<World>,
}

impl Simulated {
    /// Puts the array into the world, without volumes.
    ///
    /// # Errors
    /// The world has it already.
    pub fn new(world: &Arc<World>, product: Product) -> Result<Self, Failure> {
        let spec = match product {
            Product::Reference => ArraySpec::new(product.array(), product.host()),
            Product::Ontap => skins::ontap::spec(product.array(), product.host()),
        };
        let (user, password) = (USERNAME.to_owned(), PASSWORD.to_owned());
        world.add_array(ArraySpec { user, password, ..spec }).map_err(wrong)?;
        Ok(Self { product, world: world.clone() })
    }

    /// Makes the volume of a datastore. ONTAP's names of volumes hold no `-`.
    fn volume(&self, datastore: &str, exported: bool) -> Result<Volume, Failure> {
        let name = match self.product {
            Product::Reference => datastore.to_owned(),
            Product::Ontap => datastore.replace('-', "_"),
        };
        let export_path = if exported { format!("/{name}") } else { String::new() };
        let new = NewVolume { name, comment: String::new(), export_path, size_bytes: VOLUME_BYTES };
        self.world.array(self.product.array()).and_then(|array| array.create_volume(new)).map_err(wrong)
    }

    /// A volume that all hosts may mount as this NFS datastore.
    ///
    /// # Errors
    /// The name is taken.
    pub fn nfs(&self, datastore: &str) -> Result<Place, Failure> {
        let volume = self.volume(datastore, true)?;
        let array = self.world.array(self.product.array()).map_err(wrong)?;
        array.set_export(volume.id, BTreeSet::from([EVERYONE.to_owned()])).map_err(wrong)?;
        let on = On::Nfs { host: self.product.host().to_owned(), path: format!("/{}", volume.name) };
        Ok(Place { datastore: datastore.to_owned(), on })
    }

    /// A volume with this many LUNs for a VMFS datastore; the vCenter maps them to its hosts.
    ///
    /// # Errors
    /// The name is taken.
    pub fn vmfs(&self, datastore: &str, extents: usize) -> Result<Place, Failure> {
        let volume = self.volume(datastore, false)?;
        let array = self.world.array(self.product.array()).map_err(wrong)?;
        let mut luns = Vec::new();
        for number in 0..extents {
            let new = NewLun { name: format!("lun{number}"), comment: String::new(), size_bytes: LUN_BYTES };
            luns.push((self.product.array(), array.create_lun(volume.id, new).map_err(wrong)?.id));
        }
        Ok(Place { datastore: datastore.to_owned(), on: On::Luns(luns) })
    }

    /// A volume with one LUN of this size for a raw device.
    ///
    /// # Errors
    /// The name is taken.
    pub fn raw(&self, name: &str, size_bytes: u64) -> Result<RawLun, Failure> {
        let volume = self.volume(name, false)?;
        let new = NewLun { name: "lun0".to_owned(), comment: String::new(), size_bytes };
        let array = self.world.array(self.product.array()).map_err(wrong)?;
        let lun = array.create_lun(volume.id, new).map_err(wrong)?;
        Ok(RawLun { array: self.product.array(), lun: lun.id, device: lun.canonical_name })
    }

    /// Shows the array to the outside: what a client needs, its table in storage-svc's configuration, and its face.
    ///
    /// # Errors
    /// The face does not start.
    pub async fn face(&self, directory: &Path) -> Result<(ArrayFacts, Value, Served), Failure> {
        let (name, kind) = (self.product.array(), self.product.kind());
        let failed = |error| fault("the simulated array's face", error);
        let router = match self.product {
            Product::Reference => skins::reference::router(self.world.clone(), name),
            Product::Ontap => Ontap::new(&self.world, name, Default::default()).map_err(wrong)?.router(),
        };
        let face = serve(router, Security::Tls).await.map_err(failed)?;
        let ca_file = directory.join(format!("{name}.pem"));
        fs::write(&ca_file, face.ca_pem.as_deref().unwrap_or_default()).map_err(failed)?;
        let mut login = json!({"url": face.url(), "user": USERNAME, "password": PASSWORD, "ca_file": ca_file});
        if self.product == Product::Ontap {
            login["scope"] = json!("cluster");
        }
        let table = json!({"name": name, "kind": kind, kind: login});
        let facts = ArrayFacts {
            name: name.to_owned(),
            kind: kind.to_owned(),
            url: face.url(),
            username: Some(USERNAME.to_owned()),
            password: Some(PASSWORD.to_owned()),
            token: None,
            ca_file: Some(ca_file),
            datastores: Vec::new(),
        };
        Ok((facts, table, face))
    }
}

/// A LUN that a VM uses as it is.
#[derive(Debug, Clone)]
pub struct RawLun {
    /// Its array.
    pub array: &'static str,
    /// Its id there.
    pub lun: uuid::Uuid,
    /// The name that hosts give it.
    pub device: String,
}
