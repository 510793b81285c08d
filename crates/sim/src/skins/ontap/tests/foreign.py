"""Drives the simulated ONTAP with NetApp's own client: python -c ... <scheme> <port> <part>."""
import sys
import warnings

from netapp_ontap import HostConnection, NetAppRestError, config
from netapp_ontap.resources import (
    Aggregate, Cluster, ExportPolicy, ExportRule, FileClone, FileInfo, IpInterface, Node, Snapshot, Svm, Volume,
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
    refused(lambda: Snapshot(volume.uuid, name="x", snapmirror_label="l" * 32).post(), "262197")

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


def credentials():
    assert Volume.count_collection() == 3
    with connect(headers={"Authorization": "Bearer t0k"}):
        assert Volume.count_collection() == 3
    with connect(username="admin", password="wrong"):
        refused(Volume.count_collection, "6691623")


config.CONNECTION = connect()
{"files": files, "credentials": credentials}[part]()
print("done")
