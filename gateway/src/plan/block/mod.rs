//! Plans over block storage: VMFS on LUNs. What is the same over NFS is planned beside this folder.

pub(super) mod extents;
