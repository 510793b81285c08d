package main

import (
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
	events    struct{ *simulator.EventManager }
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
	case *simulator.EventManager:
		ours = &events{object}
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
	dc, ok := of.(*simulator.Datacenter)
	for ; !ok && of.Entity().Parent != nil; dc, ok = of.(*simulator.Datacenter) {
		of = c.Map.Get(*of.Entity().Parent).(mo.Entity)
	}
	if ok {
		if ds, ok := c.Map.FindByName(at.Datastore, dc.Datastore).(*simulator.Datastore); ok {
			return ds, filepath.Join(ds.Summary.Url, at.Path)
		}
	}
	return nil, ""
}

func mounted(ds *simulator.Datastore, host reference) bool {
	return slices.ContainsFunc(ds.Host, func(mount types.DatastoreHostMount) bool { return mount.Key == host })
}

// RegisterVMTask reads the .vmx; it asks for no other file.
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
		if r.Name == "" {
			r.Name = pairs(text)["displayname"]
		}
		pool, _ := c.Map.Get(*r.Pool).(*simulator.ResourcePool)
		for i := 0; r.Host == nil && i < len(ds.Host); i++ {
			if pool != nil && pool.Owner == *c.Map.Get(ds.Host[i].Key).(*simulator.HostSystem).Parent {
				r.Host = &ds.Host[i].Key
			}
		}
		// The simulator wants both files. A host writes the log from here on, and the other at power-on.
		nvram, log := filepath.Join(filepath.Dir(file), r.Name+".nvram"), filepath.Join(filepath.Dir(file), "vmware.log")
		for _, wanted := range []string{nvram, log} {
			if _, err := os.Stat(wanted); err != nil {
				_ = os.WriteFile(wanted, nil, 0o600)
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

// load makes the machine what its .vmx says: identity, disks and cards.
func (vm *machine) load(c ctx) fault {
	_, file := find(c, vm.VirtualMachine, vm.Config.Files.VmPathName)
	text, err := os.ReadFile(file)
	if err != nil {
		return &types.NotFound{}
	}
	var dir object.DatastorePath
	dir.FromString(path.Dir(vm.Config.Files.VmPathName))
	spec := configOf(pairs(text), dir, func(name string) string { _, file := find(c, vm.VirtualMachine, name); return file })
	for _, other := range c.Map.All("VirtualMachine") {
		if other := other.(*simulator.VirtualMachine); other.Self != vm.Self && other.Config.InstanceUuid == spec.InstanceUuid {
			spec.InstanceUuid = "" // vCenter gives a copy another one
		}
	}
	for _, device := range vm.Config.Hardware.Device {
		switch device.(type) {
		case types.BaseVirtualSCSIController, *types.VirtualDisk, types.BaseVirtualEthernetCard:
			remove := &types.VirtualDeviceConfigSpec{Operation: "remove", Device: device}
			spec.DeviceChange = slices.Insert(spec.DeviceChange, 0, types.BaseVirtualDeviceConfigSpec(remove))
		}
	}
	return vm.reconfigure(c, &types.ReconfigVM_Task{This: vm.Self, Spec: spec})
}

// reconfigure refuses what would end the simulator's process, and keeps the datastores' lists of machines true.
func (vm *machine) reconfigure(c ctx, r *types.ReconfigVM_Task) fault {
	for _, change := range r.Spec.DeviceChange {
		switch backing := change.GetVirtualDeviceConfigSpec().Device.GetVirtualDevice().Backing.(type) {
		case types.BaseVirtualDeviceFileBackingInfo:
			name := backing.GetVirtualDeviceFileBackingInfo().FileName
			if ds, _ := find(c, vm.VirtualMachine, name); name != "" && (ds == nil || !mounted(ds, *vm.Runtime.Host)) {
				return &types.InvalidDatastorePath{DatastorePath: name}
			}
		case *types.VirtualEthernetCardNetworkBackingInfo:
			if c.Map.FindByName(backing.DeviceName, c.Map.Get(*vm.Runtime.Host).(*simulator.HostSystem).Network) == nil {
				backing.DeviceName = "VM Network"
			}
		}
	}
	if _, failed := wait(c, vm.VirtualMachine.ReconfigVMTask(c, r).(*methods.ReconfigVM_TaskBody).Res.Returnval); failed != nil {
		return failed
	}
	used := []string{vm.Config.Files.VmPathName}
	for _, device := range vm.Config.Hardware.Device {
		if backing, ok := device.GetVirtualDevice().Backing.(types.BaseVirtualDeviceFileBackingInfo); ok {
			used = append(used, backing.GetVirtualDeviceFileBackingInfo().FileName)
		}
	}
	before, now := vm.Datastore, []reference{}
	for _, name := range used {
		if ds, _ := find(c, vm.VirtualMachine, name); ds != nil && !slices.Contains(now, ds.Self) {
			now = append(now, ds.Self)
			c.Map.AddReference(c, ds, &ds.Vm, vm.Self)
		}
	}
	for _, ref := range before {
		if ds, ok := c.Map.Get(ref).(*simulator.Datastore); ok && !slices.Contains(now, ref) {
			c.Map.RemoveReference(c, ds, &ds.Vm, vm.Self)
		}
	}
	c.Map.Update(c, vm.VirtualMachine, []types.PropertyChange{{Name: "datastore", Val: now}})
	return nil
}

// ReconfigVMTask also writes identity and extra settings into the .vmx, as a host does, so that a reload keeps it.
func (vm *machine) ReconfigVMTask(c ctx, r *types.ReconfigVM_Task) soap.HasFault {
	return &methods.ReconfigVM_TaskBody{Res: &types.ReconfigVM_TaskResponse{Returnval: task(c, vm, "reconfigVMTask", func() (types.AnyType, fault) {
		failed := vm.reconfigure(c, r)
		if _, file := find(c, vm.VirtualMachine, vm.Config.Files.VmPathName); failed == nil {
			writeBack(file, vm.Config)
		}
		return nil, failed
	})}}
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
	return &methods.ReloadVirtualMachineFromPath_TaskBody{Res: &types.ReloadVirtualMachineFromPath_TaskResponse{
		Returnval: task(c, vm, "reloadVirtualMachineFromPathTask", func() (types.AnyType, fault) {
			if vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn {
				return nil, &types.InvalidPowerState{ExistingState: vm.Runtime.PowerState, RequestedState: "poweredOff"}
			}
			vm.Config.Files.VmPathName = r.ConfigurationPath
			return nil, vm.load(c)
		})}}
}

// AnswerVM has nothing to answer: the simulator asks no question.
func (*machine) AnswerVM(*types.AnswerVM) soap.HasFault {
	return &methods.AnswerVMBody{Res: &types.AnswerVMResponse{}}
}

// ConsolidateVMDisksTask has nothing to do: the simulator's snapshots have no delta disks.
func (vm *machine) ConsolidateVMDisksTask(c ctx, _ *types.ConsolidateVMDisks_Task) soap.HasFault {
	done := task(c, vm, "consolidateVMDisksTask", func() (types.AnyType, fault) { return nil, nil })
	return &methods.ConsolidateVMDisks_TaskBody{Res: &types.ConsolidateVMDisks_TaskResponse{Returnval: done}}
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
	_ = os.Remove(r.Spec.LocalPath)
	if err := os.Symlink(remote, r.Spec.LocalPath); err != nil {
		return failed(&types.PlatformConfigFault{Text: err.Error()})
	}
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
	for _, ref := range ds.Vm {
		if vm, ok := c.Map.Get(ref).(*simulator.VirtualMachine); ok && *vm.Runtime.Host == s.Host.Self {
			return failed(&types.ResourceInUse{Type: "Datastore", Name: ds.Name})
		}
	}
	if len(ds.Host) == 1 {
		destroy := ds.DestroyTask(c, &types.Destroy_Task{This: ds.Self}).(*methods.Destroy_TaskBody)
		if _, refused := wait(c, destroy.Res.Returnval); refused != nil {
			return failed(refused)
		}
	}
	simulator.RemoveReference(&s.Datastore, ds.Self)
	c.Map.RemoveReference(c, s.Host, &s.Host.Datastore, ds.Self)
	rest := slices.DeleteFunc(slices.Clone(ds.Host), func(mount types.DatastoreHostMount) bool { return mount.Key == s.Host.Self })
	c.Map.Update(c, ds, []types.PropertyChange{{Name: "host", Val: rest}})
	return &methods.RemoveDatastoreBody{Res: &types.RemoveDatastoreResponse{}}
}

// LogUserEvent posts the event that vCenter posts for it.
func (e *events) LogUserEvent(c ctx, r *types.LogUserEvent) soap.HasFault {
	event := &types.GeneralUserEvent{GeneralEvent: types.GeneralEvent{Message: r.Msg}}
	event.Entity = &types.ManagedEntityEventArgument{Entity: r.Entity}
	if vm, ok := c.Map.Get(r.Entity).(*simulator.VirtualMachine); ok {
		event.Vm = &types.VmEventArgument{EntityEventArgument: types.EntityEventArgument{Name: vm.Name}, Vm: vm.Self}
	}
	e.PostEvent(c, &types.PostEvent{This: e.Self, EventToPost: event})
	return &methods.LogUserEventBody{Res: &types.LogUserEventResponse{}}
}
