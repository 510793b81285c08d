// Command vcsimx is VMware's vCenter simulator with what the NFS flow needs added: datastores that are folders of this
// machine, virtual machines with real files in them, and the calls that the stock simulator lacks (calls.go).
// It prints one line of JSON when it is ready and stays until SIGTERM, SIGINT or, with -until-eof, the end of its input.
package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/types"
)

var (
	nfsRoot  = flag.String("nfs-root", "/", "folder in which the remote path of an NFS mount is looked up")
	nfsHost  = flag.String("nfs-host", "filer.lab.example", "remote host of the datastores that are mounted at start")
	user     = flag.String("username", "strata@vsphere.local", "who may log in")
	password = flag.String("password", "strata-lab", "with which password")
	vms      = flag.Int("vms", 0, "machines without contents, for large inventories, spread over clusters and pools")
	clusters = flag.Int("clusters", 1, "clusters")
	hosts    = flag.Int("hosts", 2, "hosts in each cluster")
	pools    = flag.Int("pools", 0, "resource pools in each cluster")
	folders  = flag.Int("folders", 0, "folders over which the machines of -vms are spread")
	perStore = flag.Int("datastore-vms", 3, "machines with real files on each -datastore; the odd ones are on")
	diskMiB  = flag.Int64("disk-mib", 8, "size of their disks")
	tlsCert  = flag.String("tls-cert", "", "PEM of a certificate chain; a certificate that signs itself without it")
	tlsKey   = flag.String("tls-key", "", "PEM of its key")
	untilEOF = flag.Bool("until-eof", false, "end when standard input does, so that no orphan outlives a test")
	home     string                // where the datastores are linked under their names; removed at the end
	stores   = map[string]string{} // the datastores that are mounted at start: name, remote path
)

func main() {
	flag.Func("datastore", "NAME=REMOTE-PATH, mounted on every host; may be given again", func(value string) error {
		name, path, _ := strings.Cut(value, "=")
		stores[name] = path
		return nil
	})
	flag.Parse()
	home = result(os.MkdirTemp("", "vcsimx-"))
	defer os.RemoveAll(home)
	model := simulator.VPX()
	model.Host, model.Cluster, model.ClusterHost, model.Pool = 0, *clusters, *hosts, *pools
	groups := *clusters * max(*pools, 1)
	model.Machine = (*vms + groups - 1) / groups
	defer func() { model.Remove() }()
	check(model.Create())
	model.Service.TLS = new(tls.Config)
	if *tlsCert != "" {
		model.Service.TLS.Certificates = []tls.Certificate{result(tls.LoadX509KeyPair(*tlsCert, *tlsKey))}
	}
	model.Service.Listen = &url.URL{Host: "127.0.0.1:0", User: url.UserPassword(*user, *password)}
	model.Map().Handler = extend
	model.Map().AddHandler(forgetter{})
	server := model.Service.NewServer()
	defer server.Close()
	populate(context.Background(), model.Service)
	populateVolumes(context.Background(), model.Service)
	thumbprint := fmt.Sprintf("%X", sha256.Sum256(server.Certificate().Raw))
	ready := map[string]any{"url": "https://" + server.URL.Host + "/sdk", "username": *user, "password": *password,
		"ca_file": result(server.CertificateFile()), "thumbprint_sha256": thumbprint, "nfs_host": *nfsHost, "datastores": stores}
	fmt.Println(string(result(json.Marshal(ready))))
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	if *untilEOF {
		go func() { _, _ = io.Copy(io.Discard, os.Stdin); stop <- syscall.SIGTERM }()
	}
	<-stop
}

// populate spreads the machines of -vms over folders, mounts the datastores and makes their machines.
func populate(ctx context.Context, service *simulator.Service) {
	client, registry := result(vim25.NewClient(ctx, service)), service.Context.Map
	dc := registry.Any("Datacenter").(*simulator.Datacenter)
	root, machines := object.NewFolder(client, dc.VmFolder), registry.All("VirtualMachine")
	for i := range *folders {
		var share []types.ManagedObjectReference
		for n := i; n < len(machines); n += *folders {
			share = append(share, machines[n].Reference())
		}
		folder := result(root.CreateFolder(ctx, fmt.Sprintf("F%d", i)))
		check(result(folder.MoveInto(ctx, share)).Wait(ctx))
	}
	for name, remote := range stores {
		var pool *object.ResourcePool
		for _, entity := range registry.All("HostSystem") {
			host := entity.(*simulator.HostSystem)
			pool = object.NewResourcePool(client, *registry.Get(*host.Parent).(*simulator.ClusterComputeResource).ResourcePool)
			spec := types.HostNasVolumeSpec{RemoteHost: *nfsHost, RemotePath: remote, LocalPath: name, AccessMode: "readWrite", Type: "NFS"}
			result(object.NewHostDatastoreSystem(client, *host.ConfigManager.DatastoreSystem).CreateNasDatastore(ctx, spec))
		}
		for i := range *perStore {
			vm := fmt.Sprintf("%s-vm%02d", name, i+1)
			check(writeMachine(filepath.Join(*nfsRoot, remote, vm), vm))
			task := result(root.RegisterVM(ctx, fmt.Sprintf("[%s] %s/%s.vmx", name, vm, vm), "", false, pool, nil))
			ref := result(task.WaitForResult(ctx)).Result.(types.ManagedObjectReference)
			if i%2 == 0 {
				check(result(object.NewVirtualMachine(client, ref).PowerOn(ctx)).Wait(ctx))
			}
		}
	}
}

func result[T any](value T, err error) T { check(err); return value }

func check(err error) {
	if err != nil {
		_ = os.RemoveAll(home)
		log.Fatal(err)
	}
}
