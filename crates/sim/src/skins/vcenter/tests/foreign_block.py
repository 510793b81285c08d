"""Presents a copy on block storage, uses it and takes it away with VMware's Python client: url, user and password are the arguments.

A line "clone NAME" or "unmap DEVICE" on the output asks the array's administrator; the answer is a line on the input."""
import ssl
import sys
from urllib.parse import urlparse

from pyVim.connect import Disconnect, SmartConnect
from pyVim.task import WaitForTask
from pyVmomi import vim

url = urlparse(sys.argv[1])
si = SmartConnect(host=url.hostname, port=url.port, user=sys.argv[2], pwd=sys.argv[3], disableSslCertValidation=True)
content = si.RetrieveContent()
dc = content.rootFolder.childEntity[0]
cluster = dc.hostFolder.childEntity[0]
hosts = list(cluster.host)
steps = []


def administrator(line):
    print(line, flush=True)
    return sys.stdin.readline().strip()


def run(task):
    WaitForTask(task, si=si)
    return task.info.result


def refused(fault, act):
    try:
        act()
    except fault as error:
        return error
    raise AssertionError(f"{fault.__name__} did not come")


def storage(host):
    return host.configManager.storageSystem


def rescan(host):
    storage(host).RescanAllHba()
    storage(host).RescanVmfs()


def device(host, name):
    found = [lun for lun in host.config.storageDevice.scsiLun if lun.canonicalName == name]
    return found[0] if found else None


def datastore(name):
    return next(d for d in dc.datastore if d.name == name)


def disks(vm):
    return [d for d in vm.config.hardware.device if isinstance(d, vim.vm.device.VirtualDisk)]


# What hosts show: everything is parsed.
source = datastore("vmfs1")
extent = source.info.vmfs.extent[0]
assert isinstance(source.info, vim.host.VmfsDatastoreInfo) and extent.diskName.startswith("naa.")
names = set()
for host in hosts:
    shown = host.config.storageDevice
    iscsi = [h for h in shown.hostBusAdapter if isinstance(h, vim.host.InternetScsiHba)][0]
    fibre = [h for h in shown.hostBusAdapter if isinstance(h, vim.host.FibreChannelHba)][0]
    names |= {iscsi.iScsiName, fibre.portWorldWideName}
    lun = device(host, extent.diskName)
    assert isinstance(lun, vim.host.ScsiDisk) and lun.operationalState == ["ok"] and lun.serialNumber
    assert lun.capacity.block * lun.capacity.blockSize == 1 << 30
    unit = [u for u in shown.multipathInfo.lun if u.id == lun.uuid][0]
    assert len(unit.path) == 2 and all(p.pathState == "active" for p in unit.path)
    assert any(l.scsiLun == lun.key for a in shown.scsiTopology.adapter for t in a.target for l in t.lun)
    assert storage(host).storageDeviceInfo.scsiLun and storage(host).fileSystemVolumeInfo.mountInfo
assert len(names) == 4
steps.append("look")

# A copy appears after a rescan of devices, and belongs to the host that resolves it until others look.
copy = administrator("clone c1")
first, second = hosts
assert first.configManager.datastoreSystem.QueryUnresolvedVmfsVolumes() == []
storage(first).RescanHba("vmhba64")
storage(first).RescanVmfs()
found = first.configManager.datastoreSystem.QueryUnresolvedVmfsVolumes()
assert len(found) == 1 and found[0].vmfsLabel == "vmfs1" and found[0].vmfsUuid == source.info.vmfs.uuid
assert found[0].resolveStatus.resolvable and found[0].extent[0].device.diskName == copy
assert found[0].extent[0].reason == "uuidConflict" and found[0].extent[0].isHeadExtent
path = found[0].extent[0].devicePath
Resignature = vim.host.UnresolvedVmfsResignatureSpec
system = first.configManager.datastoreSystem
other = Resignature(extentDevicePath=["/vmfs/devices/disks/naa.0:1"])
refused(vim.fault.NotFound, lambda: run(system.ResignatureUnresolvedVmfsVolume_Task(other)))
steps.append("present")

# Two copies of one source are ambiguous.
extra = administrator("clone c2")
rescan(first)
found = storage(first).QueryUnresolvedVmfsVolume()
assert len(found) == 1 and len(found[0].extent) == 2
assert found[0].resolveStatus.multipleCopies and not found[0].resolveStatus.resolvable
spec = Resignature(extentDevicePath=[path])
refused(vim.fault.VmfsAmbiguousMount, lambda: run(system.ResignatureUnresolvedVmfsVolume_Task(spec)))
force = vim.host.UnresolvedVmfsResolutionSpec(extentDevicePath=[path], uuidResolution="forceMount")
results = storage(first).ResolveMultipleUnresolvedVmfsVolumes([force])
assert isinstance(results[0].fault, vim.fault.VmfsAmbiguousMount) and results[0].vmfs is None
storage(first).DetachScsiLun(device(first, extra).uuid)
assert device(first, extra).operationalState == ["off"]
administrator("unmap " + extra)
rescan(first)
storage(first).DeleteScsiLunState(extra)
assert device(first, extra) is None
result = run(system.ResignatureUnresolvedVmfsVolume_Task(spec))
clone = result.result
assert clone.name.startswith("snap-") and clone.name.endswith("-vmfs1")
assert clone.info.vmfs.uuid != source.info.vmfs.uuid and [m.key for m in clone.host] == [first]
rescan(second)
assert [m.key for m in clone.host] == hosts and all(m.mountInfo.accessible for m in clone.host)
refused(vim.fault.DuplicateName, lambda: clone.RenameDatastore("vmfs1"))
run(clone.Rename_Task("copy"))
steps.append("ambiguous")

# A VM of the copy.
vm = run(dc.vmFolder.RegisterVM_Task("[copy] app/app.vmx", "app-copy", False, cluster.resourcePool, first))
assert [d.backing.datastore for d in disks(vm)] == [clone]
refused(vim.fault.ResourceInUse, lambda: storage(first).UnmountVmfsVolume(clone.info.vmfs.uuid))
Change = vim.vm.device.VirtualDeviceSpec
disk = disks(vm)[0]
run(vm.ReconfigVM_Task(vim.vm.ConfigSpec(deviceChange=[Change(operation="remove", device=disk)])))
assert disks(vm) == []
again = vim.vm.device.VirtualDisk(
    key=-1,
    controllerKey=1000,
    unitNumber=0,
    backing=vim.vm.device.VirtualDisk.FlatVer2BackingInfo(fileName="[copy] app/app.vmdk", diskMode="persistent"),
)
run(vm.ReconfigVM_Task(vim.vm.ConfigSpec(deviceChange=[Change(operation="add", device=again)])))
assert [d.backing.fileName for d in disks(vm)] == ["[copy] app/app.vmdk"]
answer = vim.option.OptionValue(key="uuid.action", value="create")
run(vm.ReconfigVM_Task(vim.vm.ConfigSpec(extraConfig=[answer])))
run(vm.PowerOnVM_Task())
run(vm.CreateSnapshot_Task("s1", None, False, False))
steps.append("register")

# Home again: running, with a VMware snapshot; then the other way round without it.
run(vm.RelocateVM_Task(vim.vm.RelocateSpec(datastore=source)))
assert {d.backing.datastore for d in disks(vm)} == {source} and vm.datastore == [source], vm.datastore
assert vm.runtime.powerState == "poweredOn" and vm.config.files.vmPathName.startswith("[vmfs1] ")
assert disks(vm)[0].backing.parent.datastore == source and clone.vm == []
run(vm.RevertToCurrentSnapshot_Task(None, True))
run(vm.RemoveAllSnapshots_Task())
assert vm.runtime.powerState == "poweredOff" and vm.snapshot is None
run(vm.RelocateVM_Task(vim.vm.RelocateSpec(datastore=clone)))
assert vm.datastore == [clone]
vm.UnregisterVM()
steps.append("relocate")

# Away with it: unmount, detach, unmap, rescan, forget.
uuid = clone.info.vmfs.uuid
for host in hosts:
    refused(vim.fault.ResourceInUse, lambda: storage(host).DetachScsiLun(device(host, copy).uuid))
    refused(vim.fault.NotFound, lambda: storage(host).UnmountVmfsVolume("0-0-0-0"))
storage(first).UnmountVmfsVolume(uuid)
refused(vim.fault.InvalidState, lambda: storage(first).UnmountVmfsVolume(uuid))
results = run(storage(second).UnmountVmfsVolumeEx_Task([uuid, "0-0-0-0"]))
assert results[0].fault is None and isinstance(results[1].fault, vim.fault.NotFound)
assert [m.mountInfo.mounted for m in clone.host] == [False, False]
storage(first).MountVmfsVolume(uuid)
refused(vim.fault.InvalidState, lambda: storage(first).MountVmfsVolume(uuid))
storage(first).UnmountVmfsVolume(uuid)
storage(first).DetachScsiLun(device(first, copy).uuid)
refused(vim.fault.InvalidState, lambda: storage(first).DetachScsiLun(device(first, copy).uuid))
storage(first).AttachScsiLun(device(first, copy).uuid)
refused(vim.fault.InvalidState, lambda: storage(first).AttachScsiLun(device(first, copy).uuid))
storage(first).DetachScsiLun(device(first, copy).uuid)
results = run(storage(second).DetachScsiLunEx_Task([device(second, copy).uuid]))
assert results[0].fault is None and device(second, copy).operationalState == ["off"]
refused(vim.fault.HostConfigFault, lambda: storage(first).DeleteScsiLunState(copy))
administrator("unmap " + copy)
for host in hosts:
    rescan(host)
    storage(host).DeleteScsiLunState(copy)
    storage(host).DeleteVmfsVolumeState(uuid)
    storage(host).RefreshStorageSystem()
    assert device(host, copy) is None and host.runtime.connectionState == "connected"
assert "copy" not in [d.name for d in dc.datastore] and source.summary.accessible
steps.append("teardown")
Disconnect(si)
print(" ".join(steps))
