//! Building a [`House`].

use super::{Certificate, Gate, House, Hurt};
use crate::conformance::rows::image::{Image, run};
use anyhow::{Context as _, anyhow};
use std::{path::Path, sync::Arc};
use strata_gateway::{
    Gateway,
    ports::{Inventory, Ports, Storage},
};
use strata_inventory_svc::{InventorySvc, config::InventoryConfig, footing::Footing};
use strata_kit::{
    clock::{SharedClock, SystemClock},
    config::load_text,
    contract::{ContractOptions, stack},
    health::HealthHandle,
    http::{HttpError, InProcess, SharedHttp},
    upstream::Upstream,
};
use strata_model::ids::ArrayName;
use strata_sim::{
    clock::MachineClock,
    serve,
    world::{
        DirTree, World,
        compute::{self, Vcenter, VmSpec},
    },
};
use strata_storage_svc::{
    StorageSvc,
    driver::ArrayDriver,
    drivers::filer::{EngineChoice, Filer, FilerConfig},
};
use tonic::service::Routes;

/// Address under which the filer's exports are mounted.
pub const FILER_ADDRESS: &str = "192.0.2.10";
/// Name and password of the service account.
pub const ACCOUNT: (&str, &str) = ("strata@vsphere.local", "Secr3t!");

/// Size of a filer's image.
const IMAGE_BYTES: u64 = 512 << 20;

/// Which array lies under the datastores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArrayKind {
    /// A filer on a directory of this machine's temporary filesystem, which usually can only copy.
    FilerOnDirectory,
    /// A filer on XFS with reflinks, in a loop-mounted image.
    FilerOnXfs,
    /// A filer on btrfs subvolumes, in a loop-mounted image.
    FilerOnBtrfs,
    /// The simulated NFS array, which clones files and cuts several volumes at one point.
    Reference,
    /// The same, clones of whole volumes only.
    ReferenceByVolume,
    /// The same with everything done by jobs whose answers come later.
    ReferenceByJobs,
}

impl ArrayKind {
    /// Every kind.
    pub const ALL: [ArrayKind; 6] = [
        ArrayKind::FilerOnDirectory,
        ArrayKind::FilerOnXfs,
        ArrayKind::FilerOnBtrfs,
        ArrayKind::Reference,
        ArrayKind::ReferenceByVolume,
        ArrayKind::ReferenceByJobs,
    ];

    /// The kinds that can clone without copying.
    pub const CLONING: [ArrayKind; 5] = [
        ArrayKind::FilerOnXfs,
        ArrayKind::FilerOnBtrfs,
        ArrayKind::Reference,
        ArrayKind::ReferenceByVolume,
        ArrayKind::ReferenceByJobs,
    ];

    /// The kinds that can put files back.
    pub const REVERTING: [ArrayKind; 4] =
        [ArrayKind::FilerOnXfs, ArrayKind::FilerOnBtrfs, ArrayKind::Reference, ArrayKind::ReferenceByJobs];

    /// Whether the array is simulated in memory.
    pub fn in_memory(self) -> bool {
        matches!(self, ArrayKind::Reference | ArrayKind::ReferenceByVolume | ArrayKind::ReferenceByJobs)
    }

    fn image(self, size_bytes: u64) -> anyhow::Result<Option<Image>> {
        match self {
            ArrayKind::FilerOnDirectory
            | ArrayKind::Reference
            | ArrayKind::ReferenceByVolume
            | ArrayKind::ReferenceByJobs => Ok(None),
            ArrayKind::FilerOnXfs => Image::mount(&["mkfs.xfs", "-q", "-m", "reflink=1"], size_bytes).map(Some),
            ArrayKind::FilerOnBtrfs => Image::mount(&["mkfs.btrfs", "-q"], size_bytes).map(Some),
        }
    }
}

/// Runs a test on each of these arrays; one that this machine cannot have is skipped aloud (and fails in CI).
///
/// # Errors
/// The first that failed, with the array's name.
#[expect(clippy::print_stderr, reason = "a skip must be seen")]
pub async fn on_each<F>(kinds: &[ArrayKind], test: impl Fn(ArrayKind) -> F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    for kind in kinds {
        if let Err(missing) = kind.image(IMAGE_BYTES) {
            anyhow::ensure!(std::env::var_os("CI").is_none(), "{kind:?} is needed in CI: {missing:#}");
            eprintln!("SKIPPED: {kind:?}: {missing:#}");
            continue;
        }
        test(*kind).await.with_context(|| format!("on {kind:?}"))?;
    }
    Ok(())
}

/// The volume behind a datastore: the same name with what no array takes replaced.
pub(super) fn volume_of(datastore: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { 'x' };
    datastore.chars().map(plain).collect()
}

/// What shall be there.
#[derive(Debug)]
pub struct Builder {
    array: ArrayKind,
    datastores: Vec<String>,
    within: Vec<(String, String, String)>,
    vms: Vec<VmSpec>,
    more: Vec<fn(compute::Builder) -> compute::Builder>,
    second: Option<Vec<VmSpec>>,
    footing: fn(&Vcenter) -> Footing,
    image_bytes: u64,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            array: ArrayKind::FilerOnDirectory,
            datastores: vec!["ds1".to_owned(), "ds2".to_owned()],
            within: Vec::new(),
            vms: Vec::new(),
            more: Vec::new(),
            second: None,
            footing: |_| Footing::default(),
            image_bytes: IMAGE_BYTES,
        }
    }
}

impl Builder {
    /// Under another array.
    #[must_use]
    pub fn array(mut self, array: ArrayKind) -> Self {
        self.array = array;
        self
    }

    /// With this VM too.
    #[must_use]
    pub fn vm(mut self, spec: VmSpec) -> Self {
        self.vms.push(spec);
        self
    }

    /// Datastores of these names, each on a volume of its own, instead of `ds1` and `ds2`.
    #[must_use]
    pub fn datastores(mut self, names: &[&str]) -> Self {
        self.datastores = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// With a datastore of this name on a directory of another datastore's volume.
    #[must_use]
    pub fn datastore_within(mut self, name: &str, datastore: &str, directory: &str) -> Self {
        self.within.push((name.to_owned(), volume_of(datastore), directory.to_owned()));
        self
    }

    /// With whatever this adds to the vCenter, after the VMs: files, VMware snapshots, linked clones.
    #[must_use]
    pub fn more(mut self, add: fn(compute::Builder) -> compute::Builder) -> Self {
        self.more.push(add);
        self
    }

    /// With a second vCenter, `vc-2`, over the same datastores, that has these VMs.
    #[must_use]
    pub fn second_vcenter(mut self, vms: Vec<VmSpec>) -> Self {
        self.second = Some(vms);
        self
    }

    /// With the three services on a machine of this vCenter, or with whatever else inventory-svc is to know of its footing.
    #[must_use]
    pub fn footing(mut self, footing: fn(&Vcenter) -> Footing) -> Self {
        self.footing = footing;
        self
    }

    /// The filer's image has this size.
    #[must_use]
    pub fn image_bytes(mut self, size_bytes: u64) -> Self {
        self.image_bytes = size_bytes;
        self
    }

    /// Builds it.
    pub async fn start(self) -> anyhow::Result<House> {
        let directory = tempfile::tempdir()?;
        let world = World::new(Arc::new(MachineClock));
        let clock = SystemClock::shared();
        let image = self.array.image(self.image_bytes)?;
        let (vcenter_certificate, array_certificate) = (Certificate::default(), Certificate::default());
        let root = image.as_ref().map_or_else(|| directory.path().join("filer"), Image::path);
        let driver = match self.array.in_memory() {
            true => super::memory::reference(&world, self.array, &self.datastores, &array_certificate)?,
            false => self.filer(&world, &root, &clock)?,
        };
        for (_, volume, directory) in &self.within {
            self.make_within(&world, &root, volume, directory)?;
        }
        let vcenter = self.vcenter(&world, "vc-1", 1, &self.vms)?;
        let mut vcenters = vec![vcenter.clone()];
        if let Some(vms) = &self.second {
            vcenters.push(self.vcenter(&world, "vc-2", 2, vms)?);
        }
        let (gate, hurt) = (Gate::default(), Arc::new(Hurt::default()));
        let storage_svc = StorageSvc::from_drivers(vec![(ArrayName::from("array-1"), driver)], &clock);
        let ungated_storage = in_process("storage-svc", storage_svc.routes());
        let storage = in_process("storage-svc", gate.before(storage_svc.routes()));
        let inventory_svc = inventory_svc(&(self.footing)(&vcenter), &vcenters, &vcenter_certificate, &clock)?;
        let inventory = in_process("inventory-svc", gate.before(inventory_svc.routes()));
        let ports = Ports { inventory: Inventory::new(inventory.clone()), storage: Storage::new(storage.clone()) };
        let gateway = open_hurt(&directory.path().join("gateway"), ports, Some(hurt.clone())).await?;
        let upstream = in_process("gateway", gateway.api.routes());
        Ok(House {
            world,
            vcenter,
            vcenters,
            datastores: self.datastores,
            vcenter_certificate,
            array_certificate,
            gate,
            hurt,
            gateway,
            upstream,
            inventory_svc,
            storage_svc,
            inventory,
            storage,
            ungated_storage,
            filer_root: (!self.array.in_memory()).then_some(root),
            directory,
            image,
        })
    }

    fn filer(&self, world: &World, root: &Path, clock: &SharedClock) -> anyhow::Result<Arc<dyn ArrayDriver>> {
        for name in &self.datastores {
            let name = &volume_of(name);
            let volume = root.join(name);
            match self.array {
                ArrayKind::FilerOnBtrfs => {
                    run(std::process::Command::new("btrfs").args(["-q", "subvolume", "create"]).arg(&volume))?;
                }
                _ => fs_err::create_dir_all(&volume)?,
            }
            let tree = DirTree::open(&volume).map_err(|error| anyhow!("{error}"))?;
            world.register_nfs(FILER_ADDRESS, &format!("/{name}"), Arc::new(tree));
        }
        let config = FilerConfig {
            root: root.to_owned(),
            hosts: vec![FILER_ADDRESS.to_owned()],
            path_prefix: Some("/".to_owned()),
            volumes: Some(self.datastores.iter().map(|name| volume_of(name)).collect()),
            engine: EngineChoice::default(),
        };
        Ok(Arc::new(Filer::new(config, clock.clone())))
    }

    fn make_within(&self, world: &World, root: &Path, volume: &str, directory: &str) -> anyhow::Result<()> {
        let tree = world.nfs(FILER_ADDRESS, &format!("/{volume}")).context("no such export")?;
        tree.create_dir_all(directory)?;
        if !self.array.in_memory() {
            let tree = DirTree::open(&root.join(volume).join(directory)).map_err(|error| anyhow!("{error}"))?;
            world.register_nfs(FILER_ADDRESS, &format!("/{volume}/{directory}"), Arc::new(tree));
        }
        Ok(())
    }

    fn vcenter(&self, world: &Arc<World>, name: &str, seed: u64, vms: &[VmSpec]) -> anyhow::Result<Arc<Vcenter>> {
        let mut builder = compute::Builder::seeded(world.clone(), name, seed)
            .user(ACCOUNT.0, ACCOUNT.1)
            .datacenter("dc-1")
            .cluster("cluster-1")
            .host("esx-1.example")
            .host("esx-2.example");
        for name in &self.datastores {
            builder = builder.nfs_datastore(name, FILER_ADDRESS, &format!("/{}", volume_of(name)));
        }
        for (name, volume, directory) in &self.within {
            builder = builder.nfs_datastore(name, FILER_ADDRESS, &format!("/{volume}/{directory}"));
        }
        for spec in vms {
            builder = builder.vm(spec.clone());
        }
        // What else there is, is the first one's.
        for add in self.more.iter().filter(|_| seed == 1) {
            builder = add(builder);
        }
        builder.build().map_err(|fault| anyhow!("{}", fault.message))
    }
}

fn inventory_svc(
    footing: &Footing,
    vcenters: &[Arc<Vcenter>],
    certificate: &Certificate,
    clock: &SharedClock,
) -> anyhow::Result<InventorySvc> {
    let entry = |vcenter: &Arc<Vcenter>| {
        let name = vcenter.with(|state| state.name.clone());
        format!(
            "[[vcenter]]\nname = \"{name}\"\nurl = \"http://{name}.example\"\nusername = \"{}\"\npassword = \"{}\"\ninsecure = true\n",
            ACCOUNT.0, ACCOUNT.1
        )
    };
    let config: InventoryConfig = load_text("test", &vcenters.iter().map(entry).collect::<String>(), [])?.value;
    let vcenters = vcenters.to_vec();
    let http = move |name: &str, _: &strata_kit::http::TlsOptions| -> Result<SharedHttp, String> {
        let named = |vcenter: &&Arc<Vcenter>| vcenter.with(|state| state.name == name);
        let vcenter = vcenters.iter().find(named).ok_or_else(|| format!("no vCenter {name}"))?;
        let router = strata_sim::skins::vcenter::router(vcenter.clone());
        Ok(certificate.before(Arc::new(InProcess::new(move |request| {
            let router = router.clone();
            Box::pin(async move {
                let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
                let broken = |error| HttpError::Broken { host, source: Box::new(error) };
                serve::call(router, request).await.map_err(broken)
            })
        }))))
    };
    InventorySvc::on(footing, &config, &http, clock).map_err(|error| anyhow!(error))
}

/// Opens the gateway over its stores, as its binary does.
pub async fn open_gateway(directory: &Path, ports: Ports) -> anyhow::Result<Gateway> {
    open_hurt(directory, ports, None).await
}

/// The same where a test hurts operations.
pub(super) async fn open_hurt(directory: &Path, ports: Ports, hurt: Option<Arc<Hurt>>) -> anyhow::Result<Gateway> {
    let faults = hurt.map(|hurt| hurt as Arc<dyn strata_saga::Faults>);
    strata_gateway::open::with_faults(directory, ports, SystemClock::shared(), jiff::tz::TimeZone::UTC, faults)
        .await
        .map_err(|error| anyhow!(error))
        .context("the gateway does not start")
}

/// A service without a socket, with the same layers as one that is served.
pub fn in_process(name: &str, routes: Routes) -> Upstream {
    let health = HealthHandle::new(Vec::<String>::new());
    Upstream::in_process(name, stack(routes, &health, ContractOptions::default()))
}
