// Package vmx reads and writes .vmx files, the settings of a machine as a host keeps them: one `key = "value"` a line.
// Govmomi has no reader for them. What a file says is given in vCenter's own words, as a machine's config spec.
package vmx

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path"
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

// File is a .vmx file's pairs; keys are lower case.
type File map[string]string

// Parse reads the pairs, and passes over lines that are none.
func Parse(text []byte) File {
	f := File{}
	for _, m := range line.FindAllStringSubmatch(string(text), -1) {
		f[strings.ToLower(m[1])] = unescapes.Replace(m[2])
	}
	return f
}

// Read parses a file.
func Read(name string) (File, error) {
	text, err := os.ReadFile(name)
	return Parse(text), err
}

// Text is the file's text, in the order of the keys.
func (f File) Text() (text []byte) {
	for _, key := range slices.Sorted(maps.Keys(f)) {
		text = fmt.Appendf(text, "%s = \"%s\"\n", key, escapes.Replace(f[key]))
	}
	return text
}

// Name is what the machine is called.
func (f File) Name() string { return f["displayname"] }

// Spec is what the file says: identity, extra settings, and its SCSI controllers, disks and cards as devices to add. The file
// is at the path `at` of a datastore; `open` finds the local file behind a datastore's path.
func (f File) Spec(at string, open func(string) string) (spec types.VirtualMachineConfigSpec) {
	var dir object.DatastorePath
	dir.FromString(path.Dir(at))
	spec.Uuid, spec.InstanceUuid = plain(f["uuid.bios"]), plain(f["vc.uuid"])
	for _, key := range slices.Sorted(maps.Keys(f)) {
		if !modelled.MatchString(key) {
			spec.ExtraConfig = append(spec.ExtraConfig, &types.OptionValue{Key: key, Value: f[key]})
		}
	}
	for _, device := range f.devices(dir, open) {
		spec.DeviceChange = append(spec.DeviceChange, &types.VirtualDeviceConfigSpec{Operation: "add", Device: device})
	}
	return spec
}

func (f File) has(device string) bool { return strings.EqualFold(f[device+".present"], "TRUE") }

// plain is the usual spelling of a uuid that a file spells in bytes; empty if it is none.
func plain(text string) string {
	id, err := uuid.Parse(strings.NewReplacer(" ", "", "-", "").Replace(text))
	return map[bool]string{true: id.String()}[err == nil]
}

// devices are its SCSI disks and network cards.
func (f File) devices(dir object.DatastorePath, open func(string) string) (all []types.BaseVirtualDevice) {
	for bus := range int32(4) {
		scsi, controller := fmt.Sprintf("scsi%d", bus), &types.ParaVirtualSCSIController{}
		controller.Key, controller.BusNumber, controller.SharedBus = 1000+bus, bus, "noSharing"
		if f.has(scsi) {
			all = append(all, controller)
		}
		for unit := range int32(16) {
			if at := fmt.Sprintf("%s:%d", scsi, unit); f.has(scsi) && f.has(at) {
				disk := diskOf(f[at+".filename"], dir, open)
				disk.Key, disk.ControllerKey, disk.UnitNumber = 2000+16*bus+unit, controller.Key, &unit
				all = append(all, disk)
			}
		}
	}
	for n := range int32(10) {
		if at := fmt.Sprintf("ethernet%d", n); f.has(at) {
			card, backing := &types.VirtualVmxnet3{}, &types.VirtualEthernetCardNetworkBackingInfo{}
			card.Key, card.AddressType, card.MacAddress = 4000+n, f[at+".addresstype"], cmp.Or(f[at+".address"], f[at+".generatedaddress"])
			backing.DeviceName, card.Backing = f[at+".networkname"], backing
			card.Connectable = &types.VirtualDeviceConnectInfo{StartConnected: !strings.EqualFold(f[at+".startconnected"], "FALSE"), AllowGuestControl: true}
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

// Update sets in the pairs what ReconfigVM may have changed; disks stay as they were.
func (f File) Update(config *types.VirtualMachineConfigInfo) {
	f["displayname"] = config.Name
	for key, value := range map[string]string{"uuid.bios": config.Uuid, "vc.uuid": config.InstanceUuid} {
		if id, err := uuid.Parse(value); err == nil {
			f[key] = fmt.Sprintf("% x-% x", id[:8], id[8:])
		}
	}
	for _, device := range config.Hardware.Device {
		if card, ok := device.(types.BaseVirtualEthernetCard); ok {
			c := card.GetVirtualEthernetCard()
			at := fmt.Sprintf("ethernet%d.", c.Key-4000)
			f[at+"addresstype"], f[at+"address"] = c.AddressType, c.MacAddress
			f[at+"startconnected"] = fmt.Sprint(c.Connectable == nil || c.Connectable.StartConnected)
		}
	}
	for _, option := range config.ExtraConfig {
		if o := option.GetOptionValue(); o.Key != "govcsim" {
			f[strings.ToLower(o.Key)] = fmt.Sprint(o.Value)
		}
	}
}

// Rewrite brings the file up to a configuration, as a host does after ReconfigVM, so that a reload keeps it.
func Rewrite(name string, config *types.VirtualMachineConfigInfo) error {
	f, err := Read(name)
	if err != nil {
		return err
	}
	f.Update(config)
	return os.WriteFile(name, f.Text(), 0o600)
}
