//! The lab and the demo as processes: what others who start them rely on.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that panics has failed, which is what it is for")]

use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

/// A lab that is ready; ended with the test.
struct Lab {
    child: Child,
    facts: Value,
    temporary: PathBuf,
}

impl Drop for Lab {
    fn drop(&mut self) {
        // Ended already where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(temporary: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strata"));
    // No cache to look for shared blocks in, so that everything lies where the test looks.
    command.env_clear().env("TMPDIR", temporary).stdin(Stdio::null());
    command
}

impl Lab {
    fn start(temporary: &Path, arguments: &[&str]) -> Self {
        let mut command = command(temporary);
        command.args(["lab", "--json"]).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        if line.is_empty() {
            let mut told = String::new();
            child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
            panic!("the lab did not get ready: {told}");
        }
        Self { child, facts: serde_json::from_str(&line).unwrap(), temporary: temporary.to_owned() }
    }

    fn text(&self, path: &str) -> &str {
        self.facts.pointer(path).and_then(Value::as_str).unwrap_or_else(|| panic!("{path} is not in {}", self.facts))
    }

    fn strata(&self, arguments: &[&str]) -> Output {
        command(&self.temporary).args(arguments).env("STRATA_GATEWAY", self.text("/gateway/grpc")).output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let ended = self.strata(&[arguments, &["--json"]].concat());
        assert!(ended.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
        serde_json::from_slice(&ended.stdout).unwrap()
    }

    fn end(mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

fn names(folder: &Path) -> Vec<String> {
    folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn it_says_where_everything_is_and_leaves_nothing_behind() {
    for signal in ["-TERM", "-INT"] {
        let temporary = tempfile::tempdir().unwrap();
        let lab = Lab::start(temporary.path(), &[]);
        for service in ["gateway", "inventory", "storage"] {
            assert!(lab.text(&format!("/{service}/grpc")).starts_with("http://127.0.0.1:"), "{}", lab.facts);
        }
        assert!(lab.text("/vcenters/0/url").starts_with("https://127.0.0.1:"), "{}", lab.facts);
        let ca = std::fs::read_to_string(lab.text("/vcenters/0/ca_file")).unwrap();
        assert!(ca.starts_with("-----BEGIN CERTIFICATE-----"), "{ca}");
        assert!(!lab.text("/arrays/0/kind").is_empty());
        assert_eq!(names(temporary.path()).len(), 1, "everything lies in one directory");
        assert_eq!(lab.end(signal), Some(0), "{signal}");
        assert_eq!(names(temporary.path()), Vec::<String>::new(), "{signal}: it cleaned up");
    }
}

#[test]
fn its_vms_show_what_strata_can_and_cannot_do() {
    let temporary = tempfile::tempdir().unwrap();
    let lab = Lab::start(temporary.path(), &["--array", "reference"]);
    assert_eq!(lab.text("/arrays/0/kind"), "reference");
    let list = lab.json(&["vm", "list"]);
    let vms = list["vms"].as_array().unwrap();
    assert!(vms.len() >= 12, "{} VMs", vms.len());
    let count = |test: &dyn Fn(&Value) -> bool| vms.iter().filter(|vm| test(vm)).count();
    assert!(count(&|vm| vm["datastores"] == serde_json::json!(["nfs-01"])) >= 2, "some share a datastore");
    assert!(count(&|vm| vm["volumes"].as_array().unwrap().len() == 2) >= 1, "one is spread over two");
    assert!(count(&|vm| vm["powerState"] == "off") >= 1, "one is off");
    assert!(count(&|vm| vm["template"] == true) >= 1, "one is a template");
    assert!(count(&|vm| vm["protection"] == "PROTECTION_STATE_UNSUPPORTED") >= 1, "one cannot be protected");
    let build = lab.json(&["vm", "show", "build-01"]);
    assert_eq!(build["detail"]["vmSnapshots"].as_array().unwrap().len(), 1, "one has an open VMware snapshot");
    let rdm = lab.json(&["vm", "show", "rdm-01"]);
    assert_eq!(rdm["detail"]["disks"].as_array().unwrap().len(), 2, "one has a raw device: {rdm}");

    let plan = lab.json(&["snapshot", "create", "web-01", "--dry-run"]);
    assert!(!plan["neighbours"].as_array().unwrap().is_empty(), "the plan names the neighbours: {plan}");
    let made = lab.json(&["snapshot", "create", "web-01", "--grade", "vm", "--keep", "7d"]);
    assert_eq!(made["response"]["grade"], "GRADE_VM");
    let point = made["response"]["displayName"].as_str().unwrap();
    let ended = lab.strata(&["revert", point, "--dry-run"]);
    let text = String::from_utf8(ended.stdout).unwrap();
    for fact in ["writes lost", "safety point", "NEIGHBOUR", "Point of no return:", "To undo it later:"] {
        assert!(text.contains(fact), "{fact} is not in the plan:\n{text}");
    }
    let refused = lab.strata(&["revert", point, "--yes"]);
    assert_eq!(refused.status.code(), Some(4), "a running VM is not stopped unasked");
    assert_eq!(lab.end("-TERM"), Some(0));
}

#[test]
fn its_luns_are_known_to_the_services() {
    let temporary = tempfile::tempdir().unwrap();
    let lab = Lab::start(temporary.path(), &["--array", "reference-lun"]);
    assert_eq!(lab.facts["arrays"][0]["datastores"], serde_json::json!(["san-01", "san-02", "san-03", "nfs-04"]));
    let preflight = lab.strata(&["preflight"]);
    assert_eq!(preflight.status.code(), Some(0), "{}", String::from_utf8_lossy(&preflight.stdout));
    // From the VM to the array, by NFS, by a LUN, by two LUNs: each link once, each with its evidence, from the VM down.
    for (vm, volume, luns) in
        [("mon-01", "ontap-1:nfs_05", 0), ("web-01", "array-1:san-01", 1), ("erp-01", "ontap-1:vmfs_02", 2)]
    {
        let shown = lab.json(&["vm", "show", vm]);
        let relations = shown["detail"]["relations"].as_array().unwrap();
        let of = |kind: &str| relations.iter().filter(|relation| relation["kind"] == kind).count();
        assert_eq!((of("is on LUN"), of("lies in volume")), (luns, luns), "{vm}: {shown}");
        assert_eq!(of("is volume"), usize::from(luns == 0), "{vm}: {shown}");
        assert!(of("mapped to") >= 2 * luns, "{vm}: each host sees each LUN: {shown}");
        assert!(relations.iter().all(|relation| relation["evidence"] != ""), "{vm}: {shown}");
        let text = String::from_utf8(lab.strata(&["vm", "show", vm]).stdout).unwrap();
        assert!(text.contains(volume), "{text}");
        let at = |link: &str| text.find(link).unwrap_or_else(|| panic!("{link} is not in:\n{text}"));
        assert!(at("has disk") < at("lies on") && at("lies on") < at("is on array"), "{text}");
        if luns > 0 {
            let order = ["mounted by", "is on LUN", "mapped to", "lies in volume", "is on array"].map(at);
            assert!(order.is_sorted(), "{text}");
            assert!(text.contains("esx-02.lab") && text.contains("naa."), "{text}");
        }
    }
    // What lies on two LUNs can be cloned and taken away again as what lies on one.
    let made = lab.json(&["snapshot", "create", "erp-01"]);
    let point = made["response"]["displayName"].as_str().unwrap();
    lab.json(&["clone", "create", point, "--name", "erp-01-t", "--isolated"]);
    assert_eq!(lab.json(&["vm", "show", "erp-01-t"])["displayName"], "erp-01-t");
    lab.json(&["clone", "delete", "erp-01-t", "--yes"]);
    lab.json(&["snapshot", "delete", point, "--yes"]);
    let vdi = lab.json(&["vm", "show", "vdi-01"]);
    assert!(vdi["protectionReason"].as_str().unwrap().contains("vSAN"), "{vdi}");
    assert_eq!(lab.end("-TERM"), Some(0));
}

#[test]
fn the_demo_holds_on_every_kind() {
    let temporary = tempfile::tempdir().unwrap();
    for arguments in [
        // What this machine can; as `cargo demo -- --json` hands it on.
        ["--", "--json", "--disk-mib=4"].as_slice(),
        &["--disk-mib=4", "--array=reference"],
        &["--json", "--disk-mib=4", "--array=reference-lun"],
        &["--json", "--disk-mib=4", "--array=ontap"],
        &["--json", "--disk-mib=4", "--array=ontap-lun"],
    ] {
        let ended = command(temporary.path()).arg("demo").args(arguments).output().unwrap();
        let (out, err) = (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap());
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {out}{err}");
        assert_eq!(names(temporary.path()), Vec::<String>::new(), "{arguments:?}: it cleaned up");
        if arguments.contains(&"--json") {
            let report: Value = serde_json::from_str(&out).unwrap();
            assert_eq!(report["held"], true);
            assert!(report["checks"].as_array().unwrap().len() >= 20, "{report}");
            assert!(!report["array"]["reason"].as_str().unwrap().is_empty(), "it says why this array");
            let steps: Vec<&str> =
                report["steps"].as_array().unwrap().iter().filter_map(|s| s["step"].as_str()).collect();
            let by_lun = report["array"]["kind"].as_str().unwrap().ends_with("-lun");
            assert_eq!(steps.contains(&"commit") && steps.contains(&"move home"), by_lun, "{steps:?}");
        } else {
            assert!(out.contains("FULL COPY OF THE SAME DISK") && out.contains("checks held."), "{out}");
        }
    }
}

#[test]
fn what_cannot_be_had_is_refused_and_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    for (arguments, code) in [
        (["lab", "--vcenter", "https://127.0.0.1:1"].as_slice(), 2),
        (&["lab", "--vcenter", "ftp://root:secret@127.0.0.1"], 2),
        (&["lab", "--vcenter", "https://127.0.0.1:1", "--vcenter-user", "root"], 2),
        (&["lab", "--filer-host", "10.0.0.5"], 2),
        (&["lab", "--filer", "/proc/nowhere"], 1),
        (&["demo", "--array", "abacus"], 2),
    ] {
        let ended = command(temporary.path()).args(arguments).output().unwrap();
        assert_eq!(ended.status.code(), Some(code), "{arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
        assert_eq!(names(temporary.path()), Vec::<String>::new(), "{arguments:?}");
        assert!(!String::from_utf8_lossy(&ended.stderr).contains("secret"), "{arguments:?}: a password was printed");
    }
}
