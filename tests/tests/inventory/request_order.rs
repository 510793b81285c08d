//! Requests that no simulator asks for, held against pyvmomi's order; and the proof that the check can fail.

use crate::support::order::faults;
use strata_inventory_svc::{
    soap::{MoRef, Request},
    vcenter::{
        browser::search_request,
        host_datastore_system::{NasMount, create_nas_request, resignature_request},
        host_storage_system::StorageCall,
        snapshot::{Freeze, SnapshotWish, create_ex, create_plain},
        virtual_machine::relocate_request,
    },
};

#[test]
fn requests_are_in_the_order_of_the_wsdl() {
    let vm = MoRef::new("VirtualMachine", "vm-1");
    let hosts = ["a".to_owned(), "b".to_owned()];
    let mount = |nfs41| NasMount { host: "a", path: "/x", name: "n", nfs41, hosts: &hosts };
    let wish = |freeze| SnapshotWish { name: "n<&>", freeze, timeout_minutes: 15 };
    let answer = Request::with("AnswerVM", &vm, |body| {
        body.text("questionId", "1").text("answerChoice", "2");
    });
    let storage = [
        StorageCall::RescanHba("vmhba64"),
        StorageCall::RescanAllHba,
        StorageCall::RescanVmfs,
        StorageCall::RefreshStorageSystem,
        StorageCall::UnmountVmfsVolume("u"),
        StorageCall::MountVmfsVolume("u"),
        StorageCall::DetachScsiLun("02"),
        StorageCall::AttachScsiLun("02"),
        StorageCall::DeleteScsiLunState("naa.1"),
        StorageCall::DeleteVmfsVolumeState("u"),
    ]
    .map(|call| call.request(&vm));
    let requests = [
        resignature_request(&vm, &["/vmfs/devices/disks/naa.1:1", "/vmfs/devices/disks/naa.2:1"]),
        relocate_request(&vm, &[(2000, MoRef::new("Datastore", "d-1")), (2001, MoRef::new("Datastore", "d-2"))]),
        create_ex(&vm, &wish(Freeze::Applications)),
        create_ex(&vm, &wish(Freeze::FileSystems)),
        create_ex(&vm, &wish(Freeze::Nothing)),
        create_plain(&vm, &wish(Freeze::FileSystems)),
        create_nas_request(&vm, &mount(true)),
        create_nas_request(&vm, &mount(false)),
        search_request(&vm, "[ds] ", &[]),
        answer,
    ];
    for request in requests.into_iter().chain(storage) {
        assert_eq!(faults(request.envelope("test").as_bytes()), [] as [String; 0], "{}", request.body());
    }
}

#[test]
fn wrong_requests_are_found() {
    let this = MoRef::new("PropertyCollector", "pc");
    let wrong = |method, write: fn(&mut strata_inventory_svc::soap::XmlWriter)| {
        faults(Request::with(method, &this, write).envelope("test").as_bytes()).join("; ")
    };
    for (found, expected) in [
        (
            wrong("FindByUuid", |body| {
                body.flag("vmSearch", true).text("uuid", "x");
            }),
            "uuid comes too late",
        ),
        (
            wrong("FindByUuid", |body| {
                body.text("uuid", "x");
            }),
            "vmSearch is missing",
        ),
        (
            wrong("Login", |body| {
                body.text("userName", "x").text("password", "x").text("pin", "1");
            }),
            "no pin",
        ),
        (
            wrong("Login", |body| {
                body.text("userName", "x").text("userName", "x").text("password", "x");
            }),
            "twice",
        ),
        (wrong("NoSuchMethod", |_| {}), "not in wsdl_order.json"),
        (
            wrong("ReconfigVM_Task", |body| {
                body.element("spec", |spec| {
                    spec.element("extraConfig", |option| {
                        option.text("key", "k").text("value", "v");
                    });
                });
            }),
            "needs an xsi:type",
        ),
        (
            wrong("CreateSnapshotEx_Task", |body| {
                body.text("name", "n").flag("memory", false);
                body.typed("quiesceSpec", "TraversalSpec", |_| {});
            }),
            "TraversalSpec is no VirtualMachineGuestQuiesceSpec",
        ),
    ] {
        assert!(found.contains(expected), "{found:?} lacks {expected:?}");
    }
}
