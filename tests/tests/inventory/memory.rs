//! The inventory in memory: the same as vCenter's, followed change by change, and honest about its age.

use crate::support::{
    breaking::Breaking,
    simulated::{Simulated, tree},
};
use futures::StreamExt as _;
use pb::{inventory_service_server::InventoryService as _, watch_inventory_response::Event};
use std::{sync::Arc, time::Duration};
use strata_inventory_svc::{
    cache::Caches,
    grpc::{InventoryFace, watch::News},
    topology::pb,
    vcenter::{Client, ClientOptions},
    vcenters::Vcenters,
};
use strata_kit::clock::SystemClock;
use strata_sim::world::compute::{VmSpec, state::State};
use tokio::task::JoinHandle;
use tonic::Request;

const VC: &str = "vcenters/vc-1";
const ALL: &str = "vcenters/-";
/// No wait of these tests is longer; one that is has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A followed vCenter, behind a network that can break.
struct Followed {
    sim: Simulated,
    network: Breaking,
    face: InventoryFace,
    following: JoinHandle<()>,
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.following.abort();
    }
}

fn client(name: &str, network: &Breaking) -> Arc<Client> {
    let options = ClientOptions {
        name: name.to_owned(),
        url: "https://vc.example.com".to_owned(),
        username: "user".to_owned(),
        password: "pass".to_owned().into(),
        task_wait: Duration::from_secs(2),
        footing: Default::default(),
    };
    Client::new(options, Arc::new(network.clone()), SystemClock::shared())
}

impl Followed {
    fn new(vms: usize) -> Self {
        let sim = Simulated::new(|builder| {
            let builder = builder.local_datastore("scratch", tree());
            (0..vms).fold(builder, |builder, number| {
                let folder = Some(format!("f{}", number % 3));
                builder.vm(VmSpec { folder, ..VmSpec::named(&format!("vm {number:03}")) })
            })
        });
        let network = Breaking::new(Arc::new(sim.lossy.clone()));
        // The second vCenter is the same one by another name and another way.
        let other = Breaking::new(Arc::new(sim.lossy.clone()));
        let clients = || [client("vc-1", &network), client("vc-2", &other)];
        let caches = Caches::new(clients());
        let followed: Vec<_> = caches.all().cloned().collect();
        let following = tokio::spawn(async move {
            futures::future::join_all(followed.iter().map(|cache| cache.follow())).await;
        });
        let face = InventoryFace::new(Vcenters::with_caches(clients(), caches));
        Self { sim, network, face, following }
    }

    async fn watch(&self, parent: &str, resume_token: &str) -> Result<News, tonic::Status> {
        let request = pb::WatchInventoryRequest { parent: parent.to_owned(), resume_token: resume_token.to_owned() };
        self.face.watch_inventory(Request::new(request)).await.map(tonic::Response::into_inner)
    }

    /// A watch that has told all there is of `vc-1`, and what it told.
    async fn synchronized(&self) -> (News, Vec<Event>, String) {
        loop {
            let mut news = self.watch(VC, "").await.expect("a watch");
            let mut told = Vec::new();
            loop {
                let (event, token) = next(&mut news).await;
                match event {
                    Event::Synchronized(all) if !all.freshness[0].stale => return (news, told, token),
                    // Begun before the inventory was there: it comes as changes, and then its being whole.
                    Event::Freshness(freshness) if !freshness.stale => break,
                    event => told.push(event),
                }
            }
        }
    }

    async fn list(&self, parent: &str, fresh: bool) -> pb::ListVmsResponse {
        let request = pb::ListVmsRequest { parent: parent.to_owned(), page_size: 1000, fresh, ..Default::default() };
        self.face.list_vms(Request::new(request)).await.expect("a list").into_inner()
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        self.sim.vc.with(|state| {
            let out = change(state);
            state.touch();
            out
        })
    }
}

async fn next(news: &mut News) -> (Event, String) {
    let message =
        tokio::time::timeout(PATIENCE, news.next()).await.expect("news in time").expect("no end").expect("news");
    (message.event.expect("an event"), message.resume_token)
}

async fn until<T>(news: &mut News, wanted: impl Fn(&Event) -> Option<T>) -> (T, String) {
    loop {
        let (event, token) = next(news).await;
        if let Some(found) = wanted(&event) {
            return (found, token);
        }
    }
}

fn called<'a>(name: &'a str) -> impl Fn(&Event) -> Option<pb::Vm> + 'a {
    move |event| match event {
        Event::Vm(vm) if vm.display_name == name => Some(vm.clone()),
        _ => None,
    }
}

#[tokio::test]
async fn memory_and_vcenter_tell_the_same() {
    // More than one answer of vCenter holds.
    let house = Followed::new(320);
    let (_news, told, _) = house.synchronized().await;
    let (held, read) = (house.list(VC, false).await, house.list(VC, true).await);
    assert_eq!(held.vms.len(), 320);
    assert_eq!(held.vms, read.vms);
    assert!(!held.freshness[0].stale && held.freshness[0].as_of.is_some(), "{:?}", held.freshness);
    let vms: Vec<pb::Vm> = told
        .iter()
        .filter_map(|event| match event {
            Event::Vm(vm) => Some(vm.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(vms, held.vms, "a watch begins with all");

    let stores = |fresh| pb::ListDatastoresRequest { parent: VC.to_owned(), fresh, ..Default::default() };
    let held = house.face.list_datastores(Request::new(stores(false))).await.expect("a list").into_inner();
    let read = house.face.list_datastores(Request::new(stores(true))).await.expect("a list").into_inner();
    assert_eq!((held.datastores.len(), held.datastores), (3, read.datastores));
    let hosts = |fresh| pb::ListHostsRequest { parent: VC.to_owned(), fresh, ..Default::default() };
    let held = house.face.list_hosts(Request::new(hosts(false))).await.expect("a list").into_inner();
    let read = house.face.list_hosts(Request::new(hosts(true))).await.expect("a list").into_inner();
    assert_eq!((held.hosts.len(), held.hosts), (2, read.hosts));

    let one = &read_one(&house, &vms[7]).await;
    assert_eq!(*one, vms[7]);
    for filter in [
        pb::ListVmsRequest { display_name: one.display_name.clone(), ..Default::default() },
        pb::ListVmsRequest { bios_uuid: one.bios_uuid.clone(), ..Default::default() },
        pb::ListVmsRequest { vmx_path: one.vmx_path.clone(), ..Default::default() },
        pb::ListVmsRequest { moref: one.moref.clone(), ..Default::default() },
    ] {
        for fresh in [false, true] {
            let request = pb::ListVmsRequest { parent: VC.to_owned(), fresh, ..filter.clone() };
            let found = house.face.list_vms(Request::new(request)).await.expect("a list").into_inner().vms;
            assert_eq!(found, std::slice::from_ref(one), "fresh {fresh}: {filter:?}");
        }
    }
    let mut paged = Vec::new();
    let mut token = String::new();
    loop {
        let request =
            pb::ListVmsRequest { parent: ALL.to_owned(), page_size: 99, page_token: token, ..Default::default() };
        let page = house.face.list_vms(Request::new(request)).await.expect("a page").into_inner();
        paged.extend(page.vms);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, house.list(ALL, true).await.vms, "page by page over two vCenters");
}

async fn read_one(house: &Followed, vm: &pb::Vm) -> pb::Vm {
    let request = pb::GetVmRequest { name: vm.name.clone(), fresh: false };
    let found = house.face.get_vm(Request::new(request)).await.expect("the VM").into_inner();
    assert!(found.freshness.as_ref().is_some_and(|freshness| !freshness.stale));
    pb::Vm { freshness: None, ..found }
}

// The simulator works out its next answer as soon as it is asked; on one thread the reader would wait for that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_seen_within_100_ms_of_vcenter_telling_it() {
    let house = Followed::new(20);
    let (mut news, ..) = house.synchronized().await;
    let mut times: Vec<Duration> = Vec::new();
    for round in 0..11 {
        let name = format!("renamed {round}");
        let begin = house.network.told();
        house.change(|state| state.vms.values_mut().next().expect("a VM").config.name.clone_from(&name));
        until(&mut news, called(&name)).await;
        let told = house.network.told();
        assert_ne!(told, begin, "vCenter was not asked");
        times.push(told.expect("an answer").elapsed());
        assert!(house.list(VC, false).await.vms.iter().any(|vm| vm.display_name == name), "told and not listed");
    }
    times.sort();
    // The fastest: any other may fall into another test's turn at the processor, and a wait of ours would be in all of them.
    assert!(times[0] < Duration::from_millis(100), "{times:?}");
}

#[tokio::test]
async fn a_lost_vcenter_makes_its_answers_stale_and_no_others() {
    let house = Followed::new(5);
    let (mut news, ..) = house.synchronized().await;
    let mut others = house.watch("vcenters/vc-2", "").await.expect("a watch");
    house.network.set_broken(true);
    let stale = |event: &Event| match event {
        Event::Freshness(freshness) if freshness.stale => Some(freshness.clone()),
        _ => None,
    };
    let (freshness, token) = until(&mut news, stale).await;
    assert!(freshness.reason.contains("vc-1") && freshness.as_of.is_some(), "{freshness:?}");
    let all = house.list(ALL, false).await;
    assert_eq!((all.vms.len(), all.unreachable.len()), (10, 0));
    let stale: Vec<(&str, bool)> = all.freshness.iter().map(|one| (one.vcenter.as_str(), one.stale)).collect();
    assert_eq!(stale, [(VC, true), ("vcenters/vc-2", false)]);
    assert_eq!(house.list(ALL, true).await.unreachable, [VC], "a fresh list does not take memory for vCenter");
    let vcenters =
        house.face.list_vcenters(Request::new(pb::ListVcentersRequest {})).await.expect("vCenters").into_inner();
    let states: Vec<bool> = vcenters.vcenters.iter().filter_map(|vc| Some(vc.inventory.as_ref()?.stale)).collect();
    assert_eq!(states, [true, false]);

    house.change(|state| state.vms.values_mut().next().expect("a VM").config.name = "meanwhile".to_owned());
    until(&mut others, called("meanwhile")).await;
    assert!(house.list(VC, false).await.vms.iter().all(|vm| vm.display_name != "meanwhile"));
    house.network.set_broken(false);
    until(&mut news, called("meanwhile")).await;
    let back = |event: &Event| matches!(event, Event::Freshness(freshness) if !freshness.stale).then_some(());
    // Who went on from a token is told the same.
    let mut again = house.watch(VC, &token).await.expect("a watch");
    until(&mut again, called("meanwhile")).await;
    until(&mut again, back).await;
    assert!(!house.list(VC, false).await.freshness[0].stale);
}

#[tokio::test]
async fn an_ended_session_is_replaced_and_what_went_meanwhile_goes() {
    let house = Followed::new(5);
    let (mut news, ..) = house.synchronized().await;
    let gone = house.list(VC, false).await.vms[2].clone();
    house.change(|state| {
        state.end_all_sessions();
        state.vms.remove(&gone.moref);
    });
    let removed = |event: &Event| match event {
        Event::Removed(name) => Some(name.clone()),
        _ => None,
    };
    assert_eq!(until(&mut news, removed).await.0, gone.name);
    let held = house.list(VC, false).await;
    assert_eq!(held.vms.len(), 4);
    assert_eq!(held.vms, house.list(VC, true).await.vms);
}

#[tokio::test]
async fn what_cannot_be_watched_is_refused() {
    let house = Followed::new(1);
    let code = |answer: Result<News, tonic::Status>| answer.err().map(|status| status.code());
    assert_eq!(code(house.watch("vcenters/vc-3", "").await), Some(tonic::Code::NotFound));
    for token in ["x", "00000000000000000000000000000000-1"] {
        assert!(house.watch(VC, token).await.is_err(), "{token}");
    }
    // Nothing follows here.
    let request = pb::WatchInventoryRequest { parent: VC.to_owned(), resume_token: String::new() };
    assert!(house.sim.face.watch_inventory(Request::new(request)).await.is_err());
}
