//! Typed ids: one newtype a kind, so that a volume's id cannot pass for a snapshot's. Listed once, here.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The text as the other side wrote it.
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self { Self(text.to_owned()) }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self { Self(text) }
        }
    )+};
}

text_id! {
    /// A storage array's configured name, unique in one Strata installation: `filer-1`.
    ArrayName,
    /// A clone's id: `c-` and 12 hex digits.
    CloneId,
    /// An array's own id of a clone that we made, opaque to everybody but its driver.
    ArrayCloneId,
    /// An array's own id of a snapshot, opaque to everybody but its driver.
    ArraySnapshotId,
    /// A vCenter's configured name: `vc-1`.
    VcenterName,
    /// A VM's instanceUuid: the key of a VM. A MoRef is an attribute and never the key.
    InstanceUuid,
    /// This installation of Strata: a UUID made once, the first part of every mark.
    InstallationId,
    /// An operation's id: UUID v7, so that ids sort by time.
    OperationId,
    /// A restore point's id: `s-` and 12 hex digits.
    SnapshotId,
    /// An array's own id of a volume, opaque to everybody but its driver.
    VolumeId,
}
