"""Drives the simulated vCenter with VMware's Python client: url, user and password are the arguments."""
import sys
import urllib.error
import urllib.request
import ssl
import time
from urllib.parse import urlparse

from pyVim.connect import Disconnect, SmartConnect
from pyVim.task import WaitForTask
from pyVmomi import vim, vmodl

url = urlparse(sys.argv[1])
si = SmartConnect(host=url.hostname, port=url.port, user=sys.argv[2], pwd=sys.argv[3], disableSslCertValidation=True)
content = si.RetrieveContent()
dc = content.rootFolder.childEntity[0]
cluster = dc.hostFolder.childEntity[0]
steps = []


def done(step):
    steps.append(step)


def find(name):
    return content.searchIndex.FindByInventoryPath("DC0/vm/" + name)


def run(task):
    WaitForTask(task, si=si)
    return task.info.result


def refused(fault, act):
    try:
        act()
    except fault as error:
        return error
    raise AssertionError(f"{fault.__name__} did not come")


def devices(vm, kind):
    return [d for d in vm.config.hardware.device if isinstance(d, kind)]


def files(vm):
    return [d.backing.fileName for d in devices(vm, vim.vm.device.VirtualDisk)]


# Listing: whole objects, so that every enumeration and type is parsed.
view = content.viewManager.CreateContainerView(content.rootFolder, [vim.ManagedEntity], True)
for entity in view.view:
    assert entity.name, entity
    for whole in ("config", "runtime", "summary", "info", "host", "layoutEx", "guest", "capability", "snapshot"):
        getattr(entity, whole, None)
assert {vm.name for vm in view.view if isinstance(vm, vim.VirtualMachine)} == {"web", "db", "golden", "plain"}
web, db = find("web"), find("db")
assert content.searchIndex.FindByUuid(None, web.config.instanceUuid, True, True) == web
assert files(db) == ["[ds1] db/db.vmdk", "[ds2] db/db_1.vmdk"]
Spec = vmodl.query.PropertyCollector
bad = Spec.FilterSpec(
    propSet=[Spec.PropertySpec(type=vim.VirtualMachine, pathSet=["nope"])], objectSet=[Spec.ObjectSpec(obj=web)]
)
refused(vmodl.query.InvalidProperty, lambda: content.propertyCollector.RetrieveContents([bad]))
done("list")

# VMware snapshots.
run(web.CreateSnapshot_Task("s1", "d", False, True))
root = web.snapshot.rootSnapshotList[0]
assert root.quiesced and root.name == "s1" and files(web) == ["[ds1] web/web-000001.vmdk"]
assert devices(web, vim.vm.device.VirtualDisk)[0].backing.parent.fileName == "[ds1] web/web.vmdk"
second = run(web.CreateSnapshotEx_Task("s2", None, False, vim.vm.WindowsQuiesceSpec(timeout=5)))
run(second.RemoveSnapshot_Task(False, True))
run(web.RemoveAllSnapshots_Task())
assert web.snapshot is None and files(web) == ["[ds1] web/web.vmdk"]
done("snapshot")

# Mounting an array's clone.
mount = vim.host.NasVolume.Specification(
    remoteHost="nas", remotePath="/clone", localPath="clone", accessMode="readWrite", type="NFS"
)
stores = {host.configManager.datastoreSystem.CreateNasDatastore(mount) for host in cluster.host}
store = stores.pop()
assert not stores and len(store.host) == 2 and store.info.nas.remotePath == "/clone"
first = cluster.host[0].configManager.datastoreSystem
refused(vim.fault.AlreadyExists, lambda: first.CreateNasDatastore(mount))
done("mount")

# Files.
manager = content.fileManager
manager.MakeDirectory("[clone] db", dc, True)
for name in ("db.vmx", "db.nvram", "db.vmdk", "db-flat.vmdk"):
    run(manager.CopyDatastoreFile_Task("[ds1] db/" + name, dc, "[clone] db/" + name, dc, False))
refused(
    vim.fault.FileLocked,
    lambda: run(manager.MoveDatastoreFile_Task("[ds1] web/web.vmdk", dc, "[ds1] web/x.vmdk", dc, False)),
)
details = vim.host.DatastoreBrowser.FileInfo.Details(fileType=True, fileSize=True, modification=True, fileOwner=True)
search = vim.host.DatastoreBrowser.SearchSpec(matchPattern=["*.vmx"], details=details)
found = run(store.browser.SearchDatastoreSubFolders_Task("[clone]", search))
assert [(r.folderPath, f.path) for r in found for f in r.file] == [("[clone] db/", "db.vmx")]


def folder(path, cookie):
    request = urllib.request.Request(f"{url.scheme}://{url.netloc}/folder/{path}?dcPath=DC0&dsName=clone")
    if cookie:
        request.add_header("Cookie", si._stub.cookie.split(";")[0])
    return urllib.request.urlopen(request, context=ssl._create_unverified_context()).read().decode()


assert 'displayName = "db"' in folder("db/db.vmx", True)
assert refused(urllib.error.HTTPError, lambda: folder("db/db.vmx", False)).code == 401
done("files")

# Registering, another identity, running.
clone = run(dc.vmFolder.RegisterVM_Task("[clone] db/db.vmx", "db-clone", False, cluster.resourcePool, None))
assert clone.config.uuid == db.config.uuid and clone.config.instanceUuid != db.config.instanceUuid
assert files(clone) == ["[clone] db/db.vmdk", "[ds2] db/db_1.vmdk"]
refused(
    vim.fault.AlreadyExists,
    lambda: run(dc.vmFolder.RegisterVM_Task("[clone] db/db.vmx", "other", False, cluster.resourcePool, None)),
)
card = devices(clone, vim.vm.device.VirtualEthernetCard)[0]
card.macAddress, card.addressType, card.connectable.startConnected = "", "generated", False
Change = vim.vm.device.VirtualDeviceSpec
spec = vim.vm.ConfigSpec(
    changeVersion=clone.config.changeVersion,
    uuid="564d0000-1111-2222-3333-444455556666",
    instanceUuid="",
    name="db-test",
    managedBy=vim.ext.ManagedByInfo(extensionKey="com.strata", type="clone"),
    extraConfig=[vim.option.OptionValue(key="strata.id", value="c1")],
    changeTrackingEnabled=True,
    deviceChange=[
        Change(operation="edit", device=card),
        Change(operation="remove", device=devices(clone, vim.vm.device.VirtualDisk)[1]),
    ],
)
run(clone.ReconfigVM_Task(spec))
assert clone.name == "db-test" and clone.config.uuid == spec.uuid and files(clone) == ["[clone] db/db.vmdk"]
assert "[clone] db/db-ctk.vmdk" in [f.name for f in clone.layoutEx.file]
refused(vim.fault.ConcurrentAccess, lambda: run(clone.ReconfigVM_Task(spec)))
start = clone.PowerOnVM_Task()
for _ in range(200):
    question = clone.runtime.question
    if question:
        break
    time.sleep(0.05)
assert question.message[0].id == "msg.uuid.altered" and start.info.state == "running"
clone.AnswerVM(question.id, question.choice.choiceInfo[question.choice.defaultIndex].key)
run(start)
assert clone.runtime.powerState == "poweredOn" and clone.config.uuid != spec.uuid
refused(vim.fault.InvalidPowerState, lambda: run(clone.PowerOnVM_Task()))
refused(vim.fault.ResourceInUse, lambda: [h.configManager.datastoreSystem.RemoveDatastore(store) for h in cluster.host])
done("register")

# Teardown.
clone.ShutdownGuest()
clone.Reload()
clone.UnregisterVM()
refused(vmodl.fault.ManagedObjectNotFound, lambda: clone.name)
for host in cluster.host:
    if store in host.datastore:
        host.configManager.datastoreSystem.RemoveDatastore(store)
assert [d.name for d in dc.datastore] == ["ds1", "ds2"]
done("teardown")

# Names, tasks and events of others.
run(web.Rename_Task("we/b ä&<"))
assert web.name == "we%2fb ä&<"
description = vim.Description(label="s", summary="s")
kinds = [vim.Extension.TaskTypeInfo(taskID="com.strata.snapshot")]
content.extensionManager.RegisterExtension(
    vim.Extension(
        key="com.strata", version="1", description=description, lastHeartbeatTime=si.CurrentTime(), taskList=kinds
    )
)
task = content.taskManager.CreateTask(web, "com.strata.snapshot", "me", True).task
task.SetTaskState("running")
task.UpdateProgress(40)
assert task.info.progress == 40
task.SetTaskState("success")
assert task.info.state == "success"
content.eventManager.LogUserEvent(web, "hello")
assert "hello" in content.eventManager.latestEvent.fullFormattedMessage
done("report")
Disconnect(si)
print(" ".join(steps))
