//! Plans over block storage: VMFS on LUNs. What is the same over NFS is planned beside this folder.

pub(super) mod clone;
pub(super) mod copies;
pub(super) mod extents;
pub(super) mod hosts;
pub(super) mod in_place;
pub(super) mod swap;

use crate::catalog::RestorePoint;

/// Whether any part of a restore point lies on LUNs.
pub(super) fn is_block(point: &RestorePoint) -> bool {
    point.intent.members.iter().any(|member| !member.luns.is_empty())
}
