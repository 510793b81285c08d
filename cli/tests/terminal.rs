//! The command line against a fake gateway: whole exchanges compared with golden files, and what golden files cannot show.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test that panics has failed, which is what it is for")]

mod support;

use std::{collections::VecDeque, io};
use strata_proto::{google::longrunning::operation::Result as End, strata::gateway::v1 as pb};
use support::{fake, golden, objects, program::Program};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// Runs each line and keeps the whole exchange.
async fn story(program: &Program, name: &str, lines: &[&str]) {
    let mut text = String::new();
    for line in lines {
        program.tell(&mut text, line).await;
    }
    golden::check(name, &text);
}

#[tokio::test]
async fn looking_at_things() {
    let fake = fake::start().await;
    let lines = [
        "vm list",
        "vm list --vcenter vc-2",
        "vm show web-01",
        "snapshot list",
        "snapshot list web-01",
        "snapshot show web-01@1004",
        "clone list",
        "clone show web-01-t",
        "operation list",
        "operation show op-1",
        "preflight",
    ];
    story(&Program::new(&fake.url), "look", &lines).await;
    for columns in [80, 200] {
        story(
            &Program::new(&fake.url).columns(columns),
            &format!("look_{columns}"),
            &["vm list --color never", "vm show web-01 --color never", "revert web-01@1004 --dry-run --color never"],
        )
        .await;
    }
    let json: Vec<String> = lines.iter().map(|line| format!("{line} --json")).collect();
    story(&Program::new(&fake.url), "look_json", &json.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn the_first_hour() {
    let fake = fake::start().await;
    let program = Program::new(&fake.url);
    let mut text = String::new();
    program.tell(&mut text, "snapshot create web-01 --grade vm --keep 7d").await;
    program.tell(&mut text, "snapshot create web-01 --grade vm --quiet").await;
    program.tell(&mut text, "snapshot create web-01 --no-wait").await;
    fake.set(|script| {
        script.events = objects::events(objects::any("strata.gateway.v1.Snapshot", &objects::weak_snapshot()));
    });
    program.tell(&mut text, "snapshot create web-01 --grade vm --allow-weaker --allow-partial --accept-skew 5").await;
    fake.set(|script| script.events = objects::events(objects::any("strata.gateway.v1.Clone", &objects::clone())));
    program.tell(&mut text, "clone create web-01@1004 --name web-01-t --isolated").await;
    program.tell(&mut text, "revert web-01@1004 --dry-run").await;
    fake.set(|script| {
        script.events = objects::events(objects::any("strata.gateway.v1.RevertVmResponse", &objects::revert_answer()));
    });
    program.tell(&mut text, "revert web-01@1004 --power-off --yes").await;
    fake.set(|script| script.events = objects::events(objects::any("google.protobuf.Empty", &())));
    program.tell(&mut text, "clone delete web-01-t --yes").await;
    program.tell(&mut text, "snapshot delete s-0123456789ab --yes").await;
    program.tell(&mut text, "operation watch op-1").await;
    program.tell(&mut text, "operation cancel op-1").await;
    program.tell(&mut text, "operation resolve op-1 --action retry --reason 'the array is back'").await;
    golden::check("first_hour", &text);
}

#[tokio::test]
async fn the_first_hour_as_json() {
    let fake = fake::start().await;
    let program = Program::new(&fake.url);
    let lines = [
        "snapshot create web-01 --json",
        "snapshot create web-01 --json --no-wait",
        "revert web-01@1004 --dry-run --json",
    ];
    story(&program, "first_hour_json", &lines).await;
    let ended = program.run("snapshot create web-01 --json").await;
    let operation: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(operation["response"]["displayName"], "web-01@1004");
    assert_eq!(ended.out.lines().count(), 1, "one line an object");
    assert_eq!(ended.err, "", "nothing but data with --json");
}

#[tokio::test]
async fn names_that_do_not_name_one_object() {
    let fake = fake::start().await;
    let program = Program::new(&fake.url);
    let mut text = String::new();
    for line in [
        "snapshot create twin",
        "vm show vc-2/twin",
        "vm show nobody",
        "vm show vc-9/nobody",
        "vm show größe/a@b:%#",
        "vm show vcenters/vc-1/vms/99",
        "snapshot show web-01@0000",
        "snapshot show s-ffffffffffff",
        "clone show nothing",
        "operation show op-2",
        "operation show a/b",
    ] {
        program.tell(&mut text, line).await;
    }
    fake.set(|script| {
        script.unreachable = vec!["vcenters/vc-2".to_owned(), "arrays/filer-1".to_owned()];
        let mut second = objects::snapshot();
        second.name = "snapshots/s-ba9876543210".to_owned();
        script.snapshots.push(second);
    });
    for line in
        ["vm show nobody", "vm list", "vm list --json", "snapshot show web-01@1004", "snapshot show web-01@1004 --json"]
    {
        program.tell(&mut text, line).await;
    }
    golden::check("names", &text);
}

fn detailed(code: Code, kind: &str, reason: &str, message: &str) -> Status {
    let metadata: std::collections::HashMap<String, String> =
        [("kind".to_owned(), kind.to_owned()), ("array".to_owned(), "filer-1".to_owned())].into();
    let mut details = ErrorDetails::with_error_info(reason, "strata", metadata);
    if code == Code::InvalidArgument {
        details.add_bad_request_violation("keep", "at least an hour");
    }
    Status::with_error_details(code, message, details)
}

#[tokio::test]
async fn each_kind_of_error() {
    let fake = fake::start().await;
    let program = Program::new(&fake.url);
    let kinds = [
        (Code::NotFound, "not_found", "VM_NOT_FOUND", "vcenters/vc-1/vms/11 does not exist"),
        (Code::FailedPrecondition, "conflict", "VM_RUNS", "web-01 runs; turn it off, or say --power-off"),
        (Code::Aborted, "busy", "CLAIMED", "operations/7 (revert-vm) works on web-01"),
        (Code::InvalidArgument, "invalid_argument", "FIELDS_INVALID", "the request is wrong"),
        (Code::Unauthenticated, "unauthenticated", "TOKEN_EXPIRED", "the token has expired"),
        (
            Code::PermissionDenied,
            "forbidden",
            "PRIVILEGE_MISSING",
            "VirtualMachine.State.CreateSnapshot is missing on web",
        ),
        (Code::Unimplemented, "unsupported", "VSAN", "web-01 lies on vSAN"),
        (Code::ResourceExhausted, "exhausted", "ARRAY_FULL", "filer-1 has 1 GiB left"),
        (Code::DeadlineExceeded, "timeout", "ARRAY_SLOW", "filer-1 did not answer within 30 s"),
        (Code::Cancelled, "cancelled", "CANCELLED", "cancelled by root@admin"),
        (Code::Internal, "unexpected", "BUG", "filer-1 answered what no document describes"),
    ];
    let mut text = String::new();
    for line in ["snapshot create web-01", "snapshot create web-01 --json"] {
        for (code, kind, reason, message) in kinds {
            let status = detailed(code, kind, reason, message);
            fake.set(|script| drop(script.refusals.insert("create_snapshot", VecDeque::from([status]))));
            program.tell(&mut text, line).await;
        }
    }
    golden::check("errors", &text);
}

#[tokio::test]
async fn a_gateway_that_is_away_is_asked_again_with_the_same_request_id() {
    let fake = fake::start().await;
    let program = Program::new(&fake.url);
    let away = || Status::unavailable("starting");
    fake.set(|script| drop(script.refusals.insert("create_snapshot", VecDeque::from([away(), away()]))));
    assert_eq!(program.run("snapshot create web-01 --no-wait").await.code, 0);
    let asked = fake.asked();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked.iter().all(|one| *one == asked[0]), "the same request id each time: {asked:?}");
    assert!(asked[0].len() > "create_snapshot ".len() + 30, "{asked:?}");
    assert_eq!(program.run("snapshot create web-01 --no-wait").await.code, 0);
    assert_ne!(fake.asked()[0], asked[0], "another command is another request");

    fake.set(|script| {
        drop(script.refusals.insert("create_snapshot", VecDeque::from([away(), away(), away(), away()])))
    });
    let ended = program.run("snapshot create web-01").await;
    assert_eq!((ended.code, ended.out.as_str()), (10, ""), "{}", ended.err);

    let nobody = Program::new("http://127.0.0.1:1").run("vm list").await;
    assert_eq!(nobody.code, 10, "{}", nobody.err);
    assert!(nobody.err.contains("127.0.0.1:1"), "the address is named: {}", nobody.err);
}

#[tokio::test]
async fn a_watch_that_breaks_is_taken_up_where_it_was() {
    let fake = fake::start().await;
    let program = Program::new(&fake.url);
    fake.set(|script| {
        script.breaks = VecDeque::from([
            (2, Status::unavailable("GOAWAY")),
            (0, Status::internal("h2")),
            (1, Status::cancelled("")),
        ]);
    });
    let ended = program.run("snapshot create web-01").await;
    assert_eq!(ended.code, 0, "{}", ended.err);
    let watched: Vec<String> = fake.asked().into_iter().filter(|one| one.starts_with("watch")).collect();
    assert_eq!(watched, ["watch_operation 0", "watch_operation 2", "watch_operation 2", "watch_operation 3"]);
    assert_eq!(ended.err.matches("resolve done").count(), 1, "no step is told twice: {}", ended.err);

    fake.set(|script| {
        script
            .refusals
            .insert("watch_operation", VecDeque::from([Status::not_found("operations/op-1 does not exist")]));
    });
    assert_eq!(program.run("operation watch op-1").await.code, 3, "what never comes back is not waited for");

    fake.set(|script| {
        script.refusals.insert("watch_operation", (0..500).map(|_| Status::unavailable("down")).collect());
    });
    let ended = program.run("operation watch op-1").await;
    assert_eq!(ended.code, 10);
    assert!(ended.err.contains("strata operation watch op-1"), "{}", ended.err);
}

#[tokio::test]
async fn operations_that_do_not_succeed() {
    let fake = fake::start().await;
    let program = Program::new(&fake.url);
    let mut text = String::new();
    let failed = detailed(Code::ResourceExhausted, "exhausted", "ARRAY_FULL", "filer-1 has 1 GiB left");
    let status = tonic_types::pb::Status {
        code: failed.code() as i32,
        message: failed.message().to_owned(),
        details: prost::Message::decode(failed.details()).map(|s: tonic_types::pb::Status| s.details).unwrap(),
    };
    fake.set(|script| {
        let mut events = objects::events(objects::any("google.protobuf.Empty", &()));
        events[2].metadata = Some(objects::metadata(
            pb::OperationState::Undoing,
            &[
                ("resolve", pb::StepState::Undone, ""),
                ("array_snapshot", pb::StepState::Failed, "filer-1 has 1 GiB left"),
            ],
        ));
        events[3].response = None;
        events[3].error = Some(status.clone());
        script.events = events;
    });
    program.tell(&mut text, "snapshot create web-01").await;
    program.tell(&mut text, "snapshot create web-01 --json").await;
    fake.set(|script| {
        script.operation.done = true;
        script.operation.result = Some(End::Error(status));
    });
    program.tell(&mut text, "operation show op-1").await;
    fake.set(|script| {
        script.operation = objects::accepted();
        let mut events = objects::events(objects::any("google.protobuf.Empty", &()));
        events.truncate(3);
        events[2].metadata = Some(objects::metadata(
            pb::OperationState::Stuck,
            &[("array_snapshot", pb::StepState::Stuck, "filer-1 does not answer")],
        ));
        script.events = events;
    });
    program.tell(&mut text, "snapshot create web-01").await;
    fake.set(|script| script.events = objects::events(objects::any("strata.gateway.v1.Clone", &objects::clone())));
    program.tell(&mut text, "snapshot create web-01").await;
    golden::check("failures", &text);
}

#[tokio::test]
async fn nothing_is_lost_without_a_confirmation() {
    let fake = fake::start().await;
    fake.set(|script| {
        script.events = objects::events(objects::any("strata.gateway.v1.RevertVmResponse", &objects::revert_answer()));
    });
    let mut text = String::new();
    Program::new(&fake.url).tell(&mut text, "revert web-01@1004").await;
    Program::new(&fake.url).types("yes\n").tell(&mut text, "revert web-01@1004").await;
    Program::new(&fake.url).types("").tell(&mut text, "clone delete web-01-t").await;
    Program::new(&fake.url).types("web-01\n").tell(&mut text, "revert web-01@1004 --json").await;
    Program::new(&fake.url).types("web-01\n").tell(&mut text, "snapshot delete web-01@1004 --quiet").await;
    assert_eq!(fake.asked(), Vec::<String>::new(), "nothing was asked to change");
    Program::new(&fake.url).types("web-01\n").tell(&mut text, "revert web-01@1004").await;
    assert!(fake.asked()[0].starts_with("revert_vm"), "it was confirmed");
    golden::check("confirmation", &text);
}

/// Runs a snapshot whose operation never ends, and presses Ctrl-C when it is watched.
async fn interrupted(fake: &fake::Fake, program: Program) -> support::program::Ended {
    fake.set(|script| {
        script.events = objects::events(objects::any("strata.gateway.v1.Snapshot", &objects::snapshot()));
        script.events[3].done = false;
        script.events[3].response = None;
        script.hangs = true;
    });
    let interrupt = program.interrupt.clone();
    let watched = fake.watched.clone();
    let (ended, ()) = tokio::join!(program.run("snapshot create web-01"), async move {
        watched.notified().await;
        interrupt.notify_one();
    });
    ended
}

#[tokio::test]
async fn ctrl_c_leaves_the_operation_unless_told_otherwise() {
    let fake = fake::start().await;
    let ended = interrupted(&fake, Program::new(&fake.url)).await;
    assert_eq!(ended.code, 130, "{}", ended.err);
    assert!(ended.err.contains("hint: watch it again with `strata operation watch op-1`"), "{}", ended.err);
    assert!(!fake.asked().iter().any(|one| one.starts_with("cancel")), "nobody was asked, nothing is cancelled");

    let ended = interrupted(&fake, Program::new(&fake.url).types("n\n")).await;
    assert_eq!(ended.code, 130, "{}", ended.err);
    assert!(ended.err.contains("Cancel it and take back what it did? [y/N]"), "{}", ended.err);
    assert!(!fake.asked().iter().any(|one| one.starts_with("cancel")));

    // The watch that follows the cancel ends without a last message and is taken up again.
    let cancelled = tonic_types::pb::Status {
        code: Code::Cancelled as i32,
        message: "cancelled by you".to_owned(),
        details: vec![],
    };
    let program = Program::new(&fake.url).types("y\n");
    fake.set(|script| script.hangs = true);
    let end = pb::WatchOperationResponse {
        done: true,
        sequence: 9,
        error: Some(cancelled),
        metadata: Some(objects::metadata(pb::OperationState::Cancelled, &[])),
        ..pb::WatchOperationResponse::default()
    };
    let script = fake.script.clone();
    let asked = async {
        loop {
            tokio::task::yield_now().await;
            let mut script = script.lock().unwrap();
            if script.asked.iter().any(|one| one == "cancel_operation operations/op-1") {
                script.events.push(end);
                return;
            }
        }
    };
    let (ended, ()) = tokio::join!(interrupted(&fake, program), asked);
    assert_eq!(ended.code, 12, "the operation was cancelled: {}", ended.err);
}

#[tokio::test]
async fn a_real_ctrl_c_ends_the_program_and_not_the_operation() {
    let fake = fake::start().await;
    fake.set(|script| {
        script.events.truncate(3);
        script.hangs = true;
    });
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_strata"));
    command.args(["snapshot", "create", "web-01"]).env_clear().env("STRATA_GATEWAY", &fake.url).kill_on_drop(true);
    command
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    fake.watched.notified().await;
    let id = child.id().unwrap().to_string();
    assert!(tokio::process::Command::new("kill").args(["-INT", &id]).status().await.unwrap().success());
    let ended = child.wait_with_output().await.unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(130), "{told}");
    assert!(told.contains("strata operation watch op-1") && told.contains("strata operation cancel op-1"), "{told}");
    assert!(!fake.asked().iter().any(|one| one.starts_with("cancel")));
}

#[tokio::test]
async fn restore_points_outlive_their_vm() {
    let fake = fake::start().await;
    fake.set(|script| script.vms.retain(|vm| vm.display_name != "web-01"));
    let ended = Program::new(&fake.url).run("snapshot list web-01").await;
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.contains("web-01@1004") && ended.err.contains("one that was"), "{}{}", ended.out, ended.err);
    assert_eq!(Program::new(&fake.url).run("snapshot list web-02").await.code, 3);
}

#[tokio::test]
async fn colour_only_where_it_is_wanted() {
    let fake = fake::start().await;
    let terminal = || Program::new(&fake.url).columns(200).err_terminal();
    let bold = "\x1b[1m";
    for (program, line, expected) in [
        (terminal(), "vm list", true),
        (terminal().variable("NO_COLOR", "1"), "vm list", false),
        (terminal().variable("NO_COLOR", ""), "vm list", true),
        (terminal().variable("TERM", "dumb"), "vm list", false),
        (terminal(), "vm list --color never", false),
        (Program::new(&fake.url), "vm list", false),
        (Program::new(&fake.url).variable("NO_COLOR", "1"), "vm list --color always", true),
    ] {
        let ended = program.run(line).await;
        assert_eq!(ended.out.contains(bold), expected, "{line}: {}", ended.out);
        assert!(!ended.out.contains("\x1b[31m"), "a name's own escapes reached the terminal");
    }
    let ended = terminal().variable("NO_COLOR", "1").run("vm show nobody").await;
    assert!(!ended.err.contains('\x1b'), "{:?}", ended.err);
    assert!(terminal().run("vm show nobody").await.err.starts_with("\x1b[1;31merror: "));
}

#[tokio::test]
async fn tables_fit_the_terminal() {
    let fake = fake::start().await;
    for columns in [80, 120, 200] {
        for line in ["vm list --color never", "snapshot list --color never", "vm show web-01 --color never"] {
            let ended = Program::new(&fake.url).columns(columns).run(line).await;
            let table_lines = ended.out.lines().filter(|text| text.contains("  "));
            let widest = table_lines.map(console_width).max().unwrap();
            assert!(widest <= usize::from(columns), "{line} is {widest} wide on {columns}:\n{}", ended.out);
        }
    }
}

fn console_width(text: &str) -> usize {
    text.chars().count()
}

#[tokio::test]
async fn a_closed_pipe_is_success_and_a_full_disk_is_not() {
    let fake = fake::start().await;
    for line in ["vm list", "vm list --json", "help", "completion bash", "exit-codes"] {
        let program = Program::new(&fake.url).broken(io::ErrorKind::BrokenPipe);
        let ended = program.run(line).await;
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{line}");
        let ended = Program::new(&fake.url).broken(io::ErrorKind::StorageFull).run(line).await;
        assert_eq!(ended.code, 1, "{line}: {}", ended.err);
    }
}

#[tokio::test]
async fn commands_that_are_not_understood() {
    let fake = fake::start().await;
    let lines = [
        "vm",
        "vm list --bogus",
        "vm list --bogus --json",
        "snapshot create web-01 --grade best",
        "snapshot create web-01 --keep 5m",
        "clone create web-01@1004 --power-on",
        "revert web-01@1004 --shut-down --power-off",
        "snapshot create web-01 --dry-run --no-wait",
        "snapshot create web-01 --request-id 7",
        "vm list --timeout 0",
        "exit-codes",
        "exit-codes --json",
    ];
    story(&Program::new(&fake.url), "usage", &lines).await;
}

#[tokio::test]
async fn configuration() {
    let fake = fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cli.toml");
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    let config = path.to_str().unwrap();
    let bare = || Program::new("");
    let ended = bare().run("vm list").await;
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("hint: use --gateway URL"), "{}", ended.err);
    assert_eq!(bare().run("exit-codes").await.code, 0, "what needs no gateway works without");
    assert_eq!(bare().run(&format!("vm list --gateway {}", fake.url)).await.code, 0);

    write(&format!("gateway = \"{}\"\n", fake.url));
    assert_eq!(bare().run(&format!("vm list --config {config}")).await.code, 0);
    assert_eq!(bare().variable("STRATA_CONFIG", config).run("vm list").await.code, 0);
    std::fs::create_dir(folder.path().join("strata")).unwrap();
    std::fs::copy(&path, folder.path().join("strata/cli.toml")).unwrap();
    assert_eq!(bare().variable("XDG_CONFIG_HOME", folder.path().to_str().unwrap()).run("vm list").await.code, 0);
    assert_eq!(
        Program::new("http://127.0.0.1:1").run(&format!("vm list --config {config}")).await.code,
        10,
        "the variable wins"
    );

    write("gatway = \"x\"\n");
    let ended = bare().run(&format!("vm list --config {config}")).await;
    assert!(ended.code == 2 && ended.err.contains("gatway"), "{}", ended.err);
    let ended = bare().run("vm list --config /nowhere/cli.toml").await;
    assert!(ended.code == 2 && ended.err.contains("/nowhere/cli.toml"), "{}", ended.err);
    let ended = bare().run(&format!("vm list --gateway https://127.0.0.1:1 --ca-file {config}x")).await;
    assert!(ended.code == 2 && ended.err.contains("cli.tomlx"), "{}", ended.err);
    let ended = bare().run("vm list --gateway 'not a url'").await;
    assert!(ended.code == 2 && ended.err.contains("not a url"), "{}", ended.err);
}

#[tokio::test]
async fn completion_knows_the_verbs() {
    for shell in ["bash", "zsh", "fish"] {
        let ended = Program::new("").run(&format!("completion {shell}")).await;
        assert_eq!(ended.code, 0);
        for word in ["snapshot", "allow-weaker", "exit-codes"] {
            assert!(ended.out.contains(word), "{shell} lacks {word}");
        }
    }
}
