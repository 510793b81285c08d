//! Devices that hosts see, and files in snapshots.

use super::fake::{Fake, LUN1, SNAP1, VOL1, VOL2, list, lun, snapshot, volume};
use crate::driver::{ArrayDriver as _, Device, NfsPath, Reason, Resolution};
use serde_json::json;
use strata_model::ids::{ArraySnapshotId, VolumeId};

fn nfs(host: &str, path: &str) -> Device {
    Device::Nfs(NfsPath { host: host.to_owned(), path: path.to_owned() })
}

#[tokio::test]
async fn an_nfs_path_leads_to_the_deepest_junction() {
    let fake = Fake::new((14, 1));
    let mut root = volume("00000000-0000-4000-8000-00000000000f", "root", "/");
    root["size"] = json!(1);
    let volumes = [root, volume(VOL1, "ds_1", "/ds_1"), volume(VOL2, "ds_2", "/ds_1/inner")];
    fake.on("GET /storage/volumes", 200, list(&volumes));
    let driver = fake.driver_with("token = 't'\nnfs_names = { 'nas1.example' = '10.0.0.5' }");
    for (host, path, expected) in [
        ("10.0.0.5", "/ds_1", Some((VOL1, ""))),
        ("::ffff:10.0.0.5", "/DS_1/", Some((VOL1, ""))),
        ("NAS1.example.", "//ds_1//vm/a", Some((VOL1, "vm/a"))),
        ("10.0.0.5", "/ds_1/inner/vm", Some((VOL2, "vm"))),
        ("10.0.0.5", "/ds_1/innermost", Some((VOL1, "innermost"))),
        ("10.0.0.5", "/ds_10", None),
        ("10.0.0.5", "/", None),
        ("10.0.0.5", "/ds_1/../etc", None),
        ("10.0.0.6", "/ds_1", None),
        ("other.example", "/ds_1", None),
    ] {
        let found = match driver.resolve(&nfs(host, path)).await.unwrap() {
            Resolution::Found { volume, path_in_volume, evidence, .. } => {
                assert!(evidence.contains(host), "{evidence}");
                Some((volume.uuid, path_in_volume))
            }
            Resolution::Absent { .. } => None,
        };
        let expected = expected.map(|(uuid, rest)| (uuid.to_owned(), rest.to_owned()));
        assert_eq!(found, expected, "{host}:{path}");
    }
    let Resolution::Absent { reason } = driver.resolve(&nfs("other.example", "/ds_1")).await.unwrap() else {
        panic!("found")
    };
    assert!(reason.contains("nfs_names"), "{reason}");
}

#[tokio::test]
async fn a_canonical_name_leads_to_the_lun_and_its_siblings() {
    let sibling = json!({
        "uuid": "other", "name": "/vol/ds_1/q/lun_2", "serial_number": "80Tt?PWpO-ZQ", "svm": {"uuid": "sv", "name": "svm1"},
        "location": {"volume": {"uuid": VOL1}},
    });
    // Plain serial numbers are asked for, others are looked for among all, newer releases are asked in hexadecimal.
    for (release, serial, query) in [
        ((14, 1), "dn-kYJzkAWqP", "serial_number=dn-kYJzkAWqP&"),
        ((14, 1), "ZlAFA?QMnBdX", ""),
        ((17, 1), "ZlAFA?QMnBdX", "serial_number_hex=5a6c4146413f514d6e426458&"),
    ] {
        let fake = Fake::new(release);
        fake.on("GET /storage/luns", 200, list(&[sibling.clone(), lun("/vol/ds_1/lun_1", serial, true)]));
        let driver = fake.driver().await;
        let hex: String = serial.bytes().map(|byte| format!("{byte:02x}")).collect();
        let canonical = format!("naa.600a0980{hex}");
        let found = driver.resolve(&Device::Canonical(canonical.clone())).await.unwrap();
        let Resolution::Found { volume, lun: Some(own), siblings, path_in_volume, .. } = found else {
            panic!("{found:?}")
        };
        assert_eq!((volume.uuid.as_str(), own.uuid.as_str(), path_in_volume.as_str()), (VOL1, LUN1, "lun_1"));
        assert_eq!((own.canonical_name, own.size_bytes), (Some(canonical), 4096));
        assert_eq!(own.initiators, ["igroup esx"], "a group that is not shown");
        assert_eq!(siblings.iter().map(|it| it.path.as_str()).collect::<Vec<_>>(), ["q/lun_2"]);
        let asked = &fake.asked("GET /storage/luns")[0].line;
        assert!(asked.starts_with(&format!("GET /storage/luns?{query}fields=")), "{asked}");
        for stranger in ["naa.600a098000000000000000000000ffff", "naa.624a9370bb22e4b6a1c84b5d00012fcb", "eui.1"] {
            let absent = driver.resolve(&Device::Canonical(stranger.to_owned())).await.unwrap();
            assert!(matches!(absent, Resolution::Absent { .. }), "{absent:?}");
        }
    }
}

#[tokio::test]
async fn files_of_a_snapshot_are_read_and_a_hidden_snapshot_is_told_apart() {
    let (id, path) = (ArraySnapshotId(SNAP1.to_owned()), "vm/web.vmx");
    let volume = VolumeId(VOL1.to_owned());
    let fake = Fake::new((14, 1));
    fake.on(&format!("GET /storage/volumes/{VOL1}/snapshots/{SNAP1}"), 200, snapshot(SNAP1, "s1", "", ""));
    let driver = fake.driver().await;
    let files = format!("GET /storage/volumes/{VOL1}/files/%2Esnapshot%2Fs1");
    let hidden = driver.read_snapshot_file(&volume, &id, path).await.unwrap_err();
    assert_eq!(hidden.reason, Reason::NotSupported);
    let dots = [json!({"name": ".", "type": "directory"}), json!({"name": "..", "type": "directory"})];
    fake.on(&files, 200, list(&dots));
    assert_eq!(driver.read_snapshot_file(&volume, &id, path).await.unwrap_err().reason, Reason::NotFound);
    fake.on(&files, 200, list(&[json!({"name": "vm", "type": "directory"}), json!({"name": "l", "type": "symlink"})]));
    fake.on(&format!("{files}%2Fvm"), 200, list(&[json!({"name": "web.vmx", "type": "file", "size": "4"})]));
    fake.on(&format!("{files}%2Fvm%2Fweb%2Evmx"), 200, json!("text"));
    assert_eq!(driver.read_snapshot_file(&volume, &id, path).await.unwrap(), b"text");
    for (path, reason) in [("vm/nope", Reason::NotFound), ("vm", Reason::InvalidRequest), ("l/x", Reason::UnsafePath)] {
        assert_eq!(driver.read_snapshot_file(&volume, &id, path).await.unwrap_err().reason, reason, "{path}");
    }
    // Fewer bytes than the file has are no content.
    fake.on(&format!("{files}%2Fvm%2Fweb%2Evmx"), 200, json!("tex"));
    assert_eq!(driver.read_snapshot_file(&volume, &id, path).await.unwrap_err().reason, Reason::Unexpected);
}
