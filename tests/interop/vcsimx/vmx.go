package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/types"
	"github.com/vmware/govmomi/vmdk"
)

var (
	line      = regexp.MustCompile(`(?m)^\s*([\w.:]+)\s*=\s*"(.*)"\s*$`)
	modelled  = regexp.MustCompile(`^(\.encoding|displayname|uuid\.bios|vc\.uuid|memsize|config\.version|virtualhw\.version|(scsi|ethernet)\d.*)$`)
	escapes   = strings.NewReplacer("|", "|7C", `"`, "|22")
	unescapes = strings.NewReplacer("|22", `"`, "|7C", "|")
)

type vmx map[string]string // a .vmx file's pairs; keys are lower case

func parse(text []byte) vmx {
	v := vmx{}
	for _, m := range line.FindAllStringSubmatch(string(text), -1) {
		v[strings.ToLower(m[1])] = unescapes.Replace(m[2])
	}
	return v
}

func (v vmx) has(device string) bool { return strings.EqualFold(v[device+".present"], "TRUE") }

// plain is the usual spelling of a uuid that a file spells in bytes; empty if it is none.
func plain(text string) string {
	id, err := uuid.Parse(strings.NewReplacer(" ", "", "-", "").Replace(text))
	return map[bool]string{true: id.String()}[err == nil]
}

// devices are its SCSI disks and network cards; open finds the local file behind a datastore's path.
func (v vmx) devices(dir object.DatastorePath, open func(string) string) (all []types.BaseVirtualDevice) {
	for bus := range int32(4) {
		scsi, controller := fmt.Sprintf("scsi%d", bus), &types.ParaVirtualSCSIController{}
		controller.Key, controller.BusNumber, controller.SharedBus = 1000+bus, bus, "noSharing"
		if v.has(scsi) {
			all = append(all, controller)
		}
		for unit := range int32(16) {
			if at := fmt.Sprintf("%s:%d", scsi, unit); v.has(scsi) && v.has(at) {
				disk := diskOf(v[at+".filename"], dir, open)
				disk.Key, disk.ControllerKey, disk.UnitNumber = 2000+16*bus+unit, controller.Key, &unit
				all = append(all, disk)
			}
		}
	}
	for n := range int32(10) {
		if at := fmt.Sprintf("ethernet%d", n); v.has(at) {
			card, backing := &types.VirtualVmxnet3{}, &types.VirtualEthernetCardNetworkBackingInfo{}
			card.Key, card.AddressType, card.MacAddress = 4000+n, v[at+".addresstype"], cmp.Or(v[at+".address"], v[at+".generatedaddress"])
			backing.DeviceName, card.Backing = v[at+".networkname"], backing
			card.Connectable = &types.VirtualDeviceConnectInfo{StartConnected: !strings.EqualFold(v[at+".startconnected"], "FALSE"), AllowGuestControl: true}
			all = append(all, card)
		}
	}
	return all
}

// diskOf reads a disk's descriptor. Absolute names are `/vmfs/volumes/<store>/...`, all others are beside the .vmx.
func diskOf(name string, at object.DatastorePath, open func(string) string) *types.VirtualDisk {
	at.Path += "/" + name
	if rest, ok := strings.CutPrefix(name, "/vmfs/volumes/"); ok {
		at.Datastore, at.Path, _ = strings.Cut(rest, "/")
	}
	backing, disk := &types.VirtualDiskFlatVer2BackingInfo{DiskMode: "persistent", ThinProvisioned: types.NewBool(true)}, &types.VirtualDisk{}
	backing.FileName, disk.Backing = at.String(), backing
	if file, err := os.Open(open(backing.FileName)); err == nil {
		defer file.Close()
		if text, err := vmdk.ParseDescriptor(file); err == nil {
			backing.Uuid, disk.CapacityInBytes, disk.CapacityInKB = plain(text.DDB["uuid"]), text.Capacity(), text.Capacity()/1024
		}
	}
	return disk
}

// writeBack sets what ReconfigVM may have changed in a .vmx; disks stay as they were.
func writeBack(file string, config *types.VirtualMachineConfigInfo) {
	text, err := os.ReadFile(file)
	if err != nil {
		return
	}
	v := parse(text)
	v["displayname"] = config.Name
	for key, value := range map[string]string{"uuid.bios": config.Uuid, "vc.uuid": config.InstanceUuid} {
		if id, err := uuid.Parse(value); err == nil {
			v[key] = fmt.Sprintf("% x-% x", id[:8], id[8:])
		}
	}
	for _, device := range config.Hardware.Device {
		if card, ok := device.(types.BaseVirtualEthernetCard); ok {
			c := card.GetVirtualEthernetCard()
			at := fmt.Sprintf("ethernet%d.", c.Key-4000)
			v[at+"addresstype"], v[at+"address"] = c.AddressType, c.MacAddress
			v[at+"startconnected"] = fmt.Sprint(c.Connectable == nil || c.Connectable.StartConnected)
		}
	}
	for _, option := range config.ExtraConfig {
		if o := option.GetOptionValue(); o.Key != "govcsim" {
			v[strings.ToLower(o.Key)] = fmt.Sprint(o.Value)
		}
	}
	out := []byte{}
	for _, key := range slices.Sorted(maps.Keys(v)) {
		out = fmt.Appendf(out, "%s = \"%s\"\n", key, escapes.Replace(v[key]))
	}
	_ = os.WriteFile(file, out, 0o600)
}
