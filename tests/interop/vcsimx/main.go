// Command vcsimx is VMware's vCenter simulator with what the NFS flow needs added: see README.md.
package main

import (
	"context"
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

const user, password = "strata@vsphere.local", "strata-lab"

var (
	nfsRoot  = flag.String("nfs-root", "/", "folder in which the remote path of an NFS mount is looked up")
	nfsHost  = flag.String("nfs-host", "filer.lab.example", "remote host of the datastores that are mounted at start")
	vms      = flag.Int("vms", 0, "machines without contents, for large inventories, spread over clusters and pools")
	untilEOF = flag.Bool("until-eof", false, "end when standard input does, so that no orphan outlives a test")
	home     string                // where the datastores are linked under their names
	stores   = map[string]string{} // the datastores that are mounted at start: name, remote path
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	home = result(os.MkdirTemp("", "vcsimx-"))
	defer os.RemoveAll(home)
	model := simulator.VPX()
	defer func() { model.Remove() }()
	model.Host, model.Pool = 0, 0
	flag.IntVar(&model.Cluster, "clusters", 1, "clusters")
	flag.IntVar(&model.ClusterHost, "hosts", 2, "hosts in each cluster")
	flag.IntVar(&model.Pool, "pools", 0, "resource pools in each cluster")
	flag.Func("datastore", "NAME=REMOTE-PATH, mounted on every host, its .vmx files registered; may be given again", func(value string) error {
		name, remote, _ := strings.Cut(value, "=")
		stores[name] = remote
		return nil
	})
	flag.Parse()
	groups := model.Cluster * max(model.Pool, 1)
	model.Machine = (*vms + groups - 1) / groups
	check(model.Create())
	model.Service.TLS = new(tls.Config)
	model.Service.Listen = &url.URL{Host: "127.0.0.1:0", User: url.UserPassword(user, password)}
	model.Map().Handler = extend
	model.Map().AddHandler(forgetter{})
	server := model.Service.NewServer()
	defer server.Close()
	for name, remote := range stores {
		populate(ctx, model.Service, name, remote)
	}
	populateVolumes(ctx, model.Service)
	fmt.Println(string(result(json.Marshal(map[string]any{"url": "https://" + server.URL.Host + "/sdk", "username": user, "password": password,
		"ca_file": result(server.CertificateFile()), "thumbprint_sha256": server.CertificateInfo().ThumbprintSHA256, "nfs_host": *nfsHost}))))
	if *untilEOF {
		go func() { _, _ = io.Copy(io.Discard, os.Stdin); stop() }()
	}
	<-ctx.Done()
}

// populate mounts a datastore on every host, registers the machines in it and turns on the first, the third and so on.
func populate(ctx context.Context, service *simulator.Service, name, remote string) {
	client, registry := result(vim25.NewClient(ctx, service)), service.Context.Map
	var pool *object.ResourcePool
	for _, entity := range registry.All("HostSystem") {
		host := entity.(*simulator.HostSystem)
		pool = object.NewResourcePool(client, *registry.Get(*host.Parent).(*simulator.ClusterComputeResource).ResourcePool)
		spec := types.HostNasVolumeSpec{RemoteHost: *nfsHost, RemotePath: remote, LocalPath: name, AccessMode: "readWrite", Type: "NFS"}
		result(object.NewHostDatastoreSystem(client, *host.ConfigManager.DatastoreSystem).CreateNasDatastore(ctx, spec))
	}
	folder := object.NewFolder(client, registry.Any("Datacenter").(*simulator.Datacenter).VmFolder)
	for i, file := range result(filepath.Glob(filepath.Join(*nfsRoot, remote, "*", "*.vmx"))) {
		at := object.DatastorePath{Datastore: name, Path: filepath.Join(filepath.Base(filepath.Dir(file)), filepath.Base(file))}
		done := result(result(folder.RegisterVM(ctx, at.String(), "", false, pool, nil)).WaitForResult(ctx))
		if i%2 == 0 {
			check(result(object.NewVirtualMachine(client, done.Result.(types.ManagedObjectReference)).PowerOn(ctx)).Wait(ctx))
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
