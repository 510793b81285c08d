// Command vcsimx is VMware's vCenter simulator with what the NFS flow needs added: see README.md.
package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"io"
	"log"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"github.com/vmware/govmomi/simulator"

	"strata.test/interop/vmfs"
)

const user, password = "strata@vsphere.local", "strata-lab"

var (
	nfsRoot  = flag.String("nfs-root", "/", "folder in which the remote path of an NFS mount is looked up")
	untilEOF = flag.Bool("until-eof", false, "end when standard input does, so that no orphan outlives a test")
	home     string // where the datastores are linked under their names
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	home = result(os.MkdirTemp("", "vcsimx-"))
	defer os.RemoveAll(home)
	model := simulator.VPX()
	defer func() { model.Remove() }()
	model.Host = 0
	flag.IntVar(&model.Cluster, "clusters", 1, "clusters")
	flag.IntVar(&model.ClusterHost, "hosts", 2, "hosts in each cluster")
	flag.IntVar(&model.Pool, "pools", 0, "resource pools in each cluster")
	flag.IntVar(&model.Machine, "vms", 0, "machines without contents in each cluster or, where there are any, pool")
	flag.Parse()
	check(model.Create())
	model.Service.TLS = new(tls.Config)
	model.Service.Listen = &url.URL{Host: "127.0.0.1:0", User: url.UserPassword(user, password)}
	model.Map().Handler = extend
	server := model.Service.NewServer()
	defer server.Close()
	vmfs.Populate(ctx, model.Service)
	check(json.NewEncoder(os.Stdout).Encode(map[string]string{"url": "https://" + server.URL.Host + "/sdk", "username": user, "password": password,
		"ca_file": result(server.CertificateFile()), "thumbprint_sha256": server.CertificateInfo().ThumbprintSHA256}))
	if *untilEOF {
		go func() { _, _ = io.Copy(io.Discard, os.Stdin); stop() }()
	}
	<-ctx.Done()
}

func result[T any](value T, err error) T { check(err); return value }

func check(err error) {
	if err != nil {
		_ = os.RemoveAll(home)
		log.Fatal(err)
	}
}
