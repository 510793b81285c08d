//! Which arrays the lab holds, and which datastores lie on which.

use super::{
    ArrayChoice,
    facts::ArrayFacts,
    fault, filer,
    options::{ArrayKind, LabOptions},
    simulated::{Product, RawLun, Simulated},
};
use crate::failure::Failure;
use fs_err as fs;
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use strata_model::ErrorKind;
use strata_sim::{
    serve::Served,
    world::{DirTree, World},
};
use uuid::Uuid;

/// The datastores that `--array` places, where it names an array with NFS.
const FIRST_NFS: [&str; 3] = ["nfs-01", "nfs-02", "nfs-03"];
/// The same where it names one with LUNs.
const FIRST_LUN: [&str; 3] = ["san-01", "san-02", "san-03"];

/// The size of rdm-01's raw device, in bytes.
pub const RAW_BYTES: u64 = 100 << 30;

/// What a datastore lies on.
#[derive(Debug, Clone)]
pub enum On {
    /// An export.
    Nfs {
        /// The address that hosts mount.
        host: String,
        /// The path there.
        path: String,
    },
    /// LUNs, the head extent first: array and id.
    Luns(Vec<(&'static str, Uuid)>),
}

/// A datastore and what it lies on.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its name.
    pub datastore: String,
    /// What it lies on.
    pub on: On,
}

/// A directory of this machine as an array.
#[derive(Debug)]
struct FilerArray {
    root: PathBuf,
    hosts: Vec<String>,
    path_prefix: Option<String>,
}

#[derive(Debug)]
enum Body {
    Filer(FilerArray),
    Simulated(Simulated),
}

/// An array of the lab.
#[derive(Debug)]
pub struct LabArray {
    /// Its name in Strata.
    pub name: &'static str,
    /// Its datastores.
    pub places: Vec<Place>,
    body: Body,
}

/// All arrays.
#[derive(Debug)]
pub struct Arrays {
    /// The first one holds the first datastores.
    pub all: Vec<LabArray>,
    /// Which one is first, and why.
    pub choice: ArrayChoice,
    /// The first datastores: web-01 lies on the first of them.
    pub first: [&'static str; 3],
    /// rdm-01's raw device; none with a vCenter of elsewhere.
    pub raw: Option<RawLun>,
}

impl Arrays {
    /// Chooses the arrays and makes their volumes.
    ///
    /// # Errors
    /// The filer was asked for and its directory cannot be used.
    pub fn prepare(options: &LabOptions, world: &Arc<World>, directory: &Path) -> Result<Self, Failure> {
        // With a vCenter outside, the user's directory holds the VMs; else the lab makes its own.
        let given = options.filer.as_ref().filter(|_| options.vcenter.is_some());
        let root = given.map_or_else(|| directory.join("filer"), |filer| filer.directory.clone());
        fs::create_dir_all(&root).map_err(|error| fault("the filer", error))?;
        let root = fs::canonicalize(&root).map_err(|error| fault("the filer", error))?;
        let (kind, reason) = choose(options, &root)?;
        let first = if kind.is_block() { FIRST_LUN } else { FIRST_NFS };
        let mut all = Vec::new();
        let mut raw = None;
        if kind == ArrayKind::Filer {
            all.push(LabArray::filer(options, world, root, &first)?);
        }
        for product in [Product::Reference, Product::Ontap] {
            let chosen = kind.product() == Some(product);
            if !chosen && options.vcenter.is_some() {
                continue;
            }
            let (array, raw_lun) = LabArray::simulated(world, product, if chosen { &first } else { &[] }, kind)?;
            raw = raw.or(raw_lun);
            all.insert(if chosen { 0 } else { all.len() }, array);
        }
        let choice = ArrayChoice { name: all[0].name.to_owned(), kind, reason };
        Ok(Self { all, choice, first, raw })
    }

    /// The directory of web-01's datastore, where it lies on a filer.
    pub fn web_directory(&self) -> Option<PathBuf> {
        match &self.all.first()?.body {
            Body::Filer(filer) => Some(filer.root.join(self.first[0])),
            Body::Simulated(_) => None,
        }
    }
}

/// Which array the first datastores lie on, and why.
fn choose(options: &LabOptions, root: &Path) -> Result<(ArrayKind, String), Failure> {
    if let Some(kind) = options.array.filter(|kind| *kind != ArrayKind::Filer) {
        return Ok((kind, "it was asked for".to_owned()));
    }
    match filer::shares_blocks(root) {
        Ok(()) => Ok((ArrayKind::Filer, format!("the file system of {} shares blocks", root.display()))),
        Err(why) if options.array.is_none() && options.filer.is_none() => Ok((ArrayKind::Reference, why)),
        Err(why) => {
            let message = format!("the lab: no filer on {}: {why}", root.display());
            Err(Failure::new(ErrorKind::Unsupported, "NO_SHARED_BLOCKS", message)
                .hint("give a directory on btrfs, or on XFS made with reflink=1, by --filer; or leave it out"))
        }
    }
}

impl LabArray {
    fn filer(options: &LabOptions, world: &World, root: PathBuf, volumes: &[&str]) -> Result<Self, Failure> {
        let given = options.filer.as_ref();
        let hosts = given.map(|filer| filer.hosts.clone()).filter(|hosts| !hosts.is_empty());
        let hosts = hosts.unwrap_or_else(|| vec![filer::HOST.to_owned()]);
        let prefix = given.and_then(|filer| filer.path_prefix.clone());
        let mut places = Vec::new();
        let path_prefix =
            if options.vcenter.is_some() { prefix } else { Some(prefix.unwrap_or(filer::PATH_PREFIX.into())) };
        for volume in volumes.iter().filter(|_| options.vcenter.is_none()) {
            let folder = root.join(volume);
            fs::create_dir_all(&folder).map_err(|error| fault("the filer", error))?;
            let tree = DirTree::open(&folder).map_err(|error| fault("the filer", error))?;
            let path = format!("{}/{volume}", path_prefix.as_deref().unwrap_or_default());
            world.register_nfs(&hosts[0], &path, Arc::new(tree));
            places.push(Place { datastore: (*volume).to_owned(), on: On::Nfs { host: hosts[0].clone(), path } });
        }
        Ok(Self { name: "filer-1", places, body: Body::Filer(FilerArray { root, hosts, path_prefix }) })
    }

    /// An array with the first datastores, where it is the one for them, and with those that it always has.
    fn simulated(
        world: &Arc<World>,
        product: Product,
        first: &[&str],
        kind: ArrayKind,
    ) -> Result<(Self, Option<RawLun>), Failure> {
        let array = Simulated::new(world, product)?;
        let mut places = Vec::new();
        for datastore in first {
            places.push(if kind.is_block() { array.vmfs(datastore, 1)? } else { array.nfs(datastore)? });
        }
        let raw = match product {
            Product::Reference => {
                places.push(array.nfs("nfs-04")?);
                None
            }
            Product::Ontap => {
                places.push(array.nfs("nfs-05")?);
                places.push(array.vmfs("vmfs-01", 1)?);
                places.push(array.vmfs("vmfs-02", 2)?);
                Some(array.raw("rdm-01-data", RAW_BYTES)?)
            }
        };
        Ok((Self { name: product.array(), places, body: Body::Simulated(array) }, raw))
    }

    /// Shows the array to the outside: what a client needs, its table in storage-svc's configuration, and its face.
    ///
    /// # Errors
    /// The face does not start.
    pub async fn face(&self, directory: &Path) -> Result<(ArrayFacts, Value, Option<Served>), Failure> {
        let datastores = self.places.iter().map(|place| place.datastore.clone()).collect();
        match &self.body {
            Body::Simulated(array) => {
                let (facts, table, face) = array.face(directory).await?;
                Ok((ArrayFacts { datastores, ..facts }, table, Some(face)))
            }
            Body::Filer(filer) => {
                let facts = ArrayFacts {
                    name: self.name.to_owned(),
                    kind: "filer".to_owned(),
                    url: format!("file://{}", filer.root.display()),
                    username: None,
                    password: None,
                    token: None,
                    ca_file: None,
                    datastores,
                };
                let table = json!({"name": self.name, "kind": "filer", "filer": {
                    "root": filer.root, "hosts": filer.hosts, "path_prefix": filer.path_prefix,
                }});
                Ok((facts, table, None))
            }
        }
    }
}
