//! Which arrays the lab holds, and which datastores lie on which.

use super::{
    ArrayChoice,
    facts::ArrayFacts,
    fault, filer, ontap,
    options::{ArrayKind, LabOptions},
    reference,
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
    serve::{Security, Served, serve},
    skins,
    world::{DirTree, World},
};

/// The first array's datastores.
pub const FIRST: [&str; 3] = ["nfs-01", "nfs-02", "nfs-03"];
/// The second array's datastore, or one more of the first's.
pub const SECOND: [&str; 1] = ["nfs-04"];

/// An array of the lab.
#[derive(Debug)]
pub struct LabArray {
    /// Its name in Strata.
    pub name: &'static str,
    /// Its kind.
    pub kind: ArrayKind,
    /// Its datastores: name, address, path.
    pub datastores: Vec<(String, String, String)>,
    /// A filer's directory.
    root: PathBuf,
    hosts: Vec<String>,
    path_prefix: Option<String>,
}

/// All arrays.
#[derive(Debug)]
pub struct Arrays {
    /// The first one holds [`FIRST`].
    pub all: Vec<LabArray>,
    /// Which one is first, and why.
    pub choice: ArrayChoice,
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
        let shares = filer::shares_blocks(&root);
        let (first, reason) = match (options.array, shares) {
            (Some(kind @ (ArrayKind::Reference | ArrayKind::Ontap)), _) => (kind, "it was asked for".to_owned()),
            (_, Ok(())) => (ArrayKind::Filer, format!("the file system of {} shares blocks", root.display())),
            (None, Err(why)) if options.filer.is_none() => (ArrayKind::Reference, why),
            (_, Err(why)) => {
                let message = format!("the lab: no filer on {}: {why}", root.display());
                return Err(Failure::new(ErrorKind::Unsupported, "NO_SHARED_BLOCKS", message)
                    .hint("give a directory on btrfs, or on XFS made with reflink=1, by --filer; or leave it out"));
            }
        };
        let external = options.vcenter.is_some();
        let all = match first {
            ArrayKind::Filer => {
                let mut all = vec![LabArray::filer(options, world, root, &FIRST)?];
                if !external {
                    all.push(LabArray::reference(world, &SECOND)?);
                }
                all
            }
            ArrayKind::Reference => vec![LabArray::reference(world, &[FIRST.as_slice(), &SECOND].concat())?],
            ArrayKind::Ontap => vec![LabArray::ontap(world, &FIRST)?, LabArray::reference(world, &SECOND)?],
        };
        let choice = ArrayChoice { name: all[0].name.to_owned(), kind: first, reason };
        Ok(Self { all, choice })
    }
}

impl Arrays {
    /// Where web-01 lies: a filer's directory (else empty), the datastore's name, address and path.
    pub fn web_datastore(&self) -> Option<(PathBuf, String, String, String)> {
        let first = self.all.first()?;
        let (name, host, path) = first.datastores.first()?.clone();
        Some((first.root.clone(), name, host, path))
    }
}

impl LabArray {
    fn filer(options: &LabOptions, world: &World, root: PathBuf, volumes: &[&str]) -> Result<Self, Failure> {
        let given = options.filer.as_ref();
        let hosts = given.map(|filer| filer.hosts.clone()).filter(|hosts| !hosts.is_empty());
        let hosts = hosts.unwrap_or_else(|| vec![filer::HOST.to_owned()]);
        let prefix = given.and_then(|filer| filer.path_prefix.clone());
        let mut datastores = Vec::new();
        let prefix = if options.vcenter.is_some() { prefix } else { Some(prefix.unwrap_or(filer::PATH_PREFIX.into())) };
        for volume in volumes.iter().filter(|_| options.vcenter.is_none()) {
            let folder = root.join(volume);
            fs::create_dir_all(&folder).map_err(|error| fault("the filer", error))?;
            let tree = DirTree::open(&folder).map_err(|error| fault("the filer", error))?;
            let path = format!("{}/{volume}", prefix.as_deref().unwrap_or_default());
            world.register_nfs(&hosts[0], &path, Arc::new(tree));
            datastores.push(((*volume).to_owned(), hosts[0].clone(), path));
        }
        Ok(Self { name: "filer-1", kind: ArrayKind::Filer, datastores, root, hosts, path_prefix: prefix })
    }

    fn reference(world: &Arc<World>, volumes: &[&str]) -> Result<Self, Failure> {
        reference::prepare(world, "array-1", volumes)?;
        let datastore = |volume: &&str| ((*volume).to_owned(), reference::HOST.to_owned(), format!("/{volume}"));
        Ok(Self {
            name: "array-1",
            kind: ArrayKind::Reference,
            datastores: volumes.iter().map(datastore).collect(),
            root: PathBuf::new(),
            hosts: Vec::new(),
            path_prefix: None,
        })
    }

    fn ontap(world: &Arc<World>, volumes: &[&str]) -> Result<Self, Failure> {
        let datastores = ontap::prepare(world, "filer-1", volumes)?;
        let (root, hosts) = (PathBuf::new(), Vec::new());
        Ok(Self { name: "filer-1", kind: ArrayKind::Ontap, datastores, root, hosts, path_prefix: None })
    }

    /// Shows the array to the outside: what a client needs, its table in storage-svc's configuration, and its face.
    ///
    /// # Errors
    /// The face does not start.
    pub async fn face(
        &self,
        world: &Arc<World>,
        directory: &Path,
    ) -> Result<(ArrayFacts, Value, Option<Served>), Failure> {
        let mut facts = ArrayFacts {
            name: self.name.to_owned(),
            kind: self.kind.as_str().to_owned(),
            url: format!("file://{}", self.root.display()),
            username: None,
            password: None,
            token: None,
            ca_file: None,
        };
        if self.kind == ArrayKind::Filer {
            let table = json!({"name": self.name, "kind": "filer", "filer": {
                "root": self.root, "hosts": self.hosts, "path_prefix": self.path_prefix,
            }});
            return Ok((facts, table, None));
        }
        let wrong = |error| fault("the simulated array's face", error);
        let router = match self.kind {
            ArrayKind::Ontap => ontap::face(world, self.name)?.router(),
            _ => skins::reference::router(world.clone(), self.name),
        };
        let face = serve(router, Security::Tls).await.map_err(wrong)?;
        let ca_file = directory.join(format!("{}.pem", self.name));
        fs::write(&ca_file, face.ca_pem.as_deref().unwrap_or_default()).map_err(wrong)?;
        facts.url = face.url();
        facts.username = Some(reference::USERNAME.to_owned());
        facts.password = Some(reference::PASSWORD.to_owned());
        facts.ca_file = Some(ca_file.clone());
        let mut login = json!({
            "url": face.url(), "user": reference::USERNAME, "password": reference::PASSWORD, "ca_file": ca_file,
        });
        if self.kind == ArrayKind::Ontap {
            login["scope"] = json!("cluster");
        }
        let kind = self.kind.as_str();
        let table = json!({"name": self.name, "kind": kind, kind: login});
        Ok((facts, table, Some(face)))
    }
}
