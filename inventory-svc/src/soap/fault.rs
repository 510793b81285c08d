//! Faults: a tree of types, of which code asks "is it a kind of ...?".

use super::Element;
use strata_model::ErrorKind;

/// A fault of a call or of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Type's name: `FileLocked`. An unknown one is kept as it was written.
    pub name: String,
    /// The server's words; may be empty.
    pub message: String,
    /// The fault's own fields.
    pub detail: Element,
}

/// Each type that code or the table of kinds names, with its base. Types that are not here are their own base.
const TREE: &[(&str, &str)] = &[
    ("NotAuthenticated", "NoPermission"),
    ("NoPermission", "SecurityError"),
    ("InvalidLogin", "VimFault"),
    ("InvalidLocale", "VimFault"),
    ("PasswordExpired", "InvalidLogin"),
    ("NoClientCertificate", "VimFault"),
    ("InvalidPowerState", "InvalidState"),
    ("InvalidDatastoreState", "InvalidState"),
    ("InvalidHostState", "InvalidState"),
    ("InvalidHostConnectionState", "InvalidHostState"),
    ("QuestionPending", "InvalidState"),
    ("ToolsUnavailable", "VimFault"),
    ("TaskInProgress", "VimFault"),
    ("VAppTaskInProgress", "TaskInProgress"),
    ("ConcurrentAccess", "VimFault"),
    ("AlreadyExists", "VimFault"),
    ("DuplicateName", "VimFault"),
    ("NotFound", "VimFault"),
    ("InvalidName", "VimFault"),
    ("InvalidState", "VimFault"),
    ("ResourceInUse", "VimFault"),
    ("Timedout", "VimFault"),
    ("LimitExceeded", "VimFault"),
    ("OutOfBounds", "VimFault"),
    ("HostConfigFault", "VimFault"),
    ("PlatformConfigFault", "HostConfigFault"),
    ("VmfsMountFault", "HostConfigFault"),
    ("VmfsAmbiguousMount", "VmfsMountFault"),
    ("VmfsAlreadyMounted", "VmfsMountFault"),
    ("NasConfigFault", "HostConfigFault"),
    ("NasConnectionLimitReached", "NasConfigFault"),
    ("NasVolumeNotMounted", "NasConfigFault"),
    ("NasSessionCredentialConflict", "NasConfigFault"),
    ("HostConnectFault", "VimFault"),
    ("HostCommunication", "RuntimeFault"),
    ("HostNotReachable", "HostCommunication"),
    ("HostNotConnected", "HostCommunication"),
    ("InvalidDatastore", "VimFault"),
    ("InvalidDatastorePath", "InvalidDatastore"),
    ("DatastoreNotWritableOnHost", "InvalidDatastore"),
    ("InaccessibleDatastore", "InvalidDatastore"),
    ("FileFault", "VimFault"),
    ("FileNotFound", "FileFault"),
    ("FileLocked", "FileFault"),
    ("FileAlreadyExists", "FileFault"),
    ("CannotAccessFile", "FileFault"),
    ("CannotCreateFile", "FileFault"),
    ("CannotDeleteFile", "FileFault"),
    ("DirectoryNotEmpty", "FileFault"),
    ("NoDiskSpace", "FileFault"),
    ("FileTooLarge", "FileFault"),
    ("NetworkCopyFault", "FileFault"),
    ("InvalidDiskFormat", "InvalidFormat"),
    ("InvalidFormat", "VmConfigFault"),
    ("VmConfigFault", "VimFault"),
    ("InvalidVmConfig", "VmConfigFault"),
    ("InvalidDeviceSpec", "InvalidVmConfig"),
    ("GenericVmConfigFault", "VmConfigFault"),
    ("SnapshotFault", "VimFault"),
    ("ApplicationQuiesceFault", "SnapshotFault"),
    ("FilesystemQuiesceFault", "SnapshotFault"),
    ("MemorySnapshotOnIndependentDisk", "SnapshotFault"),
    ("TooManySnapshotLevels", "SnapshotFault"),
    ("SnapshotLocked", "SnapshotFault"),
    ("SnapshotNoChange", "SnapshotFault"),
    ("SnapshotDisabled", "SnapshotFault"),
    ("SnapshotIncompatibleDeviceInVm", "SnapshotFault"),
    ("SnapshotMoveNotSupported", "SnapshotFault"),
    ("InsufficientResourcesFault", "VimFault"),
    ("NotEnoughLicenses", "RuntimeFault"),
    ("NotSupported", "RuntimeFault"),
    ("RestrictedVersion", "SecurityError"),
    ("SecurityError", "RuntimeFault"),
    ("InvalidFolder", "VimFault"),
    ("ManagedObjectNotFound", "RuntimeFault"),
    ("InvalidRequest", "RuntimeFault"),
    ("InvalidType", "InvalidRequest"),
    ("MethodNotFound", "InvalidRequest"),
    ("InvalidProperty", "MethodFault"),
    ("InvalidCollectorVersion", "MethodFault"),
    ("InvalidArgument", "RuntimeFault"),
    ("RequestCanceled", "RuntimeFault"),
    ("SystemError", "RuntimeFault"),
    ("VimFault", "MethodFault"),
    ("RuntimeFault", "MethodFault"),
];

/// First match in this order decides; a subtype therefore stands before its base.
const KINDS: &[(&str, ErrorKind)] = &[
    ("NotAuthenticated", ErrorKind::Unauthenticated),
    ("InvalidLogin", ErrorKind::Unauthenticated),
    ("NoPermission", ErrorKind::Forbidden),
    ("RestrictedVersion", ErrorKind::Unsupported),
    ("SecurityError", ErrorKind::Forbidden),
    ("ManagedObjectNotFound", ErrorKind::NotFound),
    ("NotFound", ErrorKind::NotFound),
    ("FileNotFound", ErrorKind::NotFound),
    ("FileLocked", ErrorKind::Busy),
    ("FileAlreadyExists", ErrorKind::Conflict),
    ("AlreadyExists", ErrorKind::Conflict),
    ("DuplicateName", ErrorKind::Conflict),
    ("NoDiskSpace", ErrorKind::Exhausted),
    ("LimitExceeded", ErrorKind::Exhausted),
    ("NasConnectionLimitReached", ErrorKind::Exhausted),
    ("InsufficientResourcesFault", ErrorKind::Exhausted),
    ("NotEnoughLicenses", ErrorKind::Exhausted),
    ("TooManySnapshotLevels", ErrorKind::Exhausted),
    ("TaskInProgress", ErrorKind::Busy),
    ("ConcurrentAccess", ErrorKind::Busy),
    ("ResourceInUse", ErrorKind::Busy),
    ("SnapshotLocked", ErrorKind::Busy),
    ("InvalidHostConnectionState", ErrorKind::Unavailable),
    ("HostCommunication", ErrorKind::Unavailable),
    ("HostConnectFault", ErrorKind::Unavailable),
    ("InaccessibleDatastore", ErrorKind::Unavailable),
    ("InvalidState", ErrorKind::Conflict),
    ("ToolsUnavailable", ErrorKind::Conflict),
    ("SnapshotFault", ErrorKind::Conflict),
    ("HostConfigFault", ErrorKind::Conflict),
    ("FileFault", ErrorKind::Conflict),
    ("InvalidFolder", ErrorKind::InvalidArgument),
    ("InvalidDatastorePath", ErrorKind::InvalidArgument),
    ("InvalidDatastore", ErrorKind::NotFound),
    ("InvalidName", ErrorKind::InvalidArgument),
    ("InvalidVmConfig", ErrorKind::InvalidArgument),
    ("VmConfigFault", ErrorKind::Conflict),
    ("MethodNotFound", ErrorKind::Unsupported),
    ("NotSupported", ErrorKind::Unsupported),
    ("Timedout", ErrorKind::Timeout),
    ("RequestCanceled", ErrorKind::Cancelled),
];

impl Fault {
    /// From the `Fault` of an envelope: `detail` holds one element named after the type with `Fault` appended.
    pub fn from_soap(fault: &Element) -> Self {
        let detail = fault.child("detail").and_then(|detail| detail.children.first()).cloned().unwrap_or_default();
        let code = fault.text_at("faultcode").unwrap_or("no detail");
        Self::new(detail, fault.text_at("faultstring").unwrap_or_default(), code)
    }

    /// From a `LocalizedMethodFault`: a task's error, or why a property is missing.
    pub fn from_localized(fault: &Element) -> Self {
        let detail = fault.child("fault").cloned().unwrap_or_default();
        Self::new(detail, fault.text_at("localizedMessage").unwrap_or_default(), "no fault")
    }

    fn new(detail: Element, message: &str, otherwise: &str) -> Self {
        let by_element = detail.name.strip_suffix("Fault").unwrap_or_default();
        let name = match (detail.xsi_type.as_str(), by_element) {
            ("", "") => otherwise,
            ("", by_element) => by_element,
            (by_type, _) => by_type,
        };
        Self { name: name.to_owned(), message: message.trim().to_owned(), detail }
    }

    /// Whether the fault is of this type or of one below it.
    pub fn is(&self, wanted: &str) -> bool {
        ancestry(&self.name).any(|name| name == wanted)
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        KINDS.iter().find(|(name, _)| self.is(name)).map_or(ErrorKind::Unexpected, |(_, kind)| *kind)
    }

    /// The server's words, with the fields that matter where it gave none.
    pub fn describe(&self) -> String {
        let mut text = self.name.clone();
        // vcsim writes Go's type name as the message; that says nothing.
        if !self.message.is_empty() && !self.message.starts_with("*types.") {
            text = format!("{text}: {}", self.message);
        }
        for field in
            ["privilegeId", "type", "name", "file", "existingState", "requestedState", "invalidProperty", "reason"]
        {
            if let Some(value) = self.detail.text_at(field) {
                text = format!("{text} ({field} {value})");
            }
        }
        text
    }
}

fn ancestry(name: &str) -> impl Iterator<Item = &str> {
    let base = |name: &&str| TREE.iter().find(|(own, _)| own == name).map(|(_, base)| *base);
    std::iter::successors(Some(name), base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(name: &str) -> Fault {
        Fault { name: name.to_owned(), message: String::new(), detail: Element::default() }
    }

    #[test]
    fn subtypes_are_their_bases() {
        for (name, base, expected) in [
            ("NotAuthenticated", "NoPermission", true),
            ("NoPermission", "NotAuthenticated", false),
            ("PlatformConfigFault", "HostConfigFault", true),
            ("FileLocked", "FileFault", true),
            ("FileLocked", "MethodFault", true),
            ("FutureFault", "FutureFault", true),
            ("FutureFault", "VimFault", false),
        ] {
            assert_eq!(fault(name).is(base), expected, "{name} {base}");
        }
    }

    #[test]
    fn no_type_is_its_own_ancestor_and_tables_agree() {
        for (name, _) in TREE {
            assert!(ancestry(name).count() < 8, "{name} has no end");
        }
        for (at, (name, _)) in KINDS.iter().enumerate() {
            assert!(TREE.iter().any(|(own, _)| own == name), "{name} is in no tree");
            let earlier_base = KINDS[..at].iter().find(|(base, _)| fault(name).is(base));
            assert!(earlier_base.is_none(), "{name} is never reached: {earlier_base:?} comes first");
        }
    }

    #[test]
    fn kinds() {
        for (name, kind) in [
            ("NotAuthenticated", ErrorKind::Unauthenticated),
            ("NoPermission", ErrorKind::Forbidden),
            ("InvalidPowerState", ErrorKind::Conflict),
            ("HostNotReachable", ErrorKind::Unavailable),
            ("VAppTaskInProgress", ErrorKind::Busy),
            ("NobodyKnowsFault", ErrorKind::Unexpected),
        ] {
            assert_eq!(fault(name).kind(), kind, "{name}");
        }
    }
}
