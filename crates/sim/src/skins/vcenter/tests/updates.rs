//! WaitForUpdatesEx.

use super::{Client, client::between};
use std::time::Duration;

const PC: (&str, &str) = ("PropertyCollector", "propertyCollector");

fn filter(vm: &str) -> String {
    format!(
        r#"<spec><propSet><type>VirtualMachine</type><pathSet>name</pathSet><pathSet>runtime.powerState</pathSet></propSet><objectSet><obj type="VirtualMachine">{vm}</obj></objectSet></spec><partialUpdates>false</partialUpdates>"#
    )
}

async fn wait(c: &Client, version: &str, seconds: u64) -> String {
    let args = format!("<version>{version}</version><options><maxWaitSeconds>{seconds}</maxWaitSeconds></options>");
    c.ok("WaitForUpdatesEx", PC.0, PC.1, &args).await
}

#[tokio::test]
async fn changes_come_once_and_a_lost_answer_can_be_asked_for_again() {
    let c = Client::new().await;
    let db = c.vm("db");
    c.ok("CreateFilter", PC.0, PC.1, &filter(&db)).await;
    let first = wait(&c, "", 0).await;
    assert!(first.contains("<kind>enter</kind>") && first.contains(">poweredOff<"), "{first}");
    let version = between(&first, "<version>", "</version>").to_owned();
    assert!(!wait(&c, &version, 0).await.contains("returnval"));
    assert_eq!(c.task("PowerOnVM_Task", "VirtualMachine", &db, "").await, "success");
    let second = wait(&c, &version, 0).await;
    assert!(second.contains("<kind>modify</kind>") && second.contains("runtime.powerState"), "{second}");
    assert!(!second.contains("<name>name</name>"), "only what changed: {second}");
    let again = wait(&c, &version, 0).await;
    assert!(again.contains("runtime.powerState"), "{again}");
    let newest = between(&again, "<version>", "</version>").to_owned();
    assert!(!wait(&c, &newest, 0).await.contains("returnval"));
    assert_eq!(c.fault("WaitForUpdatesEx", PC.0, PC.1, "<version>77</version>").await, "InvalidCollectorVersion");
    c.task("PowerOffVM_Task", "VirtualMachine", &db, "").await;
    c.ok("UnregisterVM", "VirtualMachine", &db, "").await;
    let last = wait(&c, &newest, 0).await;
    assert!(last.contains("<kind>leave</kind>"), "{last}");
}

#[tokio::test]
async fn a_wait_ends_by_a_change_by_time_or_by_cancel() {
    let c = std::sync::Arc::new(Client::new().await);
    let db = c.vm("db");
    c.ok("CreateFilter", PC.0, PC.1, &filter(&db)).await;
    let version = between(&wait(&c, "", 0).await, "<version>", "</version>").to_owned();
    let spawn = |version: String| {
        let c = std::sync::Arc::clone(&c);
        tokio::spawn(async move {
            let args = format!("<version>{version}</version><options><maxWaitSeconds>60</maxWaitSeconds></options>");
            c.call("WaitForUpdatesEx", PC.0, PC.1, &args).await.1
        })
    };
    let settle = async || {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    };
    let waiting = spawn(version.clone());
    settle().await;
    assert!(!waiting.is_finished());
    c.task("PowerOnVM_Task", "VirtualMachine", &db, "").await;
    let text = waiting.await.unwrap();
    assert!(text.contains(">poweredOn<"), "{text}");
    let version = between(&text, "<version>", "</version>").to_owned();
    let waiting = spawn(version.clone());
    settle().await;
    c.clock.advance(Duration::from_secs(61));
    assert!(!waiting.await.unwrap().contains("returnval"));
    let waiting = spawn(version);
    settle().await;
    c.ok("CancelWaitForUpdates", PC.0, PC.1, "").await;
    assert!(waiting.await.unwrap().contains("RequestCanceled"));
}

#[tokio::test]
async fn views_grow_and_shrink_and_long_news_comes_in_parts() {
    let c = Client::new().await;
    let view = "<container type=\"Folder\">group-d1</container><type>VirtualMachine</type><recursive>true</recursive>";
    let view = c.ok("CreateContainerView", "ViewManager", "ViewManager", view).await;
    let view = between(&view, "type=\"ContainerView\">", "<");
    let spec = format!(
        r#"<spec><propSet><type>VirtualMachine</type><pathSet>name</pathSet></propSet><objectSet><obj type="ContainerView">{view}</obj><skip>true</skip><selectSet i:type="TraversalSpec"><type>ContainerView</type><path>view</path><skip>false</skip></selectSet></objectSet></spec><partialUpdates>false</partialUpdates>"#
    );
    c.ok("CreateFilter", PC.0, PC.1, &spec).await;
    let part = async |version: &str| {
        let options = "<options><maxWaitSeconds>0</maxWaitSeconds><maxObjectUpdates>3</maxObjectUpdates></options>";
        c.ok("WaitForUpdatesEx", PC.0, PC.1, &format!("<version>{version}</version>{options}")).await
    };
    let first = part("").await;
    assert_eq!(first.matches("<kind>enter</kind>").count(), 3);
    assert!(first.contains("<truncated>true</truncated>"), "{first}");
    let second = part(between(&first, "<version>", "</version>")).await;
    assert_eq!(second.matches("<kind>enter</kind>").count(), 1, "{second}");
    assert!(!second.contains("truncated"), "{second}");
    c.ok("UnregisterVM", "VirtualMachine", &c.vm("db"), "").await;
    let (folder, pool) = c.vc.with(|s| {
        (s.datacenters.values().next().unwrap().vm_folder.clone(), s.clusters.values().next().unwrap().pool.clone())
    });
    let args =
        format!("<path>[ds1] db/db.vmx</path><asTemplate>false</asTemplate><pool type=\"ResourcePool\">{pool}</pool>");
    assert_eq!(c.task("RegisterVM_Task", "Folder", &folder, &args).await, "success");
    let third = part(between(&second, "<version>", "</version>")).await;
    assert!(third.contains("<kind>leave</kind>") && third.contains("<kind>enter</kind>"), "{third}");
}
