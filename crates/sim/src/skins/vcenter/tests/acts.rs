//! Snapshots, registration, reconfiguration, mounts, files.

use super::Client;
use crate::world::compute::value::MoRef;

const VM: &str = "VirtualMachine";

fn snapshot(quiesce: bool) -> String {
    format!("<name>s</name><memory>false</memory><quiesce>{quiesce}</quiesce>")
}

#[tokio::test]
async fn snapshots_freeze_the_bytes_and_merge_back() {
    let c = Client::new().await;
    let web = c.vm("web");
    let read = || c.vc.guest_read("web", 0, 4000, 200).unwrap();
    c.vc.guest_write("web", 0, 4000, &[1; 200]).unwrap();
    assert_eq!(c.task("CreateSnapshot_Task", VM, &web, &snapshot(true)).await, "success");
    c.vc.guest_write("web", 0, 4100, &[2; 50]).unwrap();
    assert_eq!(c.task("CreateSnapshot_Task", VM, &web, &snapshot(false)).await, "success");
    c.vc.guest_write("web", 0, 4120, &[3; 10]).unwrap();
    let expected: Vec<u8> = [vec![1; 100], vec![2; 20], vec![3; 10], vec![2; 20], vec![1; 50]].concat();
    assert_eq!(read(), expected);
    let (base, depth, tree) = c.vc.with(|s| {
        let vm = s.vm(&web).unwrap();
        let disk = vm.disks().next().unwrap();
        let base = disk.parents.last().unwrap().file.clone();
        (s.read_disk(&base, 4000, 200).unwrap(), disk.parents.len(), s.snapshots_of(&web).len())
    });
    assert_eq!((base, depth, tree), (vec![1; 200], 2, 2), "the base holds what was there at the first snapshot");
    assert!(c.get(VM, &web, "snapshot").await.contains("<quiesced>true</quiesced>"));
    assert_eq!(c.task("RemoveAllSnapshots_Task", VM, &web, "").await, "success");
    assert_eq!(read(), expected);
    let names = c.vc.with(|s| {
        let dir = s.parse_path("[ds1] web", None).unwrap();
        s.list_dir(&dir).unwrap().into_iter().map(|f| f.path.name().to_owned()).collect::<Vec<_>>()
    });
    assert!(!names.iter().any(|n| n.contains("-0000") || n.ends_with(".vmsn")), "{names:?}");
}

#[tokio::test]
async fn revert_brings_the_old_bytes_back() {
    let c = Client::new().await;
    let web = c.vm("web");
    c.vc.guest_write("web", 0, 0, b"old").unwrap();
    c.task("CreateSnapshot_Task", VM, &web, &snapshot(false)).await;
    c.vc.guest_write("web", 0, 0, b"new").unwrap();
    assert_eq!(c.task("RevertToCurrentSnapshot_Task", VM, &web, "").await, "success");
    assert_eq!(c.vc.guest_read("web", 0, 0, 3).unwrap(), b"old");
    assert!(!c.vc.with(|s| s.vm(&web).unwrap().on), "a snapshot without memory leaves it off");
    assert_eq!(c.task("RemoveAllSnapshots_Task", VM, &web, "").await, "success");
    assert_eq!(c.vc.guest_read("web", 0, 0, 3).unwrap(), b"old");
}

#[tokio::test]
async fn quiesce_is_ignored_without_tools_and_fails_with_a_hung_guest() {
    let c = Client::new().await;
    let plain = c.vm("plain");
    assert_eq!(c.task("CreateSnapshot_Task", VM, &plain, &snapshot(true)).await, "success");
    assert!(c.get(VM, &plain, "snapshot").await.contains("<quiesced>false</quiesced>"));
    let web = c.vm("web");
    c.vc.with(|s| s.vm_mut(&web).unwrap().tools = crate::world::compute::vm::Tools::Hung);
    assert_eq!(c.task("CreateSnapshot_Task", VM, &web, &snapshot(true)).await, "ApplicationQuiesceFault");
    assert!(c.vc.with(|s| s.snapshots_of(&web).is_empty()));
}

async fn mount(c: &Client, host: &str, path: &str, name: &str) -> Result<String, String> {
    let args = format!(
        "<spec><remoteHost>nas</remoteHost><remotePath>{path}</remotePath><localPath>{name}</localPath><accessMode>readWrite</accessMode><type>NFS</type></spec>"
    );
    let id = c.vc.with(|s| s.hosts.iter().find(|(_, h)| h.name == host).map(|(id, _)| id.clone()).unwrap());
    let system = format!("datastoreSystem-{id}");
    let (status, text) = c.call("CreateNasDatastore", "HostDatastoreSystem", &system, &args).await;
    if status == 200 {
        return Ok(super::client::between(&text, "type=\"Datastore\">", "<").to_owned());
    }
    Err(c.fault("CreateNasDatastore", "HostDatastoreSystem", &system, &args).await)
}

#[tokio::test]
async fn mounts_follow_the_rules_of_hosts() {
    let c = Client::new().await;
    let first = mount(&c, "esx1", "/clone", "clone").await.unwrap();
    assert_eq!(mount(&c, "esx2", "/clone", "clone").await, Ok(first.clone()), "one export, one datastore");
    let refused = |r: Result<String, String>| r.unwrap_err();
    assert_eq!(refused(mount(&c, "esx1", "/clone", "clone").await), "AlreadyExists");
    assert_eq!(refused(mount(&c, "esx1", "/clone", "other").await), "AlreadyExists");
    assert_eq!(refused(mount(&c, "esx1", "/absent", "x").await), "PlatformConfigFault");
    c.world.register_nfs("nas", "/more", super::client::tree());
    assert_eq!(refused(mount(&c, "esx1", "/more", "ds1").await), "DuplicateName");
    let host = c.vc.with(|s| s.hosts.keys().next().unwrap().clone());
    let remove = |ds: &str| format!("<datastore type=\"Datastore\">{ds}</datastore>");
    let system = format!("datastoreSystem-{host}");
    let ds1 = c.vc.with(|s| s.datastore_named("ds1", None).unwrap().clone());
    let fault = c.fault("RemoveDatastore", "HostDatastoreSystem", &system, &remove(&ds1)).await;
    assert_eq!(fault, "ResourceInUse");
    c.ok("RemoveDatastore", "HostDatastoreSystem", &system, &remove(&first)).await;
    assert_eq!(c.fault("RemoveDatastore", "HostDatastoreSystem", &system, &remove(&first)).await, "NotFound");
    assert!(c.vc.with(|s| s.has(&MoRef::new("Datastore", first))), "the other host still mounts it");
}

#[tokio::test]
async fn a_stale_change_version_is_refused_and_a_refused_change_leaves_nothing() {
    let c = Client::new().await;
    let db = c.vm("db");
    let version = c.vc.with(|s| s.vm(&db).unwrap().change_version());
    let spec = |version: &str, rest: &str| format!("<spec><changeVersion>{version}</changeVersion>{rest}</spec>");
    let name = spec(&version, "<name>db2</name>");
    assert_eq!(c.task("ReconfigVM_Task", VM, &db, &name).await, "success");
    assert_eq!(c.task("ReconfigVM_Task", VM, &db, &name).await, "ConcurrentAccess");
    let half = "<spec><name>db3</name><deviceChange><operation>remove</operation><device i:type=\"VirtualDisk\"><key>77</key><capacityInKB>1</capacityInKB></device></deviceChange></spec>";
    assert_eq!(c.task("ReconfigVM_Task", VM, &db, half).await, "DeviceNotFound");
    assert_eq!(c.vc.with(|s| s.vm(&db).unwrap().config.name.clone()), "db2");
    let taken = c.vc.with(|s| s.vm(&c_vm(s, "web")).unwrap().config.instance_uuid.clone());
    let args = format!("<spec><instanceUuid>{taken}</instanceUuid></spec>");
    assert_eq!(c.task("ReconfigVM_Task", VM, &db, &args).await, "InvalidArgument");
}

fn c_vm(s: &crate::world::compute::state::State, name: &str) -> String {
    s.vms.iter().find(|(_, v)| v.config.name == name).map(|(id, _)| id.clone()).unwrap()
}

#[tokio::test]
async fn a_datastore_shows_its_volumes_space_and_an_export_is_for_named_hosts() {
    use crate::world::storage::{ArraySpec, NewVolume};
    let c = Client::new().await;
    c.world.add_array(ArraySpec::new("array", "10.0.0.1")).unwrap();
    let array = c.world.array("array").unwrap();
    let new = NewVolume { name: "v".into(), comment: String::new(), export_path: "/v".into(), size_bytes: 64 << 20 };
    let volume = array.create_volume(new).unwrap();
    let mount = async || {
        let args = "<spec><remoteHost>10.0.0.1</remoteHost><remotePath>/v</remotePath><localPath>v</localPath><accessMode>readWrite</accessMode></spec>";
        let host = c.vc.with(|s| s.hosts.keys().next().unwrap().clone());
        c.call("CreateNasDatastore", "HostDatastoreSystem", &format!("datastoreSystem-{host}"), args).await
    };
    array.set_export(volume.id, ["10.9.9.9".to_owned()].into()).unwrap();
    assert!(mount().await.1.contains("PlatformConfigFault"));
    let address = c.vc.with(|s| s.hosts.values().next().unwrap().address.clone());
    array.set_export(volume.id, [address].into()).unwrap();
    let (status, text) = mount().await;
    assert_eq!(status, 200, "{text}");
    let id = super::client::between(&text, "type=\"Datastore\">", "<").to_owned();
    c.vc.with(|s| s.put_file("[v] a/b", &"x".repeat(3 << 20))).unwrap();
    let summary = c.get("Datastore", &id, "summary").await;
    let number = |name: &str| -> u64 { super::client::between(&summary, &format!("<{name}>"), "<").parse().unwrap() };
    assert_eq!(number("capacity"), 64 << 20);
    assert!(number("freeSpace") <= 61 << 20, "{summary}");
    array.set_export(volume.id, Default::default()).unwrap();
    assert!(c.vc.with(|s| s.tree(&id).is_err()), "the export went away under the mount");
    assert!(c.get("Datastore", &id, "host").await.contains("<accessible>false</accessible>"));
}
