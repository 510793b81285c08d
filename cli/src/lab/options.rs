//! What a lab is made of.

use super::facts::VcenterFacts;
use clap::ValueEnum;
use secrecy::{ExposeSecret as _, SecretString};
use std::path::PathBuf;

/// The kinds of array that a lab can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ArrayKind {
    /// A directory of this machine: real bytes
    Filer,
    /// A simulated NFS array
    Reference,
    /// A simulated NetApp ONTAP
    Ontap,
}

impl ArrayKind {
    /// As configurations write it.
    pub fn as_str(self) -> &'static str {
        match self {
            ArrayKind::Filer => "filer",
            ArrayKind::Reference => "reference",
            ArrayKind::Ontap => "ontap",
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
