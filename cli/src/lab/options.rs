//! What a lab is made of.

use super::{facts::VcenterFacts, simulated::Product};
use clap::ValueEnum;
use secrecy::{ExposeSecret as _, SecretString};
use std::path::PathBuf;

/// What the first datastores of a lab can lie on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ArrayKind {
    /// A directory of this machine as an NFS server: real bytes
    Filer,
    /// The simulated reference array, by NFS
    Reference,
    /// The simulated reference array, by LUNs
    ReferenceLun,
    /// A simulated NetApp ONTAP, by NFS
    Ontap,
    /// A simulated NetApp ONTAP, by LUNs
    OntapLun,
}

impl ArrayKind {
    /// As it is typed.
    pub fn as_str(self) -> &'static str {
        match self {
            ArrayKind::Filer => "filer",
            ArrayKind::Reference => "reference",
            ArrayKind::ReferenceLun => "reference-lun",
            ArrayKind::Ontap => "ontap",
            ArrayKind::OntapLun => "ontap-lun",
        }
    }

    /// True where the datastores are VMFS on LUNs.
    pub fn is_block(self) -> bool {
        matches!(self, ArrayKind::ReferenceLun | ArrayKind::OntapLun)
    }

    /// The simulated array; none for the filer.
    pub(super) fn product(self) -> Option<Product> {
        match self {
            ArrayKind::Filer => None,
            ArrayKind::Reference | ArrayKind::ReferenceLun => Some(Product::Reference),
            ArrayKind::Ontap | ArrayKind::OntapLun => Some(Product::Ontap),
        }
    }
}

/// A filer on a directory that the user gives.
#[derive(Debug, Clone)]
pub struct FilerOptions {
    /// The directory; its subdirectories are the volumes.
    pub directory: PathBuf,
    /// Addresses under which the vCenter's hosts mount it; those of the lab where empty.
    pub hosts: Vec<String>,
    /// The path that hosts see for the directory.
    pub path_prefix: Option<String>,
}

/// A vCenter outside of the lab.
#[derive(Debug, Clone)]
pub struct ExternalVcenter {
    /// `https://vc.example.com`.
    pub url: String,
    /// Account.
    pub username: String,
    /// Its password.
    pub password: SecretString,
    /// PEM file with the authority that signed its certificate.
    pub ca_file: Option<PathBuf>,
    /// SHA-256 of its certificate.
    pub thumbprint: Option<String>,
}

impl ExternalVcenter {
    pub(super) fn facts(&self) -> VcenterFacts {
        VcenterFacts {
            name: "vc-1".to_owned(),
            url: self.url.clone(),
            username: self.username.clone(),
            password: self.password.expose_secret().to_owned(),
            ca_file: self.ca_file.clone(),
        }
    }
}

/// What a lab is made of.
#[derive(Debug, Clone)]
pub struct LabOptions {
    /// Instead of the built-in one.
    pub vcenter: Option<ExternalVcenter>,
    /// A directory of the user's.
    pub filer: Option<FilerOptions>,
    /// The array of the first datastores; what this machine can where not given.
    pub array: Option<ArrayKind>,
    /// Size of the disk of web-01, in bytes.
    pub web_disk_bytes: u64,
}

impl Default for LabOptions {
    fn default() -> Self {
        Self { vcenter: None, filer: None, array: None, web_disk_bytes: 40 << 30 }
    }
}
