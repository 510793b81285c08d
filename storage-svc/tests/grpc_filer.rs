//! storage.v1 over the filer on a plain directory, in process: requests are checked, answers and errors translated.

#![allow(clippy::unwrap_used, reason = "clippy takes helpers in tests/ for production code")]

use std::sync::Arc;
use strata_kit::{
    clock::SystemClock,
    contract::{ContractOptions, stack},
    health::HealthHandle,
    status::ErrorReport,
    upstream::Upstream,
};
use strata_model::{ErrorKind, ids::ArrayName};
use strata_proto::strata::{
    common::v1::Mark,
    storage::v1::{self as pb, ensure_snapshot_response::Outcome, storage_service_client::StorageServiceClient},
};
use strata_storage_svc::{
    SERVICE_NAME, StorageSvc,
    drivers::filer::{EngineChoice, Filer, FilerConfig},
};
use tonic::Code;

struct Lab {
    root: tempfile::TempDir,
    client: StorageServiceClient<Upstream>,
}

fn lab() -> Lab {
    let root = tempfile::tempdir().unwrap();
    for (path, bytes) in [("ds1/web/web.vmx", "uuid"), ("ds1/web/web-flat.vmdk", "disk"), ("ds2/x", "x")] {
        let path = root.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, bytes).unwrap();
    }
    let config = FilerConfig {
        root: root.path().to_owned(),
        hosts: vec!["10.0.0.5".into(), "filer".into()],
        path_prefix: Some("/vols".into()),
        volumes: None,
        engine: EngineChoice::Copy,
    };
    let clock = SystemClock::shared();
    let filer = Arc::new(Filer::new(config, clock.clone()));
    let svc = StorageSvc::from_drivers(vec![(ArrayName::from("f1"), filer)], &clock);
    let health = HealthHandle::new([SERVICE_NAME]);
    health.set_all_serving();
    let stack = stack(svc.routes(), &health, ContractOptions::default());
    Lab { root, client: StorageServiceClient::new(Upstream::in_process("storage-svc", stack)) }
}

fn mark() -> Option<Mark> {
    Some(Mark { installation: "0123456789abcdef0123456789abcdef".into(), generation: 7 })
}

fn snapshot_request(vm_off: bool) -> pb::EnsureSnapshotRequest {
    pb::EnsureSnapshotRequest {
        array: "arrays/f1".into(),
        key: "s-1".into(),
        label: "web".into(),
        mark: mark(),
        targets: vec![pb::SnapshotTarget {
            volume: "arrays/f1/volumes/ds1".into(),
            paths: vec!["web".into()],
            expected_volume_uuid: String::new(),
        }],
        skew_max_ms: 0,
        vm_off,
        resume: String::new(),
    }
}

#[tokio::test]
async fn arrays_and_devices() {
    let mut lab = lab();
    let arrays = lab.client.list_arrays(pb::ListArraysRequest {}).await.unwrap().into_inner().arrays;
    assert_eq!(arrays.len(), 1);
    assert_eq!((arrays[0].name.as_str(), arrays[0].state()), ("arrays/f1", pb::ArrayState::Ready));
    assert!(arrays[0].capabilities.unwrap().needs_vm_off);

    let nfs = |host: &str, path: &str| pb::Device {
        kind: Some(pb::device::Kind::Nfs(pb::NfsDevice { host: host.into(), path: path.into() })),
    };
    let devices = vec![
        nfs("FILER", "/vols/ds1/"),
        nfs("10.0.0.5", "/vols/ds1/web"),
        nfs("10.0.0.5", "/vols/nope"),
        nfs("other", "/vols/ds1"),
    ];
    let resolved = lab.client.resolve_devices(pb::ResolveDevicesRequest { devices }).await.unwrap().into_inner();
    let found: Vec<(&str, &str)> = resolved
        .resolutions
        .iter()
        .map(|it| (it.volume.as_ref().map_or("", |volume| volume.name.as_str()), it.path_in_volume.as_str()))
        .collect();
    assert_eq!(found, [("arrays/f1/volumes/ds1", ""), ("arrays/f1/volumes/ds1", "web"), ("", ""), ("", "")]);
    assert!(resolved.resolutions[2].reason.contains("nope"), "{}", resolved.resolutions[2].reason);
    assert!(resolved.unreachable.is_empty());
}

#[tokio::test]
async fn a_snapshot_from_end_to_end() {
    let mut lab = lab();
    let refused = lab.client.ensure_snapshot(snapshot_request(false)).await.unwrap_err();
    let report = ErrorReport::from_status(&refused);
    assert_eq!((refused.code(), report.reason.as_str()), (Code::FailedPrecondition, "NEEDS_VM_OFF"));

    let made = lab.client.ensure_snapshot(snapshot_request(true)).await.unwrap().into_inner();
    let Some(Outcome::Snapshot(snapshot)) = made.outcome else { panic!("{made:?}") };
    assert_eq!((snapshot.key.as_str(), snapshot.marked), ("s-1", true));
    fs_err::write(lab.root.path().join("ds1/web/web.vmx"), "changed").unwrap();
    let read = pb::ReadSnapshotFileRequest {
        volume: "arrays/f1/volumes/ds1".into(),
        snapshot_id: snapshot.members[0].snapshot_id.clone(),
        path: "web/web.vmx".into(),
    };
    assert_eq!(lab.client.read_snapshot_file(read).await.unwrap().into_inner().content, b"uuid");

    let mut other = snapshot_request(true);
    other.targets[0].volume = "arrays/f1/volumes/ds2".into();
    other.targets[0].paths = vec!["x".into()];
    let reused = lab.client.ensure_snapshot(other).await.unwrap_err();
    assert_eq!(reused.code(), Code::AlreadyExists, "{reused:?}");
    assert_eq!(ErrorReport::from_status(&reused).kind, ErrorKind::Conflict);

    let owned = pb::ListOwnedRequest { parent: "arrays/f1".into(), ..Default::default() };
    assert_eq!(lab.client.list_owned(owned.clone()).await.unwrap().into_inner().owned[0].key, "s-1");
    let remove = pb::RemoveSnapshotRequest {
        array: "arrays/f1".into(),
        key: "s-1".into(),
        label: "web".into(),
        mark: mark(),
        volumes: vec!["arrays/f1/volumes/ds1".into()],
        resume: String::new(),
    };
    for _ in 0..2 {
        assert_eq!(lab.client.remove_snapshot(remove.clone()).await.unwrap().into_inner().pending, None);
    }
    assert!(lab.client.list_owned(owned).await.unwrap().into_inner().owned.is_empty());
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let mut lab = lab();
    let mut request = snapshot_request(true);
    request.key = "Not a key".into();
    request.mark = None;
    request.targets[0].volume = "arrays/other/volumes/ds1".into();
    let status = lab.client.ensure_snapshot(request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let violations = ErrorReport::from_status(&status).violations;
    let fields: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["key", "mark.installation", "targets[0].volume"]);

    let absent = lab.client.get_array(pb::GetArrayRequest { name: "arrays/nope".into() }).await.unwrap_err();
    assert_eq!(absent.code(), Code::NotFound);
    assert!(absent.message().contains("f1"), "{}", absent.message());
}

#[tokio::test]
async fn volumes_come_in_pages() {
    let mut lab = lab();
    let (mut token, mut names) = (String::new(), Vec::new());
    loop {
        let request = pb::ListVolumesRequest { parent: "arrays/f1".into(), page_size: 1, page_token: token };
        let page = lab.client.list_volumes(request).await.unwrap().into_inner();
        assert!(page.volumes.len() <= 1);
        names.extend(page.volumes.into_iter().map(|volume| volume.display_name));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(names, ["ds1", "ds2"]);
}

#[tokio::test]
async fn an_array_that_is_away_is_told_and_stops_nobody() {
    let good = lab();
    let config = |root: &std::path::Path| FilerConfig {
        root: root.to_owned(),
        hosts: vec!["10.0.0.5".into()],
        path_prefix: Some("/vols".into()),
        volumes: None,
        engine: EngineChoice::Auto,
    };
    let clock = SystemClock::shared();
    let drivers: Vec<(ArrayName, Arc<dyn strata_storage_svc::driver::ArrayDriver>)> = vec![
        (ArrayName::from("good"), Arc::new(Filer::new(config(good.root.path()), clock.clone()))),
        (ArrayName::from("gone"), Arc::new(Filer::new(config(&good.root.path().join("not-mounted")), clock.clone()))),
    ];
    let svc = StorageSvc::from_drivers(drivers, &clock);
    let stack = stack(svc.routes(), &HealthHandle::new([SERVICE_NAME]), ContractOptions::default());
    let mut client = StorageServiceClient::new(Upstream::in_process("storage-svc", stack));

    let arrays = client.list_arrays(pb::ListArraysRequest {}).await.unwrap().into_inner().arrays;
    let states: Vec<(&str, pb::ArrayState)> = arrays.iter().map(|it| (it.name.as_str(), it.state())).collect();
    assert_eq!(states, [("arrays/gone", pb::ArrayState::Unreachable), ("arrays/good", pb::ArrayState::Ready)]);
    assert!(arrays[0].state_reason.contains("not-mounted"), "{}", arrays[0].state_reason);

    let nfs = pb::NfsDevice { host: "10.0.0.5".into(), path: "/vols/ds1".into() };
    let devices = vec![pb::Device { kind: Some(pb::device::Kind::Nfs(nfs)) }];
    let resolved = client.resolve_devices(pb::ResolveDevicesRequest { devices }).await.unwrap().into_inner();
    assert_eq!(resolved.unreachable, ["arrays/gone"]);
    assert_eq!(resolved.resolutions[0].volume.as_ref().unwrap().name, "arrays/good/volumes/ds1");
}

#[tokio::test]
async fn what_the_array_cannot_do_is_unimplemented() {
    let mut lab = lab();
    lab.client.list_arrays(pb::ListArraysRequest {}).await.unwrap();
    let request = pb::EnsureCloneRequest {
        array: "arrays/f1".into(),
        key: "c-1".into(),
        label: String::new(),
        mark: mark(),
        targets: vec![pb::CloneTarget {
            volume: "arrays/f1/volumes/ds1".into(),
            snapshot_id: "x".into(),
            ..Default::default()
        }],
        resume: String::new(),
    };
    let status = lab.client.ensure_clone(request.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented, "{status:?}");
    // Both kinds in one request.
    let mut mixed = request;
    mixed.targets.push(pb::CloneTarget { to_directory: "t".into(), ..mixed.targets[0].clone() });
    assert_eq!(lab.client.ensure_clone(mixed).await.unwrap_err().code(), Code::InvalidArgument);
}
