//! What the product's safety rests on: real files, restored underneath, copies that are noticed, locks.

use super::Client;
use crate::world::{MemTree, Space, compute::VmSpec, tree::FileTree};
use std::sync::Arc;

const VM: &str = "VirtualMachine";

#[tokio::test]
async fn bytes_restored_underneath_are_seen_after_a_reload() {
    let volume = Arc::new(MemTree::new(Space::unlimited()));
    let tree: Arc<dyn FileTree> = volume.clone();
    let c =
        Client::with(|b| b.vmfs_datastore("vmfs", &["naa.1"], tree).vm(VmSpec::named("app").datastore("vmfs").on()))
            .await;
    let app = c.vm("app");
    c.vc.guest_write("app", 0, 512, b"before").unwrap();
    let cut = volume.snapshot();
    c.vc.guest_write("app", 0, 512, b"after!").unwrap();
    let args = "<name>s</name><memory>false</memory><quiesce>false</quiesce>";
    assert_eq!(c.task("CreateSnapshot_Task", VM, &app, args).await, "success");
    c.task("PowerOffVM_Task", VM, &app, "").await;
    volume.restore(&cut).unwrap();
    c.ok("Reload", VM, &app, "").await;
    assert_eq!(c.vc.guest_read("app", 0, 512, 6).unwrap(), b"before");
    assert!(c.vc.with(|s| s.snapshots_of(&app).is_empty()), "the snapshot was not there at the cut");
    assert_eq!(c.task("PowerOnVM_Task", VM, &app, "").await, "success", "nothing was moved or copied");
}

/// Copies a VM's directory to another name on the same datastore, as a clone of files does, and registers it.
async fn copied(c: &Client, name: &str) -> String {
    c.vc.with(|s| {
        let from = s.parse_path("[ds1] db", None).unwrap();
        s.make_directory(&s.parse_path(&format!("[ds1] {name}"), None).unwrap(), true).unwrap();
        for f in s.list_dir(&from).unwrap() {
            let to = s.parse_path(&format!("[ds1] {name}/{}", f.path.name()), None).unwrap();
            s.copy_file(&f.path, &to).unwrap();
        }
    });
    let (folder, pool) = c.vc.with(|s| {
        (s.datacenters.values().next().unwrap().vm_folder.clone(), s.clusters.values().next().unwrap().pool.clone())
    });
    let args = format!(
        "<path>[ds1] {name}/db.vmx</path><name>{name}</name><asTemplate>false</asTemplate><pool type=\"ResourcePool\">{pool}</pool>"
    );
    assert_eq!(c.task("RegisterVM_Task", "Folder", &folder, &args).await, "success");
    c.vm(name)
}

#[tokio::test]
async fn a_copy_asks_and_does_not_run_beside_its_source() {
    let c = Client::new().await;
    let copy = copied(&c, "copy").await;
    let double = c.vc.with(|s| s.duplicates().into_iter().map(|d| d.0).collect::<Vec<_>>());
    assert_eq!(double, ["mac", "uuid"], "vCenter gave another instance uuid, nothing else");
    // The second disk is written as an absolute path and so still means the source's file.
    let files = c.vc.with(|s| s.vm(&copy).unwrap().disks().map(|d| s.show(&d.file)).collect::<Vec<_>>());
    assert_eq!(files, ["[ds1] copy/db.vmdk", "[ds2] db/db_1.vmdk"]);
    assert_eq!(c.task("PowerOnVM_Task", VM, &c.vm("db"), "").await, "success");
    assert_eq!(c.task("PowerOnVM_Task", VM, &copy, "").await, "FileLocked");
    assert_eq!(c.task("PowerOffVM_Task", VM, &c.vm("db"), "").await, "success");
    assert_eq!(c.task("PowerOnVM_Task", VM, &copy, "").await, "running", "it waits for an answer");
    let (question, old) = c.vc.with(|s| {
        let vm = s.vm(&copy).unwrap();
        (vm.question.clone().unwrap(), vm.config.uuid.clone())
    });
    assert!(c.get(VM, &copy, "runtime").await.contains("msg.uuid.altered"));
    let args = |choice: &str| format!("<questionId>{}</questionId><answerChoice>{choice}</answerChoice>", question.id);
    assert_eq!(c.fault("AnswerVM", VM, &copy, &args("9")).await, "InvalidArgument");
    c.ok("AnswerVM", VM, &copy, &args("2")).await;
    let (on, uuid) = c.vc.with(|s| (s.vm(&copy).unwrap().on, s.vm(&copy).unwrap().config.uuid.clone()));
    assert!(on && uuid != old);
    assert_eq!(c.fault("AnswerVM", VM, &copy, &args("2")).await, "InvalidArgument", "answered already");
}

#[tokio::test]
async fn a_copy_that_was_told_does_not_ask() {
    let c = Client::new().await;
    let copy = copied(&c, "copy").await;
    let args =
        "<spec><extraConfig><key>uuid.action</key><value i:type=\"xsd:string\">create</value></extraConfig></spec>";
    assert_eq!(c.task("ReconfigVM_Task", VM, &copy, args).await, "success");
    assert_eq!(c.task("PowerOnVM_Task", VM, &copy, "").await, "success");
}

#[tokio::test]
async fn a_running_vm_holds_its_files() {
    let c = Client::new().await;
    let dc = c.vc.with(|s| s.datacenters.keys().next().unwrap().clone());
    let place = |from: &str, to: &str| {
        format!(
            "<sourceName>[ds1] {from}</sourceName><sourceDatacenter type=\"Datacenter\">{dc}</sourceDatacenter><destinationName>[ds1] {to}</destinationName><force>false</force>"
        )
    };
    let cases = [
        ("web/web-flat.vmdk", "web/x", "FileLocked"),
        ("web/web.vmx", "web/x", "FileLocked"),
        ("web", "web2", "FileLocked"),
        ("web/none", "web/x", "FileNotFound"),
        ("db/db-flat.vmdk", "db/db.vmx", "FileAlreadyExists"),
        ("db/db-flat.vmdk", "none/x", "FileNotFound"),
        ("db/db-flat.vmdk", "db/aside.vmdk", "success"),
    ];
    for (from, to, outcome) in cases {
        let args = place(from, to);
        assert_eq!(c.task("MoveDatastoreFile_Task", "FileManager", "FileManager", &args).await, outcome, "{from} {to}");
    }
    let db = c.vm("db");
    assert_eq!(c.task("PowerOnVM_Task", VM, &db, "").await, "FileNotFound", "its data was moved aside");
}

/// What a backup product does: all that changed since the id that it remembers, on top of what it has.
fn back_up(c: &Client, have: &mut [u8], since: &mut String) {
    c.vc.with(|s| {
        let file = s.vms.values().find(|v| v.config.name == "app").unwrap().disks().next().unwrap().file.clone();
        for (at, length) in s.changed_areas(&file, since).unwrap() {
            let (at, length) = (usize::try_from(at).unwrap(), usize::try_from(length).unwrap());
            have[at..at + length].copy_from_slice(&s.read_disk(&file, at as u64, length).unwrap());
        }
        *since = s.change_id(&file).unwrap();
    });
}

#[tokio::test]
async fn a_backup_by_changed_blocks_is_right_and_lies_after_a_restore_underneath() {
    let volume = Arc::new(MemTree::new(Space::unlimited()));
    let tree: Arc<dyn FileTree> = volume.clone();
    let spec = VmSpec { cbt: true, ..VmSpec::named("app").datastore("vmfs").on() };
    let c = Client::with(|b| b.vmfs_datastore("vmfs", &["naa.1"], tree).vm(spec)).await;
    let app = c.vm("app");
    let cycle = async |name: &str| {
        // A backup takes a snapshot and removes it: the change number goes up.
        let args = format!("<name>{name}</name><memory>false</memory><quiesce>false</quiesce>");
        assert_eq!(c.task("CreateSnapshot_Task", VM, &app, &args).await, "success");
        assert_eq!(c.task("RemoveAllSnapshots_Task", VM, &app, "").await, "success");
    };
    let (mut have, mut since) = (vec![0u8; 1 << 20], "*".to_owned());
    c.vc.guest_write("app", 0, 70_000, b"one").unwrap();
    cycle("a").await;
    back_up(&c, &mut have, &mut since);
    let cut = volume.snapshot();
    c.vc.guest_write("app", 0, 300_000, b"two").unwrap();
    cycle("b").await;
    back_up(&c, &mut have, &mut since);
    assert_eq!(have, c.vc.guest_read("app", 0, 0, 1 << 20).unwrap(), "the increment was enough");
    c.task("PowerOffVM_Task", VM, &app, "").await;
    volume.restore(&cut).unwrap();
    c.ok("Reload", VM, &app, "").await;
    c.task("PowerOnVM_Task", VM, &app, "").await;
    cycle("c").await;
    back_up(&c, &mut have, &mut since);
    assert_ne!(have, c.vc.guest_read("app", 0, 0, 1 << 20).unwrap(), "this is what resetting the tracking is for");
}

#[tokio::test]
async fn a_linked_clone_keeps_its_parents_files() {
    let c = Client::with(|b| b.snapshot("db", "base").linked_clone("db", "lab-1")).await;
    let parent = c.vc.with(|s| s.vms.values().find(|v| v.config.name == "lab-1").unwrap().disks().count());
    assert_eq!(parent, 2);
    let db = c.vm("db");
    assert_eq!(c.task("PowerOnVM_Task", VM, &db, "").await, "success");
    c.vc.guest_write("db", 0, 0, b"later").unwrap();
    assert_eq!(c.task("PowerOnVM_Task", VM, &c.vm("lab-1"), "").await, "success", "parents are shared for reading");
    assert_eq!(c.task("RemoveAllSnapshots_Task", VM, &db, "").await, "success");
    assert_eq!(c.vc.guest_read("lab-1", 0, 0, 5).unwrap(), [0; 5], "the parent was not merged under the clone");
    assert_eq!(c.vc.guest_read("db", 0, 0, 5).unwrap(), b"later");
}

#[tokio::test]
async fn a_host_that_does_not_answer_refuses_its_vms_and_mounts() {
    let c = Client::new().await;
    c.vc.with(|s| s.set_host_connection("esx1", "notResponding"));
    let web = c.vm("web");
    assert!(c.get(VM, &web, "runtime.connectionState").await.contains(">disconnected<"));
    assert_eq!(c.fault("PowerOffVM_Task", VM, &web, "").await, "HostNotConnected");
    let (host, ds) =
        c.vc.with(|s| (s.hosts.keys().next().unwrap().clone(), s.datastores.keys().next().unwrap().clone()));
    let args = format!("<datastore type=\"Datastore\">{ds}</datastore>");
    let system = format!("datastoreSystem-{host}");
    assert_eq!(c.fault("RemoveDatastore", "HostDatastoreSystem", &system, &args).await, "HostNotConnected");
    c.vc.with(|s| s.set_host_connection("esx1", "connected"));
    assert_eq!(c.task("PowerOffVM_Task", VM, &web, "").await, "success");
}
