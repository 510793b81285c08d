//! VMware's own clients, which share nothing with this code. `cargo xtask test` brings them and names them in the
//! environment; without them these tests say so and pass, but never in CI.

use super::Client;
use crate::serve::{Security, serve};
use std::{ffi::OsString, io::Write as _};
use tokio::process::Command;

pub fn peer(variable: &str) -> Option<OsString> {
    let found = std::env::var_os(variable).filter(|path| std::path::Path::new(path).exists());
    if found.is_none() {
        let is_ci = std::env::var("CI").is_ok_and(|value| value == "true" || value == "1");
        assert!(!is_ci, "CI must not skip: {variable} names no program");
        let test = std::thread::current();
        let _ =
            writeln!(std::io::stderr(), "SKIPPED: {}: {variable} names no program", test.name().unwrap_or("a test"));
    }
    found
}

async fn output(command: &mut Command) -> (bool, String) {
    let out = command.output().await.unwrap();
    let text = [out.stdout, out.stderr].map(|b| String::from_utf8_lossy(&b).into_owned()).concat();
    (out.status.success(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn pyvmomi_goes_the_whole_way() {
    let Some(python) = peer("STRATA_PYVMOMI") else { return };
    let c = Client::new().await;
    let served = serve(c.router.clone(), Security::Tls).await.unwrap();
    let mut command = Command::new(python);
    command.args(["-c", include_str!("foreign.py"), &format!("{}/sdk", served.url()), "adm", "pw"]);
    let (good, text) = output(&mut command).await;
    assert!(good, "{text}");
    assert_eq!(text.trim(), "list snapshot mount files register teardown report");
}

#[tokio::test(flavor = "multi_thread")]
async fn govc_goes_the_whole_way() {
    let Some(govc) = peer("STRATA_GOVC") else { return };
    let c = Client::new().await;
    let served = serve(c.router.clone(), Security::Tls).await.unwrap();
    let pool = "/DC0/host/C0/Resources";
    let nfs =
        "datastore.create -type nfs -name clone -remote-host nas -remote-path /clone -mode readWrite /DC0/host/C0";
    let register = format!("vm.register -ds ds1 -pool {pool} -host esx1 -name db2 db/db.vmx");
    // What is run, whether it succeeds, and what it must print.
    let steps: &[(&str, bool, &str)] = &[
        ("about", true, "API version: 8.0.3.0"),
        ("ls /DC0/vm", true, "/DC0/vm/web"),
        ("find / -type h", true, "/DC0/host/C0/esx2"),
        ("vm.info -r web", true, "Power state: poweredOn"),
        ("datastore.info ds1", true, "Remote: nas:/ds1"),
        ("device.ls -vm db", true, "disk-1000-1"),
        ("snapshot.create -vm web -q=true -m=false s1", true, ""),
        ("snapshot.tree -vm web", true, "s1"),
        ("snapshot.remove -vm web s1", true, ""),
        ("vm.power -on db", true, "OK"),
        ("vm.power -on db", false, "current state (poweredOn)"),
        ("vm.unregister db", false, "current state"),
        ("vm.power -off db", true, "OK"),
        ("vm.change -vm db -e strata.x=1", true, ""),
        ("vm.info -e db", true, "strata.x:"),
        ("vm.unregister db", true, ""),
        (&register, true, ""),
        ("vm.info -e db2", true, "strata.x:"),
        (nfs, true, ""),
        (nfs, false, "already exists"),
        ("datastore.mkdir -ds clone dir", true, ""),
        ("datastore.ls -ds clone", true, "dir"),
        ("datastore.rm -ds clone dir", true, ""),
        ("datastore.remove -ds clone /DC0/host/C0", true, ""),
        ("datastore.remove -ds ds1 /DC0/host/C0", false, "in use"),
        ("tasks", true, "success"),
    ];
    for (line, good, shows) in steps {
        let mut command = Command::new(&govc);
        command.args(line.split(' ')).env("GOVC_URL", format!("{}/sdk", served.url())).env("GOVC_INSECURE", "true");
        command.env("GOVC_USERNAME", "adm").env("GOVC_PASSWORD", "pw").env("GOVC_PERSIST_SESSION", "false");
        let (went_well, text) = output(&mut command).await;
        // Columns are padded by what else is shown.
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(went_well, *good, "govc {line}: {text}");
        assert!(text.contains(shows), "govc {line}: {text}");
    }
}
