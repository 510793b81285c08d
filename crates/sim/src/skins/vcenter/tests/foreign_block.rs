//! VMware's Python client through the life of a copy on block storage. It asks for what an array's administrator does by
//! lines on its output, and waits for the answer.

use super::{
    Client,
    block::{clone_and_map, unmap, with_san},
    foreign::peer,
};
use crate::serve::{Security, serve};
use std::process::Stdio;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    process::Command,
};

#[tokio::test(flavor = "multi_thread")]
async fn pyvmomi_presents_and_removes_a_copy() {
    let Some(python) = peer("STRATA_PYVMOMI") else { return };
    let c = Client::with(with_san).await;
    let served = serve(c.router.clone(), Security::Tls).await.unwrap();
    let mut command = Command::new(python);
    command.args(["-c", include_str!("foreign_block.py"), &format!("{}/sdk", served.url()), "adm", "pw"]);
    let mut client =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut answers = client.stdin.take().unwrap();
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
    let mut last = String::new();
    let mut errors = client.stderr.take().unwrap();
    let errors = tokio::spawn(async move {
        let mut text = String::new();
        errors.read_to_string(&mut text).await.map(|_| text)
    });
    while let Some(line) = lines.next_line().await.unwrap() {
        let array = c.world.array("san1").unwrap();
        let answer = match line.split_once(' ') {
            Some(("clone", name)) => clone_and_map(&array, name),
            Some(("unmap", name)) => {
                unmap(&array, name);
                String::new()
            }
            _ => {
                last = line;
                continue;
            }
        };
        answers.write_all(format!("{answer}\n").as_bytes()).await.unwrap();
    }
    let status = client.wait().await.unwrap();
    let text = errors.await.unwrap().unwrap();
    assert!(status.success(), "{text}");
    assert_eq!(last, "look present ambiguous register relocate teardown");
    assert_eq!(c.vc.with(|s| s.block_violations()), []);
    assert_eq!(c.world.mishaps(), []);
}
