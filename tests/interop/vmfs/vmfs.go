// Package vmfs gives the hosts of VMware's vCenter simulator devices and VMFS.
//
// A device is a folder of -luns: who makes, copies or removes one plays the array, and hosts see it after a rescan. The
// signature is a file in it. A copy still names the devices of its original, and is unresolved for that.
package vmfs

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

type (
	ctx       = *simulator.Context
	fault     = types.BaseMethodFault
	reference = types.ManagedObjectReference
	luns      struct{ *simulator.HostStorageSystem }
	store     struct{ *simulator.Datastore }
	// Datastores are a host's, with the calls about copies of filesystems.
	Datastores struct{ *simulator.HostDatastoreSystem }
	signature  struct {
		UUID, Label string
		Devices     []string
	}
	remover interface {
		RemoveDatastore(ctx, *types.RemoveDatastore) soap.HasFault
	}
	sights struct{ seen, off, unmounted map[string]bool } // what a host remembers of devices and of filesystems
)

var (
	lunRoot = flag.String("luns", "", "folder whose folders are devices that every host is mapped to")
	volumes = map[string]string{}
	hostsOf = map[reference]*sights{}
	storage sync.Mutex
)

func init() {
	flag.Func("vmfs", "NAME=DEVICE[,DEVICE...], made at start, mounted on every host; may be given again", func(value string) error {
		name, devices, _ := strings.Cut(value, "=")
		volumes[name] = devices
		return nil
	})
}

func header(device string) string { return filepath.Join(*lunRoot, device, ".vmfs.sf") }

func (s signature) write() {
	for _, device := range s.Devices {
		check(os.WriteFile(header(device), result(json.Marshal(s)), 0o600))
	}
}

func read(device string) (s signature, ok bool) {
	text, err := os.ReadFile(header(device))
	return s, err == nil && json.Unmarshal(text, &s) == nil
}

// Extend is what answers in place of one of the simulator's objects, and nil where that itself does.
func Extend(object mo.Reference) mo.Reference {
	switch object := object.(type) {
	case *simulator.HostStorageSystem:
		return &luns{object}
	case *simulator.Datastore:
		return &store{object}
	}
	return nil
}

// Mounted is whether a host has the datastore, in use or not.
func Mounted(ds *simulator.Datastore, host reference) bool {
	return slices.ContainsFunc(ds.Host, func(mount types.DatastoreHostMount) bool { return mount.Key == host })
}

func task(c ctx, on mo.Reference, name string, run func() (types.AnyType, fault)) reference {
	return simulator.CreateTask(on, name, func(*simulator.Task) (types.AnyType, fault) { return run() }).Run(c)
}

func result[T any](value T, err error) T { check(err); return value }

// check gives up what is being done: at start that is the program, later one client's call.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

// Populate makes the filesystems of -vmfs, mounts them and makes their machines.
func Populate(ctx context.Context, service *simulator.Service) {
	if *lunRoot == "" {
		return
	}
	client, c := result(vim25.NewClient(ctx, service)), service.Context
	root := object.NewFolder(client, c.Map.Any("Datacenter").(*simulator.Datacenter).VmFolder)
	for name, devices := range volumes {
		s := signature{uuid.NewString(), name, strings.Split(devices, ",")}
		for _, device := range s.Devices {
			check(os.MkdirAll(filepath.Join(*lunRoot, device), 0o755))
		}
		s.write()
	}
	var pool *object.ResourcePool
	for _, entity := range c.Map.All("HostSystem") {
		host := entity.(*simulator.HostSystem)
		pool = object.NewResourcePool(client, *c.Map.Get(*host.Parent).(*simulator.ClusterComputeResource).ResourcePool)
		l := &luns{c.Map.Get(*host.ConfigManager.StorageSystem).(*simulator.HostStorageSystem)}
		l.rescan(c)
		l.mountAll(c)
	}
	for name, devices := range volumes {
		head := strings.Split(devices, ",")[0]
		for _, file := range result(filepath.Glob(filepath.Join(*lunRoot, head, "*", "*.vmx"))) {
			at := object.DatastorePath{Datastore: name, Path: filepath.Join(filepath.Base(filepath.Dir(file)), filepath.Base(file))}
			result(result(root.RegisterVM(ctx, at.String(), "", false, pool, nil)).WaitForResult(ctx))
		}
	}
}

func (l *luns) sights() *sights {
	if hostsOf[l.Host.Self] == nil {
		hostsOf[l.Host.Self] = &sights{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	}
	return hostsOf[l.Host.Self]
}

func (l *luns) datastores(c ctx) *Datastores {
	return &Datastores{c.Map.Get(*l.Host.ConfigManager.DatastoreSystem).(*simulator.HostDatastoreSystem)}
}

// rescan sees every device that is there; one that is gone stays in the list while it is off or something lies on it.
func (l *luns) rescan(c ctx) {
	s, found := l.sights(), map[string]bool{}
	for _, entry := range result(os.ReadDir(*lunRoot)) {
		found[entry.Name()] = true
	}
	for device := range s.seen {
		if s.off[device] || l.mountOn(c, device) != nil {
			found[device] = true
		}
	}
	s.seen = found
	l.show(c)
}

// show writes what the host knows into its configuration.
func (l *luns) show(c ctx) {
	s, info := l.sights(), &types.HostStorageDeviceInfo{MultipathInfo: &types.HostMultipathInfo{}}
	iscsi, local := &types.HostInternetScsiHba{IScsiName: "iqn.1998-01.com.vmware:" + l.Host.Name}, &types.HostBlockHba{}
	iscsi.Key, iscsi.Device, iscsi.Status = "key-vim.host.InternetScsiHba-vmhba64", "vmhba64", "online"
	local.Key, local.Device = "key-vim.host.BlockHba-vmhba0", "vmhba0"
	info.HostBusAdapter = []types.BaseHostHostBusAdapter{local, iscsi}
	for device := range s.seen {
		state := "ok"
		if _, err := os.Stat(filepath.Join(*lunRoot, device)); s.off[device] {
			state = "off"
		} else if err != nil {
			state = "lostCommunication"
		}
		lun := &types.HostScsiDisk{ScsiLun: types.ScsiLun{Key: "key-vim.host.ScsiDisk-" + device, Uuid: "02" + device, CanonicalName: device, OperationalState: []string{state}}}
		lun.DeviceName, lun.LunType = "/vmfs/devices/disks/"+device, "disk"
		info.ScsiLun = append(info.ScsiLun, lun)
		info.MultipathInfo.Lun = append(info.MultipathInfo.Lun, types.HostMultipathInfoLogicalUnit{Key: lun.Key, Id: lun.Uuid, Lun: lun.Key,
			Path: []types.HostMultipathInfoPath{{Key: device, Adapter: iscsi.Key, Lun: lun.Key}}, Policy: &types.HostMultipathInfoLogicalUnitPolicy{}})
	}
	c.WithLock(l.Host, func() { l.Host.Config.StorageDevice = info })
}

// mountAll mounts every filesystem whose devices are all there and are its own, but for those that were unmounted.
func (l *luns) mountAll(c ctx) {
	for device := range l.sights().seen {
		s, ok := read(device)
		whole := !slices.ContainsFunc(s.Devices, func(d string) bool { return !l.sights().seen[d] || l.sights().off[d] })
		if !ok || !whole || s.Devices[0] != device || l.sights().unmounted[s.UUID] || (l.mountOn(c, device) != nil) {
			continue
		}
		if ds := volume(c, s.UUID); ds != nil && Mounted(ds, l.Host.Self) {
			l.setMounted(c, ds, true)
			continue
		} else if ds != nil {
			s.Label = ds.Name
		}
		body := l.datastores(c).CreateLocalDatastore(c, &types.CreateLocalDatastore{Name: s.Label, Path: filepath.Join(*lunRoot, device)})
		if body.Fault() != nil {
			continue
		}
		ds := c.Map.FindByName(s.Label, l.datastores(c).Datastore).(*simulator.Datastore)
		vmfs := &types.HostVmfsVolume{Uuid: s.UUID, MajorVersion: 6, Version: "6.82"}
		vmfs.Name, vmfs.Type = s.Label, "VMFS"
		for _, extent := range s.Devices {
			vmfs.Extent = append(vmfs.Extent, types.HostScsiDiskPartition{DiskName: extent, Partition: 1})
		}
		info := &types.VmfsDatastoreInfo{DatastoreInfo: *ds.Info.GetDatastoreInfo(), Vmfs: vmfs}
		c.WithLock(ds, func() { ds.Info, ds.Summary.Type = info, "VMFS" })
	}
}

// volume is the datastore of a filesystem, and mountOn what the host mounts on a device.
func volume(c ctx, id string) *simulator.Datastore {
	for _, entity := range c.Map.All("Datastore") {
		if info, ok := entity.(*simulator.Datastore).Info.(*types.VmfsDatastoreInfo); ok && info.Vmfs.Uuid == id {
			return entity.(*simulator.Datastore)
		}
	}
	return nil
}

func (l *luns) mountOn(c ctx, device string) *simulator.Datastore {
	for _, entity := range c.Map.All("Datastore") {
		ds := entity.(*simulator.Datastore)
		info, ok := ds.Info.(*types.VmfsDatastoreInfo)
		on := ok && slices.ContainsFunc(info.Vmfs.Extent, func(e types.HostScsiDiskPartition) bool { return e.DiskName == device })
		if on && slices.ContainsFunc(ds.Host, func(m types.DatastoreHostMount) bool { return m.Key == l.Host.Self && *m.MountInfo.Mounted }) {
			return ds
		}
	}
	return nil
}

func (l *luns) setMounted(c ctx, ds *simulator.Datastore, yes bool) {
	all := slices.Clone(ds.Host)
	for i := range all {
		if all[i].Key == l.Host.Self {
			all[i].MountInfo.Mounted, all[i].MountInfo.Accessible = types.NewBool(yes), types.NewBool(yes)
		}
	}
	c.Map.Update(c, ds, []types.PropertyChange{{Name: "host", Val: all}})
}

// change does something to what the host remembers of a device or of a filesystem.
func (l *luns) change(c ctx, act func(s *sights) fault) *soap.Fault {
	storage.Lock()
	defer storage.Unlock()
	if failed := act(l.sights()); failed != nil {
		return simulator.Fault("", failed)
	}
	l.show(c)
	return nil
}

func (l *luns) look(c ctx) { storage.Lock(); defer storage.Unlock(); l.rescan(c) }

func (l *luns) RescanHba(c ctx, r *types.RescanHba) soap.HasFault {
	if r.HbaDevice != "vmhba64" {
		return &methods.RescanHbaBody{Fault_: simulator.Fault("", &types.NotFound{})}
	}
	l.look(c)
	return &methods.RescanHbaBody{Res: &types.RescanHbaResponse{}}
}

func (l *luns) RescanAllHba(c ctx, _ *types.RescanAllHba) soap.HasFault {
	l.look(c)
	return &methods.RescanAllHbaBody{Res: &types.RescanAllHbaResponse{}}
}

func (l *luns) RescanVmfs(c ctx, _ *types.RescanVmfs) soap.HasFault {
	l.change(c, func(*sights) fault { l.mountAll(c); return nil })
	return &methods.RescanVmfsBody{Res: &types.RescanVmfsResponse{}}
}

func (l *luns) UnmountVmfsVolume(c ctx, r *types.UnmountVmfsVolume) soap.HasFault {
	return &methods.UnmountVmfsVolumeBody{Res: &types.UnmountVmfsVolumeResponse{}, Fault_: l.change(c, func(s *sights) fault {
		ds := volume(c, r.VmfsUuid)
		if ds == nil || !Mounted(ds, l.Host.Self) {
			return &types.NotFound{}
		} else if s.unmounted[r.VmfsUuid] {
			return &types.InvalidState{}
		}
		for _, ref := range ds.Vm {
			if vm, ok := c.Map.Get(ref).(*simulator.VirtualMachine); ok && *vm.Runtime.Host == l.Host.Self {
				return &types.ResourceInUse{Type: "Datastore", Name: ds.Name}
			}
		}
		s.unmounted[r.VmfsUuid] = true
		l.setMounted(c, ds, false)
		return nil
	})}
}

func (l *luns) MountVmfsVolume(c ctx, r *types.MountVmfsVolume) soap.HasFault {
	return &methods.MountVmfsVolumeBody{Res: &types.MountVmfsVolumeResponse{}, Fault_: l.change(c, func(s *sights) fault {
		if ds := volume(c, r.VmfsUuid); ds == nil || !Mounted(ds, l.Host.Self) {
			return &types.NotFound{}
		} else if !s.unmounted[r.VmfsUuid] {
			return &types.InvalidState{}
		}
		delete(s.unmounted, r.VmfsUuid)
		l.mountAll(c)
		return nil
	})}
}

func (l *luns) DetachScsiLun(c ctx, r *types.DetachScsiLun) soap.HasFault {
	return &methods.DetachScsiLunBody{Res: &types.DetachScsiLunResponse{}, Fault_: l.change(c, func(s *sights) fault {
		device, isUUID := strings.CutPrefix(r.LunUuid, "02")
		ds := l.mountOn(c, device)
		switch {
		case !isUUID || !s.seen[device]:
			return &types.NotFound{}
		case s.off[device]:
			return &types.InvalidState{}
		case ds != nil:
			return &types.ResourceInUse{Type: "Datastore", Name: ds.Name}
		}
		s.off[device] = true
		return nil
	})}
}

func (l *luns) AttachScsiLun(c ctx, r *types.AttachScsiLun) soap.HasFault {
	return &methods.AttachScsiLunBody{Res: &types.AttachScsiLunResponse{}, Fault_: l.change(c, func(s *sights) fault {
		device, isUUID := strings.CutPrefix(r.LunUuid, "02")
		switch {
		case !isUUID || !s.seen[device]:
			return &types.NotFound{}
		case !s.off[device]:
			return &types.InvalidState{}
		}
		delete(s.off, device)
		return nil
	})}
}

func (l *luns) DeleteScsiLunState(c ctx, r *types.DeleteScsiLunState) soap.HasFault {
	return &methods.DeleteScsiLunStateBody{Res: &types.DeleteScsiLunStateResponse{}, Fault_: l.change(c, func(s *sights) fault {
		if _, err := os.Stat(filepath.Join(*lunRoot, r.LunCanonicalName)); err == nil || !s.off[r.LunCanonicalName] {
			return &types.HostConfigFault{}
		}
		delete(s.off, r.LunCanonicalName)
		delete(s.seen, r.LunCanonicalName)
		return nil
	})}
}

func (l *luns) DeleteVmfsVolumeState(c ctx, r *types.DeleteVmfsVolumeState) soap.HasFault {
	return &methods.DeleteVmfsVolumeStateBody{Res: &types.DeleteVmfsVolumeStateResponse{}, Fault_: l.change(c, func(s *sights) fault {
		if !s.unmounted[r.VmfsUuid] {
			return &types.HostConfigFault{}
		}
		delete(s.unmounted, r.VmfsUuid)
		// Who puts ours in front of the simulator's objects also has the one that lets a datastore go.
		system, _ := c.Map.Handler(c, &simulator.Method{This: *l.Host.ConfigManager.DatastoreSystem})
		system.(remover).RemoveDatastore(c, &types.RemoveDatastore{Datastore: volume(c, r.VmfsUuid).Self})
		return nil
	})}
}

// unresolved are the copies that the host sees, all of one original together.
func (l *luns) unresolved() (found []types.HostUnresolvedVmfsVolume) {
	for _, device := range slices.Sorted(maps.Keys(l.sights().seen)) {
		s, ok := read(device)
		if !ok || l.sights().off[device] || slices.Contains(s.Devices, device) {
			continue
		}
		at := slices.IndexFunc(found, func(v types.HostUnresolvedVmfsVolume) bool { return v.VmfsUuid == s.UUID })
		if at < 0 {
			at, found = len(found), append(found, types.HostUnresolvedVmfsVolume{VmfsUuid: s.UUID, VmfsLabel: s.Label})
		}
		// Which extent it is: the folder of the head alone holds files.
		files := result(os.ReadDir(filepath.Join(*lunRoot, device)))
		extent := types.HostUnresolvedVmfsExtent{Device: types.HostScsiDiskPartition{DiskName: device, Partition: 1}, VmfsUuid: s.UUID,
			DevicePath: "/vmfs/devices/disks/" + device + ":1", IsHeadExtent: len(files) > 1 || len(s.Devices) == 1, Reason: "diskIdMismatch"}
		found[at].Extent = append(found[at].Extent, extent)
		several, incomplete := len(found[at].Extent) > len(s.Devices), len(found[at].Extent) < len(s.Devices)
		found[at].ResolveStatus = types.HostUnresolvedVmfsVolumeResolveStatus{Resolvable: !several && !incomplete,
			MultipleCopies: types.NewBool(several), IncompleteExtents: types.NewBool(incomplete)}
	}
	return found
}

func (s *Datastores) luns(c ctx) *luns {
	return &luns{c.Map.Get(*s.Host.ConfigManager.StorageSystem).(*simulator.HostStorageSystem)}
}

func (s *Datastores) QueryUnresolvedVmfsVolumes(c ctx, _ *types.QueryUnresolvedVmfsVolumes) soap.HasFault {
	storage.Lock()
	defer storage.Unlock()
	return &methods.QueryUnresolvedVmfsVolumesBody{Res: &types.QueryUnresolvedVmfsVolumesResponse{Returnval: s.luns(c).unresolved()}}
}

func (s *Datastores) ResignatureUnresolvedVmfsVolumeTask(c ctx, r *types.ResignatureUnresolvedVmfsVolume_Task) soap.HasFault {
	made := task(c, s.Host, "resignatureUnresolvedVmfsVolume", func() (types.AnyType, fault) {
		storage.Lock()
		defer storage.Unlock()
		for _, volume := range s.luns(c).unresolved() {
			slices.SortFunc(volume.Extent, func(a, b types.HostUnresolvedVmfsExtent) int { return map[bool]int{true: -1, false: 1}[a.IsHeadExtent] })
			if !slices.Contains(r.ResolutionSpec.ExtentDevicePath, volume.Extent[0].DevicePath) {
				continue
			} else if !volume.ResolveStatus.Resolvable {
				return nil, &types.VmfsAmbiguousMount{VmfsMountFault: types.VmfsMountFault{Uuid: volume.VmfsUuid}}
			}
			copied := signature{UUID: uuid.NewString(), Label: fmt.Sprintf("snap-%.8s-%s", uuid.NewString(), volume.VmfsLabel)}
			for _, extent := range volume.Extent {
				copied.Devices = append(copied.Devices, extent.Device.DiskName)
			}
			copied.write()
			s.luns(c).mountAll(c)
			return types.HostResignatureRescanResult{Result: s.luns(c).mountOn(c, copied.Devices[0]).Self}, nil
		}
		return nil, &types.NotFound{}
	})
	return &methods.ResignatureUnresolvedVmfsVolume_TaskBody{Res: &types.ResignatureUnresolvedVmfsVolume_TaskResponse{Returnval: made}}
}

// RenameTask also renames the paths of the machines, as vCenter shows them.
func (d *store) RenameTask(c ctx, r *types.Rename_Task) soap.HasFault {
	return &methods.Rename_TaskBody{Res: &types.Rename_TaskResponse{Returnval: task(c, d, "rename", func() (types.AnyType, fault) {
		if other := c.Map.FindByName(r.NewName, c.Map.Get(*d.Parent).(*simulator.Folder).ChildEntity); other != nil {
			return nil, &types.DuplicateName{Name: r.NewName, Object: other.Reference()}
		}
		c.Map.Update(c, d.Datastore, []types.PropertyChange{{Name: "name", Val: r.NewName}, {Name: "summary.name", Val: r.NewName}})
		d.Info.GetDatastoreInfo().Name = r.NewName
		return nil, nil
	})}}
}
