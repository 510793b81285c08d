package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/types"
)

var (
	pair   = regexp.MustCompile(`(?m)^\s*([\w.:]+)\s*=\s*"(.*)"\s*$`)
	extent = regexp.MustCompile(`(?m)^RW (\d+) `)
	parsed = regexp.MustCompile(`^(\.encoding|displayname|uuid\.bios|vc\.uuid|memsize|config\.version|virtualhw\.version|(scsi|ethernet)\d.*)$`)
	slot   = regexp.MustCompile(`^(scsi|ethernet)(\d+)(?::(\d+))?\.(present|filename)$`)
)

// pairs reads the `key = "value"` lines of a .vmx file or of a disk's descriptor. Keys are lower case.
func pairs(text []byte) map[string]string {
	found := map[string]string{}
	for _, m := range pair.FindAllStringSubmatch(string(text), -1) {
		found[strings.ToLower(m[1])] = strings.NewReplacer("|22", `"`, "|7C", "|").Replace(m[2])
	}
	return found
}

// spelled is a uuid as .vmx files spell it, plain the usual spelling of one; empty if it is none.
func spelled(id uuid.UUID) string { return fmt.Sprintf("% x-% x", id[:8], id[8:]) }

func plain(text string) string {
	id, err := uuid.Parse(strings.NewReplacer(" ", "", "-", "").Replace(text))
	return map[bool]string{true: id.String()}[err == nil]
}

// configOf is what a .vmx says about identity, disks and network cards. dir is its folder, local finds a file.
func configOf(vmx map[string]string, dir object.DatastorePath, local func(string) string) (spec types.VirtualMachineConfigSpec) {
	spec.Uuid, spec.InstanceUuid = plain(vmx["uuid.bios"]), plain(vmx["vc.uuid"])
	add := func(device types.BaseVirtualDevice) {
		spec.DeviceChange = append(spec.DeviceChange, &types.VirtualDeviceConfigSpec{Operation: "add", Device: device})
	}
	for _, key := range slices.Sorted(maps.Keys(vmx)) { // a controller sorts before its disks
		if !parsed.MatchString(key) {
			spec.ExtraConfig = append(spec.ExtraConfig, &types.OptionValue{Key: key, Value: vmx[key]})
		}
		m := slot.FindStringSubmatch(key)
		if m == nil {
			continue
		}
		bus, _ := strconv.Atoi(m[2])
		unit, _ := strconv.Atoi(m[3])
		switch {
		case m[1] == "scsi" && m[3] == "" && strings.EqualFold(vmx[key], "TRUE"):
			controller := &types.ParaVirtualSCSIController{}
			controller.Key, controller.BusNumber, controller.SharedBus = int32(1000+bus), int32(bus), "noSharing"
			add(controller)
		case m[1] == "scsi" && m[4] == "filename" && strings.EqualFold(vmx[strings.Replace(key, m[4], "present", 1)], "TRUE"):
			disk := diskOf(vmx[key], dir, local)
			disk.Key, disk.ControllerKey, disk.UnitNumber = int32(2000+16*bus+unit), int32(1000+bus), types.NewInt32(int32(unit))
			add(disk)
		case m[1] == "ethernet" && strings.EqualFold(vmx[key], "TRUE"):
			of, card, backing := strings.TrimSuffix(key, m[4]), &types.VirtualVmxnet3{}, &types.VirtualEthernetCardNetworkBackingInfo{}
			card.Key, card.AddressType, card.MacAddress = int32(4000+bus), vmx[of+"addresstype"], cmp.Or(vmx[of+"address"], vmx[of+"generatedaddress"])
			backing.DeviceName, card.Backing = vmx[of+"networkname"], backing
			connect := !strings.EqualFold(vmx[of+"startconnected"], "FALSE")
			card.Connectable = &types.VirtualDeviceConnectInfo{StartConnected: connect, AllowGuestControl: true}
			add(card)
		}
	}
	return spec
}

// diskOf reads a disk's descriptor. Absolute names are `/vmfs/volumes/<store>/...`, all others are beside the .vmx.
func diskOf(file string, dir object.DatastorePath, local func(string) string) *types.VirtualDisk {
	name := object.DatastorePath{Datastore: dir.Datastore, Path: path.Join(dir.Path, file)}
	if rest, ok := strings.CutPrefix(file, "/vmfs/volumes/"); ok {
		name.Datastore, name.Path, _ = strings.Cut(rest, "/")
	}
	text, _ := os.ReadFile(local(name.String()))
	backing := &types.VirtualDiskFlatVer2BackingInfo{DiskMode: "persistent", ThinProvisioned: types.NewBool(true)}
	backing.FileName, backing.Uuid = name.String(), plain(pairs(text)["ddb.uuid"])
	disk := &types.VirtualDisk{}
	disk.Backing = backing
	for _, m := range extent.FindAllSubmatch(text, -1) {
		sectors, _ := strconv.ParseInt(string(m[1]), 10, 64)
		disk.CapacityInBytes, disk.CapacityInKB = disk.CapacityInBytes+sectors*512, disk.CapacityInKB+sectors/2
	}
	return disk
}

// writeMachine makes the files of a machine with one disk and one card. What is there already is left as it is.
func writeMachine(dir, name string) error {
	if _, err := os.Stat(filepath.Join(dir, name+".vmx")); err == nil {
		return nil
	}
	check(os.MkdirAll(dir, 0o755))
	id, file := uuid.New(), filepath.Join(dir, name)
	check(os.WriteFile(file+"-flat.vmdk", nil, 0o600))
	check(os.Truncate(file+"-flat.vmdk", *diskMiB<<20))
	check(os.WriteFile(file+".vmdk", fmt.Appendf(nil, "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\n"+
		"createType=\"vmfs\"\n\nRW %d VMFS \"%s-flat.vmdk\"\n\nddb.adapterType = \"lsilogic\"\nddb.uuid = \"%s\"\n",
		*diskMiB<<11, name, spelled(uuid.New())), 0o600))
	return os.WriteFile(file+".vmx", fmt.Appendf(nil, ".encoding = \"UTF-8\"\nconfig.version = \"8\"\nvirtualHW.version = \"21\"\n"+
		"displayName = \"%s\"\nuuid.bios = \"%s\"\nvc.uuid = \"%s\"\nmemSize = \"32\"\nscsi0.present = \"TRUE\"\nscsi0:0.present = \"TRUE\"\n"+
		"scsi0:0.fileName = \"%s.vmdk\"\nethernet0.present = \"TRUE\"\nethernet0.networkName = \"VM Network\"\n"+
		"ethernet0.addressType = \"manual\"\nethernet0.address = \"00:50:56:%02x:%02x:%02x\"\n",
		name, spelled(id), spelled(uuid.New()), name, id[0]&0x3f, id[1], id[2]), 0o600)
}

// writeBack sets the lines of a .vmx that ReconfigVM may have changed; those of disks stay as they were.
func writeBack(file string, config *types.VirtualMachineConfigInfo) {
	text, err := os.ReadFile(file)
	set := func(key, value string) {
		line := fmt.Appendf(nil, "%s = \"%s\"", key, strings.NewReplacer("|", "|7C", `"`, "|22").Replace(value))
		if old := regexp.MustCompile(`(?mi)^` + regexp.QuoteMeta(key) + `\s*=.*$`); old.Match(text) {
			text = old.ReplaceAllLiteral(text, line)
		} else {
			text = append(append(text, line...), '\n')
		}
	}
	set("displayName", config.Name)
	for key, value := range map[string]string{"uuid.bios": config.Uuid, "vc.uuid": config.InstanceUuid} {
		if id, err := uuid.Parse(value); err == nil {
			set(key, spelled(id))
		}
	}
	for _, device := range config.Hardware.Device {
		if card, ok := device.(types.BaseVirtualEthernetCard); ok {
			c := card.GetVirtualEthernetCard()
			set(fmt.Sprintf("ethernet%d.addressType", c.Key-4000), c.AddressType)
			set(fmt.Sprintf("ethernet%d.address", c.Key-4000), c.MacAddress)
			set(fmt.Sprintf("ethernet%d.startConnected", c.Key-4000), strconv.FormatBool(c.Connectable == nil || c.Connectable.StartConnected))
		}
	}
	for _, option := range config.ExtraConfig {
		if o := option.GetOptionValue(); o.Key != "govcsim" {
			set(o.Key, fmt.Sprint(o.Value))
		}
	}
	if err == nil && len(text) > 0 {
		_ = os.WriteFile(file, text, 0o600)
	}
}
