package vmx

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/types"
)

const text = `.encoding = "UTF-8"
# a remark
displayName = "web |22one|22"
uuid.bios = "11 11 11 11 22 22 33 33-44 44 55 55 55 55 55 55"
vc.uuid = "none"
memSize = "32"
guestinfo.Note = "a|7Cb"
scsi0.present = "TRUE"
scsi0:0.present = "true"
scsi0:0.fileName = "web.vmdk"
scsi0:1.present = "FALSE"
scsi0:1.fileName = "gone.vmdk"
scsi0:2.present = "TRUE"
scsi0:2.fileName = "/vmfs/volumes/other/far/data.vmdk"
scsi1:0.present = "TRUE"
scsi1:0.fileName = "without-controller.vmdk"
ethernet0.present = "TRUE"
ethernet0.networkName = "VM Network"
ethernet0.addressType = "generated"
ethernet0.generatedAddress = "00:0c:29:01:02:03"
ethernet0.startConnected = "FALSE"
`

const descriptor = `# Disk DescriptorFile
version=1
CID=fffffffe
parentCID=ffffffff
createType="vmfs"

RW 16384 VMFS "web-flat.vmdk"

ddb.adapterType = "lsilogic"
ddb.uuid = "60 00 C2 9a 00 00 00 00-00 00 00 00 00 00 00 01"
`

// spec is what the text says, with one of its descriptors there.
func spec(t *testing.T, text string) types.VirtualMachineConfigSpec {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "web.vmdk"), []byte(descriptor), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func(name string) string {
		var at object.DatastorePath
		at.FromString(name)
		return filepath.Join(folder, filepath.Base(at.Path))
	}
	return Parse([]byte(text)).Spec("[ds1] web/web.vmx", open)
}

func devices(spec types.VirtualMachineConfigSpec) (all object.VirtualDeviceList) {
	for _, change := range spec.DeviceChange {
		all = append(all, change.GetVirtualDeviceConfigSpec().Device)
	}
	return all
}

func TestWhatAFileSaysIsTheSpec(t *testing.T) {
	spec := spec(t, text)
	if want := "11111111-2222-3333-4444-555555555555"; spec.Uuid != want || spec.InstanceUuid != "" {
		t.Errorf("uuids %q and %q, want %q and none", spec.Uuid, spec.InstanceUuid, want)
	}
	want := []types.BaseOptionValue{&types.OptionValue{Key: "guestinfo.note", Value: "a|b"}}
	if !reflect.DeepEqual(spec.ExtraConfig, want) {
		t.Errorf("extra settings %v, want %v", spec.ExtraConfig, want)
	}
	var found []string
	for _, device := range devices(spec) {
		switch device := device.(type) {
		case *types.ParaVirtualSCSIController:
			found = append(found, "controller")
		case *types.VirtualDisk:
			backing := device.Backing.(*types.VirtualDiskFlatVer2BackingInfo)
			found = append(found, backing.FileName)
			if read := strings.Contains(backing.FileName, "web/web.vmdk"); read != (device.CapacityInBytes == 8<<20) {
				t.Errorf("%s has %d bytes", backing.FileName, device.CapacityInBytes)
			} else if read && backing.Uuid != "6000c29a-0000-0000-0000-000000000001" {
				t.Errorf("%s has the uuid %q", backing.FileName, backing.Uuid)
			}
		case *types.VirtualVmxnet3:
			found = append(found, device.MacAddress)
			if device.Connectable.StartConnected || device.AddressType != "generated" {
				t.Errorf("the card is %+v", device)
			}
		}
	}
	if want := []string{"controller", "[ds1] web/web.vmdk", "[other] far/data.vmdk", "00:0c:29:01:02:03"}; !reflect.DeepEqual(found, want) {
		t.Errorf("devices %q, want %q", found, want)
	}
}

func TestTextIsReadAsItWasWritten(t *testing.T) {
	first := Parse([]byte(text))
	if name := first.Name(); name != `web "one"` {
		t.Errorf("the name is %q", name)
	}
	if again := Parse(first.Text()); !reflect.DeepEqual(first, again) {
		t.Errorf("%v was read as %v", first, again)
	}
}

func TestRewriteKeepsDisksAndSetsTheRest(t *testing.T) {
	name := filepath.Join(t.TempDir(), "web.vmx")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	card := &types.VirtualVmxnet3{}
	card.Key, card.AddressType, card.MacAddress = 4000, "manual", "00:50:56:01:02:03"
	config := &types.VirtualMachineConfigInfo{
		Name: "copy", Uuid: "99999999-2222-3333-4444-555555555555", InstanceUuid: "not one",
		Hardware:    types.VirtualHardware{Device: []types.BaseVirtualDevice{card}},
		ExtraConfig: []types.BaseOptionValue{&types.OptionValue{Key: "Strata.Key", Value: `k"1`}, &types.OptionValue{Key: "govcsim", Value: "TRUE"}},
	}
	if err := Rewrite(name, config); err != nil {
		t.Fatal(err)
	}
	want := Parse([]byte(text))
	for key, value := range map[string]string{
		"displayname": "copy", "uuid.bios": "99 99 99 99 22 22 33 33-44 44 55 55 55 55 55 55", "strata.key": `k"1`,
		"ethernet0.addresstype": "manual", "ethernet0.address": "00:50:56:01:02:03", "ethernet0.startconnected": "true",
	} {
		want[key] = value
	}
	got, err := Read(name)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	if err := Rewrite(name+".gone", config); !os.IsNotExist(err) {
		t.Errorf("a file that is not there: %v", err)
	}
}
