//! S16: a clone has only its own storage. S17: it is somebody else.

use super::{BLOCK, done, refused};
use std::collections::BTreeSet;
use strata_proto::strata::gateway::v1 as pb;
use strata_sim::world::compute::{DiskSpec, Vcenter, VmSpec, vm::Vm};
use strata_tests::house::{ArrayKind, House, on_each};

fn with_vm<T>(vcenter: &Vcenter, name: &str, look: impl FnOnce(&Vm) -> T) -> T {
    vcenter.with(|state| look(state.vms.values().find(|vm| vm.config.name == name).expect("a VM of this name")))
}

#[tokio::test]
async fn s16_only_its_own_storage() -> anyhow::Result<()> {
    on_each(&ArrayKind::CLONING, |array| async move {
        let raw = DiskSpec { rdm: Some(("naa.600a098000000001".into(), true)), ..DiskSpec::of(1 << 20) };
        let source = VmSpec {
            iso: Some("[ds1] iso/debian.iso".into()),
            extra: vec![
                ("workingDir".into(), "/vmfs/volumes/ds2/elsewhere".into()),
                ("hbr_filter.destination".into(), "192.0.2.99".into()),
                ("sched.swap.dir".into(), "/vmfs/volumes/ds2/swap".into()),
            ],
            ..VmSpec::named("web-01").disks(vec![DiskSpec::of(1 << 20), raw])
        };
        let house = House::builder()
            .array(array)
            .vm(source)
            .more(|vcenter| vcenter.file("[ds1] iso/debian.iso", "image"))
            .start()
            .await?;
        house.write("web-01", &[1; BLOCK])?;
        // The raw device is not in it: refused unless that is wanted.
        let words = ["Hard disk 2", "600a098000000001", "--allow-partial"];
        refused(house.snapshot("web-01", |_| {}).await?, "DISKS_EXCLUDED", &words)?;
        let snapshot = done(house.snapshot("web-01", |request| request.allow_partial = true).await?)?;
        assert_eq!(snapshot.excluded_disks.len(), 1);
        assert!(snapshot.excluded_disks[0].reason.contains("600a098000000001"), "{:?}", snapshot.excluded_disks);

        let before = house.picture().await?;
        let clone = done(house.clone_of(&snapshot.name, "web-01-t", |_| {}).await?)?;
        let stripped = clone.stripped.join("\n");
        for what in ["debian.iso", "workingDir", "replication", "sched.swap.dir"] {
            assert!(stripped.contains(what), "{what} is not among what was stripped: {stripped}");
        }
        assert!(stripped.contains("scsi0:1"), "the raw device is not among what was stripped: {stripped}");
        let own: BTreeSet<String> = clone.datastores.iter().cloned().collect();
        let (vmx, files) = house.vcenter.with(|state| {
            let vm = state.vms.values().find(|vm| vm.config.name == "web-01-t").expect("the clone");
            let files: Vec<String> = vm.disks().flat_map(|disk| disk.chain()).map(|file| state.show(&file)).collect();
            assert_eq!(vm.disks().filter(|disk| disk.rdm.is_some()).count(), 0, "it has no raw device");
            let text = state.read_text(&vm.vmx).expect("its .vmx");
            // The list of what was taken out tells the old paths.
            let lines = text.lines().filter(|line| !line.starts_with("strata.stripped"));
            (lines.collect::<Vec<_>>().join("\n"), files)
        });
        assert_eq!(files.len(), 1, "{files:?}");
        assert!(!vmx.contains("/vmfs/volumes") && !vmx.contains("debian.iso"), "no path leads out of it:\n{vmx}");
        assert!(
            files.iter().all(|file| !file.contains("] web-01/") || array == ArrayKind::ReferenceByVolume),
            "{files:?}"
        );
        assert_eq!(own.is_empty(), array != ArrayKind::ReferenceByVolume, "{own:?}");
        assert_eq!(house.read("web-01-t", BLOCK)?, [1; BLOCK]);
        done(house.delete_clone(&clone.name, false).await?)?;
        before.expect_same(&house.picture().await?)?;
        house.check().await
    })
    .await
}

/// `[ds1] web-01/web-01.vmdk` and `[ds2] web-01/web-01.vmdk`: each copy holds its own bytes.
#[tokio::test]
async fn s16_only_its_own_storage_where_two_datastores_have_one_path() -> anyhow::Result<()> {
    on_each(&ArrayKind::CLONING, |array| async move {
        let same =
            DiskSpec { datastore: Some("ds2".into()), file_name: Some("web-01.vmdk".into()), ..DiskSpec::of(1 << 20) };
        let source = VmSpec::named("web-01").disks(vec![DiskSpec::of(1 << 20), same]);
        let house = House::builder().array(array).vm(source).start().await?;
        house.write("web-01", &[1; BLOCK])?;
        let write = |disk: &str, byte: u8| {
            house.tree(disk)?.write("web-01/web-01-flat.vmdk", 0, &[byte; BLOCK]).map_err(anyhow::Error::new)
        };
        write("ds2", 2)?;
        let before = house.picture().await?;
        let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
        write("ds1", 3)?;
        write("ds2", 4)?;
        let clone = done(house.clone_of(&snapshot.name, "web-01-t", |_| {}).await?)?;
        for (disk, byte) in [(0, 1), (1, 2)] {
            let read = house
                .vcenter
                .guest_read("web-01-t", disk, 0, BLOCK)
                .map_err(|fault| anyhow::anyhow!("{}", fault.message))?;
            assert_eq!(read, [byte; BLOCK], "disk {disk} of the clone");
        }
        let stores = with_vm(&house.vcenter, "web-01-t", |vm| vm.datastores().len());
        assert_eq!(stores, 2, "one copy in each place");
        write("ds1", 1)?;
        write("ds2", 2)?;
        done(house.delete_clone(&clone.name, false).await?)?;
        done(house.delete_snapshot(&snapshot.name).await?)?;
        before.expect_same(&house.picture().await?)?;
        house.check().await
    })
    .await
}

#[tokio::test]
async fn s16_only_its_own_storage_or_none_at_all() -> anyhow::Result<()> {
    // Every disk is raw: there is nothing that a restore point could hold.
    let raw = DiskSpec { rdm: Some(("naa.600a098000000002".into(), false)), ..DiskSpec::of(1 << 20) };
    let spec = VmSpec::named("web-01").disks(vec![raw]);
    let house = House::builder().array(ArrayKind::Reference).vm(spec).start().await?;
    let before = house.picture().await?;
    let partial = |request: &mut pb::CreateSnapshotRequest| request.allow_partial = true;
    refused(house.snapshot("web-01", partial).await?, "NO_DISK_SUPPORTED", &["web-01", "600a098000000002"])?;
    before.expect_same(&house.picture().await?)?;
    house.check().await
}

#[tokio::test]
async fn s17_identity_is_new() -> anyhow::Result<()> {
    on_each(&ArrayKind::CLONING, |array| async move {
        let house =
            House::builder().array(array).vm(VmSpec { cbt: true, ..VmSpec::named("web-01").on() }).start().await?;
        let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
        let clone = done(house.clone_of(&snapshot.name, "web-01-t", |_| {}).await?)?;
        let facts = |vm: &Vm| {
            let nics: Vec<_> = vm.nics().map(|nic| (nic.mac.clone(), nic.connected, nic.start_connected)).collect();
            (vm.config.uuid.clone(), vm.config.instance_uuid.clone(), nics, vm.on)
        };
        let (uuid, instance_uuid, nics, on) = with_vm(&house.vcenter, "web-01", facts);
        let (new_uuid, new_instance_uuid, new_nics, new_on) = with_vm(&house.vcenter, "web-01-t", facts);
        assert_ne!(uuid, new_uuid);
        assert_ne!(instance_uuid, new_instance_uuid);
        assert_eq!(clone.bios_uuid, new_uuid);
        assert!(on && !new_on, "a clone is off");
        assert_ne!(nics[0].0, new_nics[0].0, "its own MAC address");
        assert_eq!((new_nics[0].1, new_nics[0].2), (false, false), "disconnected, and stays so when it starts");
        assert!(clone.adapters_disconnected);
        assert_eq!(house.vcenter.with(|state| state.duplicates()), vec![], "nobody has anything twice");
        // S23 for clones: the tracking of the source means nothing for it.
        assert!(!with_vm(&house.vcenter, "web-01-t", |vm| vm.config.cbt), "changed block tracking is off");
        house.check().await
    })
    .await
}

#[tokio::test]
async fn s17_identity_power_on_needs_isolation() -> anyhow::Result<()> {
    on_each(&ArrayKind::CLONING, |array| async move {
        let house = House::builder().array(array).vm(VmSpec::named("web-01").on()).start().await?;
        let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
        let before = house.picture().await?;
        let power_on = |request: &mut pb::CreateCloneRequest| request.power_on = true;
        refused(house.clone_of(&snapshot.name, "t", power_on).await?, "INVALID_FIELD", &["isolated", "--isolated"])?;
        before.expect_same(&house.picture().await?)?;
        let isolated = |request: &mut pb::CreateCloneRequest| (request.power_on, request.isolated) = (true, true);
        let clone = done(house.clone_of(&snapshot.name, "t", isolated).await?)?;
        let (on, connected) =
            with_vm(&house.vcenter, "t", |vm| (vm.on, vm.nics().any(|nic| nic.connected || nic.start_connected)));
        assert!(on && !connected, "it runs, and meets nobody");
        assert_eq!(house.vcenter.with(|state| state.duplicates()), vec![]);
        // It is not turned off unless asked.
        refused(house.delete_clone(&clone.name, false).await?, "VM_RUNNING", &["t", "--power-off"])?;
        done(house.delete_clone(&clone.name, true).await?)?;
        before.expect_same(&house.picture().await?)?;
        house.check().await
    })
    .await
}
