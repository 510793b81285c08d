"""Writes the order of arguments and fields, as VMware's own pyvmomi knows it, for the methods and types that
inventory-svc sends. The tests hold every request that they see against the result.

    python pyvmomi_order.py > wsdl_order.json
"""
import json

from pyVmomi import VmomiSupport, vim, vmodl  # noqa: F401  (the types load with them)
from pyVmomi.VmomiSupport import F_OPTIONAL, GetVmodlType, GetWsdlName

METHODS = {
    "vim.ServiceInstance": ["RetrieveServiceContent", "CurrentTime"],
    "vim.SessionManager": ["Login", "Logout"],
    "vim.view.ViewManager": ["CreateContainerView"],
    "vim.view.View": ["DestroyView"],
    "vmodl.query.PropertyCollector": [
        "RetrievePropertiesEx", "ContinueRetrievePropertiesEx", "CreateFilter", "WaitForUpdatesEx",
        "CreatePropertyCollector", "DestroyPropertyCollector",
    ],
    "vim.SearchIndex": ["FindByUuid", "FindByDatastorePath"],
    "vim.VirtualMachine": [
        "PowerOnVM_Task", "PowerOffVM_Task", "ShutdownGuest", "ReconfigVM_Task", "UnregisterVM", "AnswerVM",
        "reloadVirtualMachineFromPath_Task", "ConsolidateVMDisks_Task", "CreateSnapshot_Task", "CreateSnapshotEx_Task",
        "RemoveAllSnapshots_Task", "RelocateVM_Task",
    ],
    "vim.vm.Snapshot": ["RemoveSnapshot_Task", "RevertToSnapshot_Task"],
    "vim.ManagedEntity": ["Rename_Task", "Reload"],
    "vim.Folder": ["RegisterVM_Task", "MoveIntoFolder_Task"],
    "vim.host.DatastoreBrowser": ["SearchDatastoreSubFolders_Task"],
    "vim.host.DatastoreSystem": [
        "CreateNasDatastore", "RemoveDatastore", "QueryUnresolvedVmfsVolumes", "ResignatureUnresolvedVmfsVolume_Task",
    ],
    "vim.host.StorageSystem": [
        "RescanHba", "RescanAllHba", "RescanVmfs", "RefreshStorageSystem", "UnmountVmfsVolume", "MountVmfsVolume",
        "DetachScsiLun", "AttachScsiLun", "DeleteScsiLunState", "DeleteVmfsVolumeState",
    ],
    "vim.FileManager": ["MakeDirectory", "DeleteDatastoreFile_Task"],
    "vim.VirtualDiskManager": ["MoveVirtualDisk_Task"],
    "vim.AuthorizationManager": ["HasPrivilegeOnEntities"],
}

TYPES = [
    "vmodl.query.PropertyCollector.FilterSpec", "vmodl.query.PropertyCollector.PropertySpec",
    "vmodl.query.PropertyCollector.ObjectSpec", "vmodl.query.PropertyCollector.SelectionSpec",
    "vmodl.query.PropertyCollector.TraversalSpec", "vmodl.query.PropertyCollector.RetrieveOptions",
    "vmodl.query.PropertyCollector.WaitOptions", "vim.vm.ConfigSpec", "vim.option.OptionValue",
    "vim.vm.device.VirtualDeviceSpec", "vim.vm.device.VirtualDevice", "vim.vm.device.VirtualEthernetCard",
    "vim.vm.device.VirtualE1000", "vim.vm.device.VirtualE1000e", "vim.vm.device.VirtualVmxnet3",
    "vim.vm.device.VirtualDevice.ConnectInfo", "vim.vm.device.VirtualDevice.BackingInfo",
    "vim.vm.device.VirtualDevice.DeviceBackingInfo", "vim.vm.device.VirtualEthernetCard.NetworkBackingInfo",
    "vim.vm.device.VirtualEthernetCard.DistributedVirtualPortBackingInfo", "vim.dvs.PortConnection",
    "vim.vm.GuestQuiesceSpec", "vim.vm.WindowsQuiesceSpec", "vim.host.NasVolume.Specification", "vim.host.DatastoreBrowser.SearchSpec",
    "vim.host.DatastoreBrowser.FileInfo.Details", "vim.host.UnresolvedVmfsResignatureSpec", "vim.vm.RelocateSpec",
    "vim.vm.RelocateSpec.DiskLocator", "vim.vm.device.VirtualDisk", "vim.vm.device.VirtualDevice.FileBackingInfo",
    "vim.vm.device.VirtualDisk.FlatVer2BackingInfo", "vim.vm.device.VirtualDisk.SeSparseBackingInfo",
    "vim.vm.device.VirtualDisk.SparseVer2BackingInfo", "vim.StorageResourceManager.IOAllocationInfo", "vim.SharesInfo",
    "vim.Description",
]


# The oldest version that inventory-svc speaks (src/soap/version.rs): what came later is marked.
OLDEST = next(version for version, number in VmomiSupport.versionIdMap.items() if number == "6.5" and version.startswith("vim."))


def described(declared):
    array = issubclass(declared, list)
    item = declared.Item if array else declared
    return GetWsdlName(item) + ("[]" if array else "")


def field(info):
    """`name Type`, with `?` for optional and `!` for newer than the oldest version."""
    optional = "?" if info.flags & F_OPTIONAL else ""
    newer = "" if VmomiSupport.IsChildVersion(OLDEST, info.version) else "!"
    return f"{info.name} {described(info.type)}{optional}{newer}"


def bases(kind):
    """All base classes that are data types, nearest first."""
    return [GetWsdlName(base) for base in kind.__mro__[1:] if issubclass(base, VmomiSupport.DataObject)]


def main():
    order = {"methods": {}, "types": {}}
    for owner, names in METHODS.items():
        known = {info.wsdlName: info for info in GetVmodlType(owner)._GetMethodList()}
        for name in names:
            order["methods"][name] = [field(param) for param in known[name].params]
    for name in TYPES:
        kind = GetVmodlType(name)
        order["types"][GetWsdlName(kind)] = {"bases": bases(kind), "fields": [field(f) for f in kind._GetPropertyList(True)]}
    print(json.dumps(order, indent=1, sort_keys=True))


main()
