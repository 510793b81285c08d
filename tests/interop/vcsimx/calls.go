package main

import (
	"cmp"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

type (
	ctx       = *simulator.Context
	fault     = types.BaseMethodFault
	reference = types.ManagedObjectReference
	folder    struct{ *simulator.Folder }
	machine   struct{ *simulator.VirtualMachine }
	mounts    struct{ *simulator.HostDatastoreSystem }
	forgetter struct{}
)

var sessions sync.Map // the registries of all sessions

// extend puts one of ours in front of the simulator's object: a session's own registry is asked first.
func extend(c ctx, m *simulator.Method) (mo.Reference, fault) {
	var ours mo.Reference
	switch object := c.Map.Get(m.This).(type) {
	case *simulator.Folder:
		ours = &folder{object}
	case *simulator.VirtualMachine:
		ours = &machine{object}
	case *simulator.HostDatastoreSystem:
		ours = &mounts{object}
	case *simulator.HostStorageSystem:
		ours = &luns{object}
	case *simulator.Datastore:
		ours = &store{object}
	}
	if ours != nil && c.Session != nil && c.Session.Registry.Get(m.This) == nil {
		c.Session.Registry.Put(ours)
		sessions.Store(c.Session.Registry, nil)
	}
	return nil, nil
}

// The forgetter takes ours away when the simulator's object goes.
func (forgetter) Reference() reference                                   { return reference{Type: "Forgetter", Value: "vcsimx"} }
func (forgetter) PutObject(ctx, mo.Reference)                            {}
func (forgetter) UpdateObject(ctx, mo.Reference, []types.PropertyChange) {}
func (forgetter) RemoveObject(c ctx, gone reference) {
	sessions.Range(func(registry, _ any) bool { registry.(*simulator.Registry).Remove(c, gone); return true })
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

// find is the datastore of a path in an entity's datacenter, and the local file behind the path.
func find(c ctx, of mo.Entity, name string) (*simulator.Datastore, string) {
	var at object.DatastorePath
	at.FromString(name)
	for of.Entity().Parent != nil && of.Reference().Type != "Datacenter" {
		of = c.Map.Get(*of.Entity().Parent).(mo.Entity)
	}
	if dc, ok := of.(*simulator.Datacenter); ok {
		if ds, ok := c.Map.FindByName(at.Datastore, dc.Datastore).(*simulator.Datastore); ok {
			return ds, filepath.Join(ds.Summary.Url, at.Path)
		}
	}
	return nil, ""
}

func mounted(ds *simulator.Datastore, host reference) bool {
	return slices.ContainsFunc(ds.Host, func(mount types.DatastoreHostMount) bool { return mount.Key == host })
}

// RegisterVMTask reads the .vmx; it asks for no other file, and takes a host that mounts the datastore.
func (f *folder) RegisterVMTask(c ctx, r *types.RegisterVM_Task) soap.HasFault {
	return &methods.RegisterVM_TaskBody{Res: &types.RegisterVM_TaskResponse{Returnval: task(c, f, "registerVMTask", func() (types.AnyType, fault) {
		ds, file := find(c, f.Folder, r.Path)
		if ds == nil || r.Pool == nil || (r.Host != nil && !mounted(ds, *r.Host)) {
			return nil, &types.InvalidDatastorePath{DatastorePath: r.Path}
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, &types.NotFound{}
		}
		r.Name = cmp.Or(r.Name, parse(text)["displayname"])
		for i := 0; r.Host == nil && i < len(ds.Host); i++ {
			if c.Map.Get(*r.Pool).(*simulator.ResourcePool).Owner == *c.Map.Get(ds.Host[i].Key).(*simulator.HostSystem).Parent {
				r.Host = &ds.Host[i].Key
			}
		}
		// The simulator wants both files. A host writes the log from here on, and the other at power-on.
		nvram := filepath.Join(filepath.Dir(file), r.Name+".nvram")
		for _, wanted := range []string{nvram, filepath.Join(filepath.Dir(file), "vmware.log")} {
			if made, err := os.OpenFile(wanted, os.O_CREATE, 0o600); err == nil {
				made.Close()
			}
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
	open := func(name string) string { _, file := find(c, vm.VirtualMachine, name); return file }
	text, err := os.ReadFile(open(vm.Config.Files.VmPathName))
	if err != nil {
		return &types.NotFound{}
	}
	var dir object.DatastorePath
	dir.FromString(path.Dir(vm.Config.Files.VmPathName))
	config := parse(text)
	spec := types.VirtualMachineConfigSpec{Uuid: plain(config["uuid.bios"]), InstanceUuid: plain(config["vc.uuid"])}
	for _, other := range c.Map.All("VirtualMachine") {
		if other := other.(*simulator.VirtualMachine); other.Self != vm.Self && other.Config.InstanceUuid == spec.InstanceUuid {
			spec.InstanceUuid = ""
		}
	}
	for key, value := range config {
		if !modelled.MatchString(key) {
			spec.ExtraConfig = append(spec.ExtraConfig, &types.OptionValue{Key: key, Value: value})
		}
	}
	change := func(operation types.VirtualDeviceConfigSpecOperation, device types.BaseVirtualDevice) {
		spec.DeviceChange = append(spec.DeviceChange, &types.VirtualDeviceConfigSpec{Operation: operation, Device: device})
	}
	for _, device := range slices.Backward(vm.Config.Hardware.Device) {
		switch device.(type) {
		case types.BaseVirtualSCSIController, *types.VirtualDisk, types.BaseVirtualEthernetCard:
			change("remove", device)
		}
	}
	used := []string{vm.Config.Files.VmPathName}
	for _, device := range config.devices(dir, open) {
		switch backing := device.GetVirtualDevice().Backing.(type) {
		case *types.VirtualDiskFlatVer2BackingInfo:
			used = append(used, backing.FileName)
		case *types.VirtualEthernetCardNetworkBackingInfo:
			if c.Map.FindByName(backing.DeviceName, c.Map.Get(*vm.Runtime.Host).(*simulator.HostSystem).Network) == nil {
				backing.DeviceName = "VM Network"
			}
		}
		change("add", device)
	}
	now := []reference{}
	for _, name := range used { // the simulator would end its process over a datastore that is not there
		ds, _ := find(c, vm.VirtualMachine, name)
		if ds == nil || !mounted(ds, *vm.Runtime.Host) {
			return &types.InvalidDatastorePath{DatastorePath: name}
		}
		now = append(now, ds.Self)
	}
	if _, failed := wait(c, vm.VirtualMachine.ReconfigVMTask(c, &types.ReconfigVM_Task{This: vm.Self, Spec: spec}).(*methods.ReconfigVM_TaskBody).Res.Returnval); failed != nil {
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
		_, file := find(c, vm.VirtualMachine, vm.Config.Files.VmPathName)
		writeBack(file, vm.Config)
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
	name, remote := path.Base(r.Spec.LocalPath), filepath.Join(*nfsRoot, r.Spec.RemotePath)
	if info, err := os.Stat(remote); err != nil || !info.IsDir() {
		return failed(&types.PlatformConfigFault{Text: "mount of " + r.Spec.RemoteHost + ":" + r.Spec.RemotePath + " failed: no such export"})
	}
	for _, entity := range c.Map.All("Datastore") {
		ds := entity.(*simulator.Datastore)
		nas, ok := ds.Info.(*types.NasDatastoreInfo)
		same := ok && nas.Nas.RemoteHost == r.Spec.RemoteHost && nas.Nas.RemotePath == r.Spec.RemotePath
		if same && mounted(ds, s.Host.Self) {
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
	if !ok || !mounted(ds, s.Host.Self) {
		return failed(&types.NotFound{})
	}
	if slices.ContainsFunc(ds.Vm, func(ref reference) bool {
		return *c.Map.Get(ref).(*simulator.VirtualMachine).Runtime.Host == s.Host.Self
	}) {
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
