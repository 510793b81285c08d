//! A cluster ends with whoever started it, in whatever way that one ends.

use std::net::TcpStream;
use strata_kit::clock::{Clock as _, SystemClock};
use strata_tests::{
    ceph::{Cluster, lacking},
    peers,
};

fn address(cluster: &Cluster) -> String {
    cluster.url.trim_start_matches("https://").to_owned()
}

#[tokio::test]
async fn nothing_is_left_of_a_cluster() {
    if let Some(why) = lacking() {
        return peers::skip(&why);
    }
    let cluster = Cluster::start().unwrap();
    let (address, folder) = (address(&cluster), cluster.folder().unwrap().to_owned());
    TcpStream::connect(&address).unwrap();
    // What a test that is killed leaves: the script's input ends, and nobody waits for the script.
    cluster.abandon();
    for _ in 0..100 {
        if !folder.exists() && TcpStream::connect(&address).is_err() {
            return;
        }
        SystemClock.sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("ten seconds after its end {} is there, or {address} answers", folder.display());
}
