//! inventory-svc: vCenter as VMs, disks, datastores, hosts and tasks.

pub mod soap;
pub mod topology;
pub mod vcenter;
