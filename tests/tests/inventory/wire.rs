//! What simulators do not do: sessions that end, answers in pages, proxies that answer for vCenter.

use crate::support::scripted::{Answer, client, fault, soap};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};
use strata_inventory_svc::{
    soap::{MoRef, Request},
    vcenter::{
        host_storage_system::StorageCall,
        property_spec::{Properties, Start},
        task::TaskState,
    },
};
use strata_model::ErrorKind;

const NAMES: Properties = Properties { kind: "VirtualMachine", paths: &["name"] };

fn object(id: &str, name: &str) -> String {
    format!(
        "<objects><obj type=\"VirtualMachine\" _XMLSchema-instance:type=\"ManagedObjectReference\">{id}</obj>\
         <propSet><name>name</name><val>{name}</val></propSet></objects>"
    )
}

#[tokio::test]
async fn a_session_that_ended_is_opened_again_once_for_all_callers() {
    let logins = Arc::new(AtomicU32::new(0));
    let counted = logins.clone();
    let client = client(move |asked| match asked.method.as_str() {
        "Login" => {
            counted.fetch_add(1, Ordering::SeqCst);
            assert_eq!(asked.cookie, None, "a login with a cookie is refused");
            assert!(asked.body.contains("<password>pass&amp;word</password>"), "{}", asked.body);
            None
        }
        "CurrentTime" => {
            assert_eq!(asked.cookie.as_deref(), Some("vmware_soap_session=\"quoted\""));
            (counted.load(Ordering::SeqCst) < 2).then(|| fault("NotAuthenticated", ""))
        }
        _ => None,
    });
    let calls = (0..20).map(|_| client.check());
    for done in futures::future::join_all(calls).await {
        done.unwrap();
    }
    assert_eq!(logins.load(Ordering::SeqCst), 2);
}

/// A rescan that began before the caller asked may have passed its device already.
#[tokio::test]
async fn callers_share_a_rescan_that_began_after_they_asked() {
    let rescans = Arc::new(AtomicU32::new(0));
    let counted = rescans.clone();
    let client = client(move |asked| {
        counted.fetch_add(u32::from(asked.method == "RescanVmfs"), Ordering::SeqCst);
        None
    });
    client.check().await.unwrap();
    let system = |id: &str| MoRef::new("HostStorageSystem", id);
    let (one, other) = (system("1"), system("2"));
    let rescan = |of| client.rescan(of, StorageCall::RescanVmfs, "VMFS of a host");
    for done in futures::future::join_all((0..10).map(|_| rescan(&one))).await {
        done.unwrap();
    }
    assert_eq!(rescans.load(Ordering::SeqCst), 2, "one that ran when the others came, and one for them");
    rescan(&one).await.unwrap();
    rescan(&other).await.unwrap();
    assert_eq!(rescans.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn property_reads_without_a_session_log_in_again() {
    let reads = Arc::new(AtomicU32::new(0));
    let counted = reads.clone();
    let client = client(move |asked| {
        if asked.method != "RetrievePropertiesEx" {
            return None;
        }
        let inside = match counted.fetch_add(1, Ordering::SeqCst) {
            0 => "<returnval><objects><obj type=\"VirtualMachine\">vm-1</obj><missingSet><path>name</path><fault>\
                  <fault _XMLSchema-instance:type=\"NotAuthenticated\"/><localizedMessage/></fault></missingSet></objects></returnval>"
                .to_owned(),
            _ => format!("<returnval>{}</returnval>", object("vm-1", "web")),
        };
        Some(Answer(200, soap("RetrievePropertiesEx", &inside), None))
    });
    let start = Start::only(&MoRef::new("VirtualMachine", "vm-1"));
    let found = client.retrieve(&[NAMES], &[start], "VM").await.unwrap();
    assert_eq!((found.len(), found[0].text("name"), reads.load(Ordering::SeqCst)), (1, "web", 2));
}

#[tokio::test]
async fn the_token_is_followed_to_the_end_and_entities_survive() {
    let client = client(|asked| {
        let page = |token: &str, objects: String| {
            let token = if token.is_empty() { String::new() } else { format!("<token>{token}</token>") };
            Some(Answer(200, soap("x", &format!("<returnval>{token}{objects}</returnval>")), None))
        };
        match asked.method.as_str() {
            "RetrievePropertiesEx" => {
                page("t&amp;1", object("vm-1", "a&amp;b &lt;c&gt; &#x20ac;&#228; <![CDATA[<d>]]>"))
            }
            "ContinueRetrievePropertiesEx" if asked.body.contains("<token>t&amp;1</token>") => {
                page("t2", object("/tmp/govcsim@x:1", "%2f"))
            }
            "ContinueRetrievePropertiesEx" if asked.body.contains("<token>t2</token>") => {
                page("", object("vm-3", " c "))
            }
            "ContinueRetrievePropertiesEx" => Some(fault("InvalidProperty", "")),
            _ => None,
        }
    });
    let start = Start::only(&MoRef::new("VirtualMachine", "vm-1"));
    let found = client.retrieve(&[NAMES], &[start], "VMs").await.unwrap();
    let names: Vec<(&str, &str)> = found.iter().map(|vm| (vm.object.value.as_str(), vm.text("name"))).collect();
    assert_eq!(names, [("vm-1", "a&b <c> €ä <d>"), ("/tmp/govcsim@x:1", "%2f"), ("vm-3", " c ")]);
    assert!(found.iter().all(|vm| vm.object.kind == "VirtualMachine"));
}

#[tokio::test]
async fn what_is_no_answer_of_vcenter_is_told_so() {
    let html = "<html><body>503 Service Unavailable</body></html>";
    for (answer, kind) in [
        (|| Answer(503, "<html><body>503</body></html>".to_owned(), None), ErrorKind::Unavailable),
        (|| Answer(200, String::new(), None), ErrorKind::Unexpected),
        (|| Answer(200, "<html><body>hello</body></html>".to_owned(), None), ErrorKind::Unexpected),
        (|| Answer(200, soap("x", "<returnval>")[..200].to_owned(), None), ErrorKind::Unexpected),
        (|| Answer(500, "oops".to_owned(), None), ErrorKind::Unavailable),
        (|| Answer(502, String::new(), None), ErrorKind::Unavailable),
        (|| fault("HostNotReachable", ""), ErrorKind::Unavailable),
        (|| fault("NoPermission", "<privilegeId>System.View</privilegeId>"), ErrorKind::Forbidden),
        (|| fault("AFaultOfTheFuture", ""), ErrorKind::Unexpected),
    ] as [(fn() -> Answer, ErrorKind); 9]
    {
        let client = client(move |asked| (asked.method == "CurrentTime").then(answer));
        let error = client.check().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains("vc-1") && !error.to_string().contains(html), "{error}");
    }
}

#[tokio::test]
async fn a_refused_login_is_not_tried_again_at_once() {
    let logins = Arc::new(AtomicU32::new(0));
    let counted = logins.clone();
    let client = client(move |asked| {
        (asked.method == "Login").then(|| {
            counted.fetch_add(1, Ordering::SeqCst);
            fault("InvalidLogin", "")
        })
    });
    for _ in 0..5 {
        let error = client.check().await.unwrap_err();
        assert_eq!(error.reason(), "VCENTER_REFUSES_LOGIN");
        assert!(!format!("{error} {error:?}").contains("pass&word"));
    }
    assert_eq!(logins.load(Ordering::SeqCst), 1, "vCenter would lock the account");
}

#[tokio::test]
async fn tasks_are_followed_over_updates() {
    let update = |number: u32, changes: &str| {
        let inside = format!(
            "<returnval><version>{number}</version><filterSet><filter type=\"PropertyFilter\">f</filter><objectSet><kind>modify</kind>\
             <obj type=\"Task\">task-1</obj>{changes}</objectSet></filterSet></returnval>"
        );
        soap("WaitForUpdatesEx", &inside)
    };
    let change = |name: &str, value: &str| format!("<changeSet><name>{name}</name><op>assign</op>{value}</changeSet>");
    let running = change("info.state", "<val>running</val>") + &change("info.progress", "<val>40</val>");
    let failed = change("info.state", "<val>error</val>")
        + &change(
            "info.error",
            "<val _XMLSchema-instance:type=\"LocalizedMethodFault\"><fault _XMLSchema-instance:type=\"FileLocked\"><file>[ds] a</file></fault>\
             <localizedMessage>locked</localizedMessage></val>",
        );
    let answers = Arc::new(Mutex::new(vec![update(2, &failed), soap("WaitForUpdatesEx", ""), update(1, &running)]));
    let client = client(move |asked| match asked.method.as_str() {
        "WaitForUpdatesEx" => answers.lock().unwrap().pop().map(|body| Answer(200, body, None)),
        "CreatePropertyCollector" => {
            Some(Answer(200, soap("x", "<returnval type=\"PropertyCollector\">own</returnval>"), None))
        }
        "CreateFilter" => {
            assert!(asked.body.contains("<_this type=\"PropertyCollector\">own</_this>"), "each waiter has its own");
            Some(Answer(200, soap("x", "<returnval type=\"PropertyFilter\">f</returnval>"), None))
        }
        _ => None,
    });
    let task = MoRef::new("Task", "task-1");
    let state = client.follow_task(&task, std::time::Duration::from_secs(60)).await.unwrap();
    let TaskState::Failed(fault) = state else { panic!("{state:?}") };
    assert_eq!((fault.kind(), fault.describe().as_str()), (ErrorKind::Busy, "FileLocked: locked (file [ds] a)"));
}

#[tokio::test]
async fn a_forgotten_task_is_no_failure() {
    let client = client(|asked| match asked.method.as_str() {
        "CreatePropertyCollector" => {
            Some(Answer(200, soap("x", "<returnval type=\"PropertyCollector\">own</returnval>"), None))
        }
        "CreateFilter" => Some(fault("ManagedObjectNotFound", "<obj type=\"Task\">task-1</obj>")),
        _ => None,
    });
    let state = client.follow_task(&MoRef::new("Task", "task-1"), std::time::Duration::from_secs(60)).await.unwrap();
    assert!(matches!(state, TaskState::Forgotten), "{state:?}");
}

#[tokio::test]
async fn a_bad_request_is_sent_once_only() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let client = client(move |asked| {
        (asked.method == "PowerOnVM_Task").then(|| {
            counted.fetch_add(1, Ordering::SeqCst);
            fault("InvalidPowerState", "<existingState>poweredOn</existingState>")
        })
    });
    let request = Request::new("PowerOnVM_Task", &MoRef::new("VirtualMachine", "vm-1"));
    let error = client.call(&request, "VM web").await.unwrap_err();
    assert!(error.is_fault("InvalidState") && error.kind() == ErrorKind::Conflict);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}
