"""Drives the simulated ONTAP with NetApp's own client: python -c ... <scheme> <port> <part>."""
import sys
import warnings

from netapp_ontap import HostConnection, NetAppRestError, config
from netapp_ontap.resources import (
    Aggregate, Cluster, ConsistencyGroup, ConsistencyGroupSnapshot, ExportPolicy, ExportRule, FileClone, FileInfo, Igroup,
    IgroupInitiator, IpInterface, Lun, LunMap, Node, Snapshot, Svm, Volume,
)

warnings.filterwarnings("ignore")
scheme, port, part = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def connect(**how):
    how = how or {"username": "admin", "password": "simulated"}
    return HostConnection(
        "127.0.0.1", port=port, scheme=scheme, verify=False, poll_interval=1, poll_timeout=20, **how
    )


def refused(act, *words):
    """The act must be refused, at once or by its job, with these words in what the client says."""
    try:
        act()
    except NetAppRestError as error:
        # A job's code does not reach the client's error; a refusal's is in its body.
        response = error.http_err_response
        text = str(error) + (response.http_response.text if response else "")
        for word in words:
            assert word in text, f"{word!r} is not in {text!r}"
        return
    raise AssertionError(f"not refused: {words}")


def files():
    cluster = Cluster()
    cluster.get(fields="version")
    assert cluster.version.generation == 9 and "NetApp Release" in cluster.version.full
    assert [n.name for n in Node.get_collection()] and [a.name for a in Aggregate.get_collection()] == ["aggr1"]
    assert [s.name for s in Svm.get_collection()] == ["svm1"]
    assert next(IpInterface.get_collection(**{"ip.address": "10.0.0.1"}, fields="svm")).svm.name == "svm1"

    volume = Volume.find(name="vol1", fields="nas.path,svm")
    assert volume.nas.path == "/vol1" and volume.svm.name == "svm1"
    volume.get()
    assert volume.state == "online" and volume.snapshot_count == 0

    # Snapshots: make, list, page, change, refuse.
    for n in range(5):
        snapshot = Snapshot(volume.uuid, name=f"s{n}", comment=f"mark {n}")
        snapshot.post(hydrate=True)
        assert snapshot.uuid and snapshot.comment == f"mark {n}" and snapshot.state == "valid", snapshot
    found = list(Snapshot.get_collection(volume.uuid, max_records=2, fields="name,create_time"))
    assert sorted(s.name for s in found) == [f"s{n}" for n in range(5)], found
    assert Snapshot.count_collection(volume.uuid) == 5
    assert len(list(Snapshot.get_collection(volume.uuid, name="s1|s2"))) == 2
    snapshot = Snapshot.find(volume.uuid, name="s4")
    snapshot.name, snapshot.comment = "s4b", "changed"
    snapshot.patch()
    assert Snapshot.find(volume.uuid, name="s4b", fields="comment").comment == "changed"
    refused(lambda: Snapshot(volume.uuid, name="s1").post(), "exists")
    refused(lambda: Snapshot(volume.uuid, name="a b").post(), "1638518")

    # A clone, its policy, its parent's lock.
    policy = ExportPolicy(name="esx", svm={"name": "svm1"}, rules=[{
        "clients": [{"match": "10.0.0.5"}], "ro_rule": ["sys"], "rw_rule": ["sys"], "superuser": ["sys"],
        "protocols": ["nfs3"],
    }])
    policy.post(hydrate=True)
    assert policy.id and policy.rules[0].index == 1, policy
    rule = ExportRule(policy.id, clients=[{"match": "10.0.0.6"}], ro_rule=["sys"], rw_rule=["sys"], superuser=["sys"])
    rule.post(hydrate=True)
    assert len(list(ExportRule.get_collection(policy.id))) == 2
    base = Snapshot.find(volume.uuid, name="s0")
    clone = Volume(**{
        "name": "clone1", "svm": {"name": "svm1"}, "nas": {"path": "/clone1", "export_policy": {"name": "esx"}},
        "clone": {"is_flexclone": True, "parent_volume": {"name": "vol1"}, "parent_snapshot": {"name": "s0"}},
    })
    clone.post(hydrate=True, poll=True)
    clone.get(fields="**")
    assert clone.clone.is_flexclone and clone.clone.parent_volume.name == "vol1", clone
    assert clone.clone.parent_snapshot.uuid == base.uuid and clone.nas.export_policy.name == "esx"
    base.get(fields="owners")
    assert base.owners == ["volume_clone"], base
    refused(base.delete, "locked")
    refused(lambda: Volume(uuid=volume.uuid).delete(), "clones")
    refused(ExportPolicy(id=policy.id).delete, "1703945")
    twice = Volume(**{"name": "clone1", "svm": {"name": "svm1"}, "clone": {
        "is_flexclone": True, "parent_volume": {"name": "vol1"}}})
    refused(lambda: twice.post(poll=True), "already exists")

    # Files: listing, clones in both ways, restoring one.
    names = sorted(f.name for f in FileInfo.get_collection(volume.uuid, "vm", fields="size"))
    assert names == [".", "..", "disk"], names
    FileClone(volume={"name": "vol1", "uuid": volume.uuid}, source_path="vm/disk", destination_path="vm/copy").post()
    FileClone(volume={"name": "vol1", "uuid": volume.uuid}, source_path=".snapshot/s0/vm/disk",
              destination_path="vm/copy", overwrite_destination=True).post()
    refused(lambda: FileClone(volume={"uuid": volume.uuid}, source_path="vm/gone", destination_path="vm/x").post(),
            "gone")
    refused(lambda: FileClone(volume={"uuid": volume.uuid}, source_path="/vm/disk", destination_path="vm/x").post(),
            "917812")
    copy = FileInfo(volume.uuid, "vm/copy")
    copy.get(return_metadata=True)
    assert copy.size == 3, copy
    # The bytes are those of the snapshot that it was cloned from.
    with connect(username="admin", password="simulated", headers={"Accept": "multipart/form-data"}):
        read = FileInfo(volume.uuid, "vm/copy")
        read.get(byte_offset=1, length=100)
        assert [part["content"] for part in read.response_parts] == [b"ld"], read.response_parts
    copy.delete()
    refused(lambda: FileInfo(volume.uuid, "vm/copy").get(return_metadata=True), "6684674")

    # Restoring the volume takes the newer snapshots with it.
    volume.patch(**{"restore_to.snapshot.name": "s2"})
    assert sorted(s.name for s in Snapshot.get_collection(volume.uuid)) == ["s0", "s1", "s2"]
    # The clone goes, past the recovery queue; then its parent's snapshot may.
    clone.nas = {"path": ""}
    clone.patch()
    clone.delete(force=True)
    assert Volume.count_collection(name="clone1") == 0
    base.delete()
    assert Snapshot.count_collection(volume.uuid) == 2


def luns():
    svm = {"name": "svm1"}
    lun = Lun(svm=svm, name="/vol/san1/lun1", os_type="vmware", space={"size": 1 << 30})
    lun.post(hydrate=True)
    assert len(lun.serial_number) == 12 and lun.status.state == "online", lun
    assert lun.serial_number_hex == lun.serial_number.encode().hex()
    group = Igroup(svm=svm, name="esx", os_type="vmware", protocol="iscsi",
                   initiators=[{"name": "iqn.1998-01.com.vmware:esx1"}])
    group.post(hydrate=True)
    IgroupInitiator(group.uuid, name="iqn.1998-01.com.vmware:esx2").post()
    assert len(list(IgroupInitiator.get_collection(group.uuid))) == 2
    first = LunMap(svm=svm, lun={"name": lun.name}, igroup={"name": "esx"})
    first.post(hydrate=True)
    assert first.logical_unit_number == 0 and first.lun.uuid == lun.uuid, first
    refused(lambda: LunMap(svm=svm, lun={"uuid": lun.uuid}, igroup={"name": "esx"}).post(), "1254207")
    assert [g.name for g in Igroup.get_collection(**{"initiators.name": "iqn.1998-01.com.vmware:esx2"})] == ["esx"]

    volume = Volume.find(name="san1")
    Snapshot(volume.uuid, name="s1").post()
    # In a clone of the volume the LUN is another disk, which nobody sees.
    Volume(name="san2", svm=svm, clone={"is_flexclone": True, "parent_volume": {"name": "san1"},
                                        "parent_snapshot": {"name": "s1"}}).post(poll=True)
    copy = Lun.find(**{"location.volume.name": "san2"}, fields="**")
    assert copy.name == "/vol/san2/lun1" and copy.serial_number != lun.serial_number and not copy.status.mapped, copy
    second = LunMap(svm=svm, lun={"uuid": copy.uuid}, igroup={"uuid": group.uuid}, logical_unit_number=9)
    second.post(hydrate=True)
    assert second.logical_unit_number == 9
    refused(copy.delete, "1254197")
    second.delete()
    refused(second.delete, "5374922")
    Volume.find(name="san2").delete(force=True)

    # A clone in the volume, out of the snapshot; and the LUN put back in place.
    past = {"name": "/vol/san1/.snapshot/s1/lun1"}
    clone = Lun(svm=svm, name="/vol/san1/lun2", clone={"source": past})
    clone.post(hydrate=True)
    assert clone.space.size == 1 << 30 and clone.os_type == "vmware", clone
    refused(lambda: Lun(svm=svm, name="/vol/san1/lun2", clone={"source": past}).post(), "1260136")
    refused(lambda: Lun(svm=svm, name="/vol/san1/lun3", os_type="vmware", clone={"source": past}).post(), "5374883")
    serial = lun.serial_number
    back = Lun(uuid=lun.uuid)
    back.clone = {"source": past}
    back.patch()
    lun.get(fields="serial_number,lun_maps")
    assert lun.serial_number == serial and lun.lun_maps[0].igroup.name == "esx", lun
    clone.delete()
    assert sorted(one.name for one in Lun.get_collection(max_records=1)) == ["/vol/san1/lun1"]


def groups():
    add = {"action": "add"}
    group = ConsistencyGroup(name="cg1", svm={"name": "svm1"}, volumes=[
        {"name": "vol1", "provisioning_options": add}, {"name": "san1", "provisioning_options": add}])
    group.post(hydrate=True)
    cut = ConsistencyGroupSnapshot(group.uuid, name="g1", consistency_type="crash", comment="mark")
    cut.post(hydrate=True)
    cut.get(fields="*")
    assert sorted(one.volume.name for one in cut.snapshot_volumes) == ["san1", "vol1"] and not cut.is_partial, cut
    assert [one.name for one in Snapshot.get_collection("*", comment="mark")] == ["g1", "g1"]
    refused(lambda: ConsistencyGroupSnapshot(group.uuid, name="g1").post(), "exists")
    group.patch(**{"restore_to.snapshot.name": "g1"})
    cut.delete()
    group.delete()
    assert Volume.count_collection(name="vol1|san1") == 2


def credentials():
    assert Volume.count_collection() == 3
    with connect(headers={"Authorization": "Bearer t0k"}):
        assert Volume.count_collection() == 3
    with connect(username="admin", password="wrong"):
        refused(Volume.count_collection, "6691623")


config.CONNECTION = connect()
{"files": files, "luns": luns, "groups": groups, "credentials": credentials}[part]()
print("done")
