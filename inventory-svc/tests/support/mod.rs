//! Starts vcsim, the simulator of govmomi, for tests that want a server that somebody else wrote.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use strata_inventory_svc::vcenter::{Client, ClientOptions};
use strata_kit::{
    clock::SystemClock,
    http::{ReqwestClient, TlsOptions},
};

/// A running vcsim; ends with the value.
pub struct Vcsim {
    child: Child,
    /// Address without `/sdk`.
    pub url: String,
}

impl Vcsim {
    /// Starts the binary that `STRATA_VCSIM` names; without it says so and gives `None`.
    pub fn start(arguments: &[&str]) -> Option<Self> {
        let Some(binary) = std::env::var_os("STRATA_VCSIM") else {
            eprintln!("SKIPPED: STRATA_VCSIM names no vcsim binary");
            return None;
        };
        let mut child = Command::new(binary)
            .args(["-l", "127.0.0.1:0", "-tls=false"])
            .args(arguments)
            .current_dir(std::env::temp_dir())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("vcsim starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("vcsim prints its address");
        let url = line.split("GOVC_URL=").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("an address");
        let address = url.rsplit('@').next().unwrap_or(url).trim_end_matches("/sdk");
        let url = format!("http://{}", address.trim_start_matches("http://"));
        Some(Self { child, url })
    }

    /// A client of it.
    pub fn client(&self) -> Arc<Client> {
        let options = ClientOptions {
            name: "vc-1".to_owned(),
            url: format!("{}/sdk", self.url),
            username: "user".to_owned(),
            password: "pass".to_owned().into(),
            task_wait: Duration::from_secs(10),
        };
        let http = Arc::new(ReqwestClient::new(&TlsOptions::default()).expect("a client"));
        Client::new(options, http, SystemClock::shared())
    }
}

impl Drop for Vcsim {
    fn drop(&mut self) {
        // SIGTERM lets it remove its temporary folder; a kill would leave it.
        let _asked = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ended = self.child.wait();
    }
}
