//! What vCenter is asked to tell the changes of: leaves of VMs, and the places around them.

use crate::{
    soap::{MoRef, Request},
    topology::places::{PLACES_BUT_HOSTS, TYPES},
    vcenter::{
        Client, Error,
        property_spec::{Properties, Start, Step, write_filter},
    },
};

/// Leaves of a VM: what a list shows but for its tasks.
pub const VM: Properties = Properties {
    kind: "VirtualMachine",
    paths: &[
        "name",
        "parent",
        "parentVApp",
        "resourcePool",
        "datastore",
        "snapshot",
        "config.instanceUuid",
        "config.uuid",
        "config.template",
        "config.changeVersion",
        "config.changeTrackingEnabled",
        "config.files.vmPathName",
        "config.managedBy",
        "config.extraConfig",
        "summary.config.instanceUuid",
        "summary.config.uuid",
        "summary.config.vmPathName",
        "summary.config.template",
        "runtime.powerState",
        "runtime.connectionState",
        "runtime.host",
        "runtime.question",
        "guest.hostName",
        "guest.ipAddress",
        "guest.toolsRunningStatus",
    ],
};

/// A host with its adapters: one set a type, since servers differ in what two sets of one type mean.
const HOST: Properties = Properties {
    kind: "HostSystem",
    paths: &[
        "name",
        "parent",
        "runtime.connectionState",
        "runtime.inMaintenanceMode",
        "config.network.vnic",
        "config.storageDevice.hostBusAdapter",
        "hardware.systemInfo",
        "configManager.datastoreSystem",
        "configManager.storageSystem",
    ],
};

/// All types that are followed, each with the properties that are asked for.
pub fn followed() -> impl Iterator<Item = Properties> {
    [VM, HOST].into_iter().chain(PLACES_BUT_HOSTS.iter().copied())
}

/// What was made in vCenter for one following; all of it ends with the session.
#[derive(Debug)]
pub struct Following {
    /// A collector of our own: a second wait on one collector would cancel the first.
    pub collector: MoRef,
    view: MoRef,
}

impl Following {
    /// Makes a collector with a filter over a container view of the whole inventory.
    ///
    /// # Errors
    /// A call failed.
    pub async fn start(client: &Client) -> Result<Self, Error> {
        let content = client.content().await?;
        let main = client.manager(content.property_collector.as_ref(), "property collector")?;
        let manager = client.manager(content.view_manager.as_ref(), "view manager")?;
        let root = client.manager(content.root_folder.as_ref(), "root folder")?;
        let create = Request::new("CreatePropertyCollector", &main);
        let collector = client.call_for_ref(&create, "inventory").await?;
        let create = Request::with("CreateContainerView", &manager, |body| {
            body.moref("container", &root).text("type", VM.kind);
            for kind in TYPES {
                body.text("type", kind);
            }
            body.flag("recursive", true);
        });
        let view = client.call_for_ref(&create, "inventory").await?;
        let sets: Vec<Properties> = followed().collect();
        let members = Step::along("ContainerView", "view");
        let start = Start { object: view.clone(), skip: true, steps: vec![members] };
        let create = Request::with("CreateFilter", &collector, |body| {
            write_filter("spec", &sets, &[start], body);
            // Else a change inside of a property comes as a path of its own.
            body.flag("partialUpdates", false);
        });
        client.call_for_ref(&create, "inventory").await?;
        Ok(Self { collector, view })
    }

    /// Removes it from vCenter where the session lives on.
    pub async fn end(&self, client: &Client) {
        for (method, object) in [("DestroyPropertyCollector", &self.collector), ("DestroyView", &self.view)] {
            if let Err(error) = client.connection().call(&Request::new(method, object)).await {
                tracing::debug!(vcenter = client.name(), %error, "what was made for following was not removed");
            }
        }
    }
}
