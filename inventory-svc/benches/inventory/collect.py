"""Reads types with their properties through one container view; prints how many VMs there are and how long the reading took."""

import json
import os
import sys
import time

from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import vim, vmodl

host, port, user, wanted = sys.argv[1], int(sys.argv[2]), sys.argv[3], json.loads(sys.argv[4])
service = SmartConnect(host=host, port=port, user=user, pwd=os.environ["VCSIMX_PASSWORD"], disableSslCertValidation=True)
content = service.RetrieveContent()
spec = vmodl.query.PropertyCollector

begin = time.perf_counter()
types = {getattr(vim, name): paths for name, paths in wanted.items()}
view = content.viewManager.CreateContainerView(content.rootFolder, list(types), True)
members = spec.TraversalSpec(name="members", type=vim.view.ContainerView, path="view", skip=False)
filter_spec = spec.FilterSpec(
    objectSet=[spec.ObjectSpec(obj=view, skip=True, selectSet=[members])],
    propSet=[spec.PropertySpec(type=kind, pathSet=paths) for kind, paths in types.items()],
)
collector = content.propertyCollector
page = collector.RetrievePropertiesEx([filter_spec], spec.RetrieveOptions())
held = {}
while page:
    for found in page.objects:
        held[found.obj._moId] = {prop.name: prop.val for prop in found.propSet}
    page = collector.ContinueRetrievePropertiesEx(page.token) if page.token else None
seconds = time.perf_counter() - begin

vms = sum("config.changeVersion" in properties for properties in held.values())
print(json.dumps({"vms": vms, "seconds": seconds}))
Disconnect(service)
