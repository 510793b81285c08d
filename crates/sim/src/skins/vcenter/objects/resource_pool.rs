//! ResourcePool and Network.

use crate::world::compute::{
    state::State,
    value::{MoRef, Val, obj},
};

fn allocation() -> Val {
    obj!("ResourceAllocationInfo", "reservation" => Val::Long(0), "expandableReservation" => true,
        "limit" => Val::Long(-1), "shares" => obj!("SharesInfo", "shares" => 4000, "level" => "normal"))
}

fn config(id: &str) -> Val {
    obj!("ResourceConfigSpec", "entity" => MoRef::new("ResourcePool", id), "cpuAllocation" => allocation(),
        "memoryAllocation" => allocation())
}

fn usage() -> Val {
    obj!("ResourcePoolResourceUsage", "reservationUsed" => 0, "reservationUsedForVm" => 0,
        "unreservedForPool" => 20_000, "unreservedForVm" => 20_000, "overallUsage" => 0, "maxUsage" => 20_000)
}

fn runtime() -> Val {
    obj!("ResourcePoolRuntimeInfo", "memory" => usage(), "cpu" => usage(), "overallStatus" => "green")
}

/// A property of a pool.
pub fn property(s: &State, id: &str, name: &str) -> Val {
    let Some(pool) = s.pools.get(id) else { return Val::Unset };
    let here = MoRef::new("ResourcePool", id);
    match name {
        "owner" => s.cluster_ref(&pool.cluster).into(),
        "resourcePool" => {
            let below = s.pools.iter().filter(|(_, p)| p.parent == here);
            below.map(|(id, _)| MoRef::new("ResourcePool", id)).collect::<Vec<_>>().into()
        }
        "vm" => {
            let here = s.vms.iter().filter(|(_, v)| v.pool.as_deref() == Some(id));
            here.map(|(id, _)| MoRef::new("VirtualMachine", id)).collect::<Vec<_>>().into()
        }
        "summary" => {
            obj!("ResourcePoolSummary", "name" => &pool.name, "config" => config(id), "runtime" => runtime())
        }
        "runtime" => runtime(),
        "config" => config(id),
        "childConfiguration" => Val::List(Vec::new()),
        _ => Val::Unset,
    }
}

/// A property of a network.
pub fn network_property(s: &State, id: &str, name: &str) -> Val {
    match name {
        "vm" => {
            let on = s.vms.iter().filter(|(_, v)| v.nics().any(|n| n.network == id));
            on.map(|(id, _)| MoRef::new("VirtualMachine", id)).collect::<Vec<_>>().into()
        }
        "host" => s.hosts.keys().map(|h| MoRef::new("HostSystem", h)).collect::<Vec<_>>().into(),
        "summary" => {
            let label = s.networks.get(id).map(|n| n.name.clone());
            obj!("NetworkSummary", "network" => MoRef::new("Network", id), "name" => label, "accessible" => true,
                "ipPoolName" => "")
        }
        _ => Val::Unset,
    }
}
