//! ComputeResource and ClusterComputeResource.

use crate::world::compute::{
    state::State,
    value::{MoRef, Val, obj},
};

/// Ids of a cluster's hosts.
pub fn hosts(s: &State, cluster: &str) -> Vec<String> {
    s.hosts.iter().filter(|(_, h)| h.cluster == cluster).map(|(id, _)| id.clone()).collect()
}

/// A property.
pub fn property(s: &State, id: &str, name: &str) -> Val {
    let Some(cluster) = s.clusters.get(id) else { return Val::Unset };
    let hosts = hosts(s, id);
    match name {
        "resourcePool" => MoRef::new("ResourcePool", &cluster.pool).into(),
        "host" => hosts.iter().map(|h| MoRef::new("HostSystem", h)).collect::<Vec<_>>().into(),
        "datastore" => {
            let all = s.datastores.iter().filter(|(_, d)| d.mounts.iter().any(|m| hosts.contains(&m.host)));
            all.map(|(d, _)| MoRef::new("Datastore", d)).collect::<Vec<_>>().into()
        }
        "network" => s.networks.keys().map(|n| MoRef::new("Network", n)).collect::<Vec<_>>().into(),
        "summary" => {
            let ty = if cluster.is_cluster { "ClusterComputeResourceSummary" } else { "ComputeResourceSummary" };
            let n = hosts.len();
            let mut summary = obj!(ty, "totalCpu" => n * 20_000, "totalMemory" => (n as u64) << 36,
                "numCpuCores" => n * 8, "numCpuThreads" => n * 16, "effectiveCpu" => n * 20_000,
                "effectiveMemory" => n * 65_536, "numHosts" => n, "numEffectiveHosts" => n, "overallStatus" => "green");
            if cluster.is_cluster {
                summary.set("currentFailoverLevel", 0);
                summary.set("numVmotions", 0);
            }
            summary
        }
        "configurationEx" => obj!("ComputeResourceConfigInfo", "vmSwapPlacement" => "vmDirectory"),
        _ => Val::Unset,
    }
}
