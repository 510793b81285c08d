package main

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"strata.test/interop/vmfs"
	"strata.test/interop/vmx"
)

type (
	ctx       = *simulator.Context
	fault     = types.BaseMethodFault
	reference = types.ManagedObjectReference
	folder    struct{ *simulator.Folder }
	machine   struct{ *simulator.VirtualMachine }
	mounts    struct{ vmfs.Datastores }
)

// extend has one of ours answer in place of the simulator's object, which stays in the registry since the simulator asserts its
// types. The call's reference is spoilt, or the session would find the simulator's object by it and prefer that.
func extend(c ctx, m *simulator.Method) (mo.Reference, fault) {
	ours := vmfs.Extend(c.Map.Get(m.This))
	switch object := c.Map.Get(m.This).(type) {
	case *simulator.Folder:
		ours = &folder{object}
	case *simulator.VirtualMachine:
		ours = &machine{object}
	case *simulator.HostDatastoreSystem:
		ours = &mounts{vmfs.Datastores{HostDatastoreSystem: object}}
	}
	if ours != nil {
		m.This.Value = ""
	}
	return ours, nil
}

func task(c ctx, on mo.Reference, name string, run func() (types.AnyType, fault)) reference {
	return simulator.CreateTask(on, name, func(*simulator.Task) (types.AnyType, fault) { return run() }).Run(c)
}

// wait follows a task of the simulator's own to its end.
func wait(c ctx, ref reference) (types.AnyType, fault) {
	inner := c.Map.Get(ref).(*simulator.Task)
	if inner.Wait(); inner.Info.Error != nil {
		return nil, inner.Info.Error.Fault
	}
	return inner.Info.Result, nil
}

// find is the datastore of a path, one without mounts if there is none, and the local file behind the path.
func find(c ctx, name string) (*simulator.Datastore, string) {
	var at object.DatastorePath
	at.FromString(name)
	for _, entity := range c.Map.All("Datastore") {
		if ds := entity.(*simulator.Datastore); ds.Name == at.Datastore {
			return ds, filepath.Join(ds.Summary.Url, at.Path)
		}
	}
	return &simulator.Datastore{}, ""
}

// RegisterVMTask reads the .vmx; it asks for no other file, and takes a host of the pool that mounts the datastore.
func (f *folder) RegisterVMTask(c ctx, r *types.RegisterVM_Task) soap.HasFault {
	return &methods.RegisterVM_TaskBody{Res: &types.RegisterVM_TaskResponse{Returnval: task(c, f, "registerVMTask", func() (types.AnyType, fault) {
		ds, file := find(c, r.Path)
		pool, ok := c.Map.Get(*cmp.Or(r.Pool, &reference{})).(*simulator.ResourcePool)
		at := slices.IndexFunc(ds.Host, func(mount types.DatastoreHostMount) bool {
			return ok && *c.Map.Get(mount.Key).(*simulator.HostSystem).Parent == pool.Owner && (r.Host == nil || *r.Host == mount.Key)
		})
		if at < 0 {
			return nil, &types.InvalidDatastorePath{DatastorePath: r.Path}
		}
		config, err := vmx.Read(file)
		if err != nil {
			return nil, &types.NotFound{}
		}
		r.Name, r.Host = cmp.Or(r.Name, config.Name()), types.NewReference(ds.Host[at].Key)
		// The simulator wants both files. A host writes the log from here on, and the other at power-on.
		nvram := filepath.Join(filepath.Dir(file), r.Name+".nvram")
		for _, wanted := range []string{nvram, filepath.Join(filepath.Dir(file), "vmware.log")} {
			made, _ := os.OpenFile(wanted, os.O_CREATE, 0o600)
			_ = made.Close()
		}
		ref, failed := wait(c, f.Folder.RegisterVMTask(c, r).(*methods.RegisterVM_TaskBody).Res.Returnval)
		if failed != nil {
			_ = os.Remove(nvram)
			return nil, failed
		}
		return ref, (&machine{c.Map.Get(ref.(reference)).(*simulator.VirtualMachine)}).load(c)
	})}}
}

// load makes the machine what its .vmx says: identity, disks and cards. A copy gets another instance uuid, as from vCenter.
func (vm *machine) load(c ctx) fault {
	open, used := func(name string) string { _, file := find(c, name); return file }, []string{vm.Config.Files.VmPathName}
	config, err := vmx.Read(open(used[0]))
	if err != nil {
		return &types.NotFound{}
	}
	spec := config.Spec(used[0], open)
	for _, other := range c.Map.All("VirtualMachine") {
		if other := other.(*simulator.VirtualMachine); other.Self != vm.Self && other.Config.InstanceUuid == spec.InstanceUuid {
			spec.InstanceUuid = ""
		}
	}
	for _, change := range spec.DeviceChange {
		switch backing := change.GetVirtualDeviceConfigSpec().Device.GetVirtualDevice().Backing.(type) {
		case *types.VirtualDiskFlatVer2BackingInfo:
			used = append(used, backing.FileName)
		case *types.VirtualEthernetCardNetworkBackingInfo:
			if c.Map.FindByName(backing.DeviceName, c.Map.Get(*vm.Runtime.Host).(*simulator.HostSystem).Network) == nil {
				backing.DeviceName = "VM Network"
			}
		}
	}
	for _, device := range vm.Config.Hardware.Device { // the first is removed last, since disks go before their controller
		switch device.(type) {
		case types.BaseVirtualSCSIController, *types.VirtualDisk, types.BaseVirtualEthernetCard:
			gone := &types.VirtualDeviceConfigSpec{Operation: "remove", Device: device}
			spec.DeviceChange = append([]types.BaseVirtualDeviceConfigSpec{gone}, spec.DeviceChange...)
		}
	}
	now := []reference{}
	for _, name := range used { // the simulator would die of a datastore that is not there, and above of a network
		ds, _ := find(c, name)
		if !vmfs.Mounted(ds, *vm.Runtime.Host) {
			return &types.InvalidDatastorePath{DatastorePath: name}
		}
		now = append(now, ds.Self)
	}
	body := vm.VirtualMachine.ReconfigVMTask(c, &types.ReconfigVM_Task{This: vm.Self, Spec: spec}).(*methods.ReconfigVM_TaskBody)
	if _, failed := wait(c, body.Res.Returnval); failed != nil {
		return failed
	}
	for _, entity := range c.Map.All("Datastore") {
		if ds := entity.(*simulator.Datastore); slices.Contains(now, ds.Self) {
			c.Map.AddReference(c, ds, &ds.Vm, vm.Self)
		} else {
			c.Map.RemoveReference(c, ds, &ds.Vm, vm.Self)
		}
	}
	slices.SortFunc(now, func(a, b reference) int { return cmp.Compare(a.Value, b.Value) })
	c.Map.Update(c, vm.VirtualMachine, []types.PropertyChange{{Name: "datastore", Val: slices.Compact(now)}})
	return nil
}

// ReconfigVMTask also writes identity and extra settings into the .vmx, as a host does, so that a reload keeps it.
func (vm *machine) ReconfigVMTask(c ctx, r *types.ReconfigVM_Task) soap.HasFault {
	body := vm.VirtualMachine.ReconfigVMTask(c, r).(*methods.ReconfigVM_TaskBody)
	if _, failed := wait(c, body.Res.Returnval); failed == nil {
		_, file := find(c, vm.Config.Files.VmPathName)
		_ = vmx.Rewrite(file, vm.Config)
	}
	return body
}

// Reload reads the .vmx again.
func (vm *machine) Reload(c ctx, _ *types.Reload) soap.HasFault {
	if failed := vm.load(c); failed != nil {
		return &methods.ReloadBody{Fault_: simulator.Fault("", failed)}
	}
	return &methods.ReloadBody{Res: &types.ReloadResponse{}}
}

// ReloadVirtualMachineFromPathTask reads another .vmx, or the same one again.
func (vm *machine) ReloadVirtualMachineFromPathTask(c ctx, r *types.ReloadVirtualMachineFromPath_Task) soap.HasFault {
	done := task(c, vm, "reloadVirtualMachineFromPathTask", func() (types.AnyType, fault) {
		if vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn {
			return nil, &types.InvalidPowerState{ExistingState: vm.Runtime.PowerState, RequestedState: "poweredOff"}
		}
		vm.Config.Files.VmPathName = r.ConfigurationPath
		return nil, vm.load(c)
	})
	return &methods.ReloadVirtualMachineFromPath_TaskBody{Res: &types.ReloadVirtualMachineFromPath_TaskResponse{Returnval: done}}
}

// CreateNasDatastore mounts the folder of this machine that the remote path names.
func (s *mounts) CreateNasDatastore(c ctx, r *types.CreateNasDatastore) soap.HasFault {
	failed := func(f fault) soap.HasFault { return &methods.CreateNasDatastoreBody{Fault_: simulator.Fault("", f)} }
	name, remote := filepath.Base(r.Spec.LocalPath), filepath.Join(*nfsRoot, r.Spec.RemotePath)
	if info, err := os.Stat(remote); err != nil || !info.IsDir() {
		return failed(&types.PlatformConfigFault{Text: "mount of " + r.Spec.RemoteHost + ":" + r.Spec.RemotePath + " failed: no such export"})
	}
	for _, entity := range c.Map.All("Datastore") {
		ds := entity.(*simulator.Datastore)
		nas, ok := ds.Info.(*types.NasDatastoreInfo)
		same := ok && nas.Nas.RemoteHost == r.Spec.RemoteHost && nas.Nas.RemotePath == r.Spec.RemotePath
		if same && vmfs.Mounted(ds, s.Host.Self) {
			return failed(&types.AlreadyExists{Name: ds.Name})
		} else if same != (ds.Name == name) {
			return failed(&types.DuplicateName{Name: ds.Name, Object: ds.Self})
		}
	}
	r.Spec.LocalPath = filepath.Join(home, name)
	_ = os.Symlink(remote, r.Spec.LocalPath)
	body := s.HostDatastoreSystem.CreateNasDatastore(c, r).(*methods.CreateNasDatastoreBody)
	if body.Res != nil {
		ds := c.Map.FindByName(name, s.Datastore).(*simulator.Datastore)
		nas := ds.Info.(*types.NasDatastoreInfo).Nas
		nas.Name, nas.RemoteHostNames, body.Res.Returnval = name, []string{r.Spec.RemoteHost}, ds.Self
	}
	return body
}

// RemoveDatastore unmounts from this host; with its last host the datastore goes.
func (s *mounts) RemoveDatastore(c ctx, r *types.RemoveDatastore) soap.HasFault {
	failed := func(f fault) soap.HasFault { return &methods.RemoveDatastoreBody{Fault_: simulator.Fault("", f)} }
	ds, ok := c.Map.Get(r.Datastore).(*simulator.Datastore)
	if !ok || !vmfs.Mounted(ds, s.Host.Self) {
		return failed(&types.NotFound{})
	}
	here := func(vm reference) bool { return *c.Map.Get(vm).(*simulator.VirtualMachine).Runtime.Host == s.Host.Self }
	if slices.ContainsFunc(ds.Vm, here) {
		return failed(&types.ResourceInUse{Type: "Datastore", Name: ds.Name})
	}
	if len(ds.Host) == 1 {
		if _, refused := wait(c, ds.DestroyTask(c, &types.Destroy_Task{This: ds.Self}).(*methods.Destroy_TaskBody).Res.Returnval); refused != nil {
			return failed(refused)
		}
		_ = os.Remove(ds.Summary.Url)
	}
	simulator.RemoveReference(&s.Datastore, ds.Self)
	c.Map.RemoveReference(c, s.Host, &s.Host.Datastore, ds.Self)
	rest := slices.DeleteFunc(slices.Clone(ds.Host), func(mount types.DatastoreHostMount) bool { return mount.Key == s.Host.Self })
	c.Map.Update(c, ds, []types.PropertyChange{{Name: "host", Val: rest}})
	return &methods.RemoveDatastoreBody{Res: &types.RemoveDatastoreResponse{}}
}
