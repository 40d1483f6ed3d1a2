// containerd's stargz-snapshotter as a daemon. Its own program is in a module that no release has; what it is made of is in
// one that has.
//
// .ci/run builds it. Nothing is read ahead, so that what a container did not read was not fetched.
package main

import (
	"context"
	"flag"
	"log"
	"net"
	"os/signal"
	"syscall"

	snapshots "github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/containerd/containerd/v2/contrib/snapshotservice"
	"github.com/containerd/stargz-snapshotter/fs"
	"github.com/containerd/stargz-snapshotter/fs/config"
	"github.com/containerd/stargz-snapshotter/metadata/memory"
	"github.com/containerd/stargz-snapshotter/service"
	"google.golang.org/grpc"
)

func main() {
	root := flag.String("root", "", "where it keeps its layers")
	address := flag.String("address", "", "the unix socket it listens on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *root, *address); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, root, address string) error {
	settings := &service.Config{Config: config.Config{NoPrefetch: true, NoBackgroundFetch: true, NoPrometheus: true}}
	options := service.WithFilesystemOptions(fs.WithMetadataStore(memory.NewReader))
	snapshotter, err := service.NewStargzSnapshotterService(ctx, root, settings, options)
	if err != nil {
		return err
	}
	listener, err := net.Listen("unix", address)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	snapshots.RegisterSnapshotsServer(server, snapshotservice.FromSnapshotter(snapshotter))
	go func() {
		<-ctx.Done()
		server.Stop()
	}()
	if err := server.Serve(listener); err != nil {
		return err
	}
	// What it has mounted goes with it.
	return snapshotter.Close()
}
