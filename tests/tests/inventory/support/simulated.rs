//! The project's own simulated vCenter, in process: stricter than vcsim, and with what vcsim lacks.

use super::{lossy::Lossy, order::Checked};
use std::{sync::Arc, time::Duration};
use strata_inventory_svc::{
    grpc::InventoryFace,
    vcenter::{Client, ClientOptions},
    vcenters::Vcenters,
};
use strata_kit::{
    clock::SystemClock,
    http::{HttpError, InProcess},
};
use strata_sim::{
    clock::MachineClock,
    serve, skins,
    world::{
        MemTree, Space, World,
        compute::{Builder, Vcenter},
        tree::FileTree,
    },
};

/// A vCenter and a client of it.
pub struct Simulated {
    /// The world behind it.
    pub vc: Arc<Vcenter>,
    /// A client.
    pub client: Arc<Client>,
    /// The service.
    pub face: InventoryFace,
    /// What it was asked, and whose answers get lost.
    pub lossy: Lossy,
    checked: Checked,
}

/// An empty filesystem.
pub fn tree() -> Arc<dyn FileTree> {
    Arc::new(MemTree::new(Space::unlimited()))
}

impl Simulated {
    /// With two hosts, NFS datastores `ds1` and `ds2`, an export `/vol/other`, and what `describe` adds.
    pub fn new(describe: impl FnOnce(Builder) -> Builder) -> Self {
        let world = World::new(Arc::new(MachineClock));
        for export in ["/vol/ds1", "/vol/ds2", "/vol/other"] {
            world.register_nfs("192.0.2.1", export, tree());
        }
        let builder = Vcenter::builder(world, "vc")
            .user("user", "pass")
            .datacenter("DC 1")
            .cluster("C1")
            .host("esx1.example")
            .host("esx2.example")
            .nfs_datastore("ds1", "192.0.2.1", "/vol/ds1")
            .nfs_datastore("ds2", "192.0.2.1", "/vol/ds2");
        let vc = describe(builder).build().expect("a vCenter");
        let router = skins::vcenter::router(vc.clone());
        let http = InProcess::new(move |request| {
            let router = router.clone();
            Box::pin(async move {
                let broken =
                    |source: std::io::Error| HttpError::Broken { host: "vc".to_owned(), source: source.into() };
                serve::call(router, request).await.map_err(broken)
            })
        });
        let options = ClientOptions {
            name: "vc-1".to_owned(),
            url: "https://vc.example.com/sdk".to_owned(),
            username: "user".to_owned(),
            password: "pass".to_owned().into(),
            task_wait: Duration::from_secs(2),
            footing: Default::default(),
        };
        let checked = Checked::new(Arc::new(http));
        let lossy = Lossy::new(Arc::new(checked.clone()));
        let client = Client::new(options, Arc::new(lossy.clone()), SystemClock::shared());
        Self { vc, face: InventoryFace::new(Vcenters::new([client.clone()])), client, lossy, checked }
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let faults = self.checked.faults.lock().expect("no panic");
            assert!(faults.is_empty(), "requests that vCenter would refuse:\n{}", faults.join("\n"));
        }
    }
}
