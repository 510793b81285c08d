//! Starts vcsimx: vcsim with the calls that the NFS flow needs, and VMs with real files.

use super::order;
use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
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

/// A running vcsimx with one NFS datastore `nfs1` of the folder `volumes/nfs1`; ends with the value.
pub struct Vcsimx {
    child: Child,
    /// What it printed: url, username, password, thumbprint_sha256, nfs_host.
    pub ready: serde_json::Value,
    root: tempfile::TempDir,
    checked: Mutex<Vec<order::Checked>>,
}

impl Vcsimx {
    /// Starts the binary that `STRATA_VCSIMX` names; without it says so and gives `None`.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// As [`Vcsimx::start`], with more arguments.
    pub fn start_with(arguments: &[&str]) -> Option<Self> {
        let Some(binary) = std::env::var_os("STRATA_VCSIMX") else {
            #[expect(clippy::print_stderr, reason = "a skipped test says so aloud")]
            {
                eprintln!("SKIPPED: STRATA_VCSIMX names no vcsimx binary");
            }
            return None;
        };
        let root = tempfile::tempdir().expect("a folder");
        for volume in ["nfs1", "other"] {
            std::fs::create_dir_all(root.path().join("volumes").join(volume)).expect("a folder");
        }
        let mut child = Command::new(binary)
            .arg("-until-eof")
            .arg(format!("-nfs-root={}", root.path().display()))
            .arg("-datastore=nfs1=/volumes/nfs1")
            .args(arguments)
            .current_dir(root.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("vcsimx starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("vcsimx says that it is ready");
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        Some(Self { child, ready, root, checked: Mutex::default() })
    }

    /// A file or folder of the volume behind `nfs1`.
    pub fn file(&self, path: &str) -> PathBuf {
        self.root.path().join("volumes/nfs1").join(path)
    }

    /// A text of what it printed.
    pub fn said(&self, key: &str) -> String {
        self.ready[key].as_str().unwrap_or_default().to_owned()
    }

    /// A client with these credentials and trust.
    pub fn client_as(&self, username: &str, password: &str, trust: ServerTrust) -> Arc<Client> {
        let options = ClientOptions {
            name: "vc-1".to_owned(),
            url: self.said("url"),
            username: username.to_owned(),
            password: password.to_owned().into(),
            task_wait: Duration::from_secs(10),
        };
        let http = ReqwestClient::new(&TlsOptions { trust, ..TlsOptions::default() }).expect("a client");
        let checked = order::Checked::new(Arc::new(http));
        self.checked.lock().expect("no panic").push(checked.clone());
        Client::new(options, Arc::new(checked), SystemClock::shared())
    }

    /// A client that is let in.
    pub fn client(&self) -> Arc<Client> {
        let trust = ServerTrust::Thumbprint(self.said("thumbprint_sha256"));
        self.client_as(&self.said("username"), &self.said("password"), trust)
    }

    /// The service.
    pub fn face(&self) -> InventoryFace {
        InventoryFace::new(Vcenters::new([self.client()]))
    }
}

impl Drop for Vcsimx {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ended = self.child.wait();
        if std::thread::panicking() {
            return;
        }
        for checked in self.checked.lock().expect("no panic").iter() {
            let faults = checked.faults.lock().expect("no panic");
            assert!(faults.is_empty(), "requests that vCenter would refuse:\n{}", faults.join("\n"));
        }
    }
}
