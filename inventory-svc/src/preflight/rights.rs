//! The privileges that each feature needs, as data (safety.md, Rights). `docs/operating.md` points here.

/// What kind of object a privilege is asked for on, where a VM is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    /// The vCenter itself.
    Root,
    /// The VM.
    Vm,
    /// Its folder.
    Folder,
    /// Its resource pool.
    Pool,
    /// Its host.
    Host,
    /// Each of its datastores.
    Datastore,
    /// Each of its networks.
    Network,
}

/// Every feature, and what it needs on which kind of object.
pub(super) const FEATURES: &[(&str, &[(&str, On)])] = &[
    (
        "snapshot",
        &[
            ("System.View", On::Vm),
            ("System.Read", On::Vm),
            ("Sessions.ValidateSession", On::Root),
            ("Task.Create", On::Vm),
            ("Task.Update", On::Vm),
            ("Global.LogEvent", On::Vm),
            ("Datastore.Browse", On::Datastore),
            ("Datastore.FileManagement", On::Datastore),
        ],
    ),
    (
        "quiesce",
        &[
            ("VirtualMachine.State.CreateSnapshot", On::Vm),
            ("VirtualMachine.State.RemoveSnapshot", On::Vm),
            ("Global.CancelTask", On::Vm),
        ],
    ),
    ("clone", CLONE),
    (
        "revert",
        &[
            ("VirtualMachine.Config.ReloadFromPath", On::Vm),
            ("Resource.ColdMigrate", On::Pool),
            ("Resource.HotMigrate", On::Pool),
            ("Datastore.AllocateSpace", On::Datastore),
        ],
    ),
];

/// A revert needs the clone's too.
pub(super) const CLONE: &[(&str, On)] = &[
    ("Host.Config.Storage", On::Host),
    ("Datastore.Browse", On::Datastore),
    ("Datastore.FileManagement", On::Datastore),
    ("Datastore.Rename", On::Datastore),
    ("Datastore.Move", On::Datastore),
    ("Datastore.Delete", On::Datastore),
    ("VirtualMachine.Inventory.Register", On::Folder),
    ("VirtualMachine.Inventory.Unregister", On::Vm),
    ("Resource.AssignVMToPool", On::Pool),
    ("Network.Assign", On::Network),
    ("VirtualMachine.Config.Settings", On::Vm),
    ("VirtualMachine.Config.Rename", On::Vm),
    ("VirtualMachine.Config.AdvancedConfig", On::Vm),
    ("VirtualMachine.Config.AddExistingDisk", On::Vm),
    ("VirtualMachine.Config.RemoveDisk", On::Vm),
    ("VirtualMachine.Config.AddRemoveDevice", On::Vm),
    ("VirtualMachine.Config.EditDevice", On::Vm),
    ("VirtualMachine.Config.ManagedBy", On::Vm),
    ("VirtualMachine.Config.ChangeTracking", On::Vm),
    ("VirtualMachine.Interact.PowerOn", On::Vm),
    ("VirtualMachine.Interact.PowerOff", On::Vm),
    ("VirtualMachine.Interact.AnswerQuestion", On::Vm),
    ("VirtualMachine.State.RevertToSnapshot", On::Vm),
];
