//! inventory-svc's client and face over vcsimx, every request held against pyvmomi's order.

use super::order;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};
use strata_inventory_svc::{
    grpc::InventoryFace,
    vcenter::{Client, ClientOptions},
    vcenters::Vcenters,
};
use strata_kit::{
    clock::SystemClock,
    http::{ReqwestClient, ServerTrust, TlsOptions},
};
use strata_tests::vcsimx::{Govc, Ready, Vcsimx as Running, write_machines};

/// A running vcsimx with one NFS datastore `nfs1` of the folder `volumes/nfs1`; ends with the value.
pub struct Vcsimx {
    running: Running,
    root: tempfile::TempDir,
    checked: Mutex<Vec<order::Checked>>,
}

impl Vcsimx {
    /// Starts it; where it cannot be had says so and gives `None`.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// As [`Vcsimx::start`], with more arguments.
    pub fn start_with(arguments: &[&str]) -> Option<Self> {
        let root = tempfile::tempdir().expect("a folder");
        write_machines(&root.path().join("volumes/nfs1"), "nfs1", 3).expect("machines");
        std::fs::create_dir_all(root.path().join("volumes/other")).expect("a folder");
        let running =
            Running::start_with_datastore(root.path(), "nfs1", "/volumes/nfs1", arguments).expect("vcsimx starts")?;
        Some(Self { running, root, checked: Mutex::default() })
    }

    /// What it said of itself.
    pub fn ready(&self) -> &Ready {
        &self.running.ready
    }

    /// VMware's client of it; where it cannot be had says so and gives `None`.
    pub fn govc(&self) -> Option<Govc> {
        self.running.govc()
    }

    /// A file or folder of the volume behind `nfs1`.
    pub fn file(&self, path: &str) -> PathBuf {
        self.root.path().join("volumes/nfs1").join(path)
    }

    /// A client with these credentials and trust.
    pub fn client_as(&self, username: &str, password: &str, trust: ServerTrust) -> Arc<Client> {
        let options = ClientOptions {
            name: "vc-1".to_owned(),
            url: self.ready().url.clone(),
            username: username.to_owned(),
            password: password.to_owned().into(),
            task_wait: Duration::from_secs(10),
            footing: Default::default(),
        };
        let http = ReqwestClient::new(&TlsOptions { trust, ..TlsOptions::default() }).expect("a client");
        let checked = order::Checked::new(Arc::new(http));
        self.checked.lock().expect("no panic").push(checked.clone());
        Client::new(options, Arc::new(checked), SystemClock::shared())
    }

    /// A client that is let in.
    pub fn client(&self) -> Arc<Client> {
        let trust = ServerTrust::Thumbprint(self.ready().thumbprint_sha256.clone());
        self.client_as(&self.ready().username, &self.ready().password, trust)
    }

    /// The service.
    pub fn face(&self) -> InventoryFace {
        InventoryFace::new(Vcenters::new([self.client()]))
    }
}

impl Drop for Vcsimx {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        for checked in self.checked.lock().expect("no panic").iter() {
            let faults = checked.faults.lock().expect("no panic");
            assert!(faults.is_empty(), "requests that vCenter would refuse:\n{}", faults.join("\n"));
        }
    }
}
