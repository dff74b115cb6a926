// wire-identity proves that our .proto files describe the same wire format as upstream's: it compares our compiled descriptors
// with those inside upstream's Go modules, every attribute of every element except comments, order and file names.
//
// Usage: wire-identity FILE, where FILE holds a google.protobuf.FileDescriptorSet. See ./run.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

// upstream returns the descriptors we must be identical to.
func upstream() []*descriptorpb.FileDescriptorProto {
	return []*descriptorpb.FileDescriptorProto{
		protodesc.ToFileDescriptorProto(csi.File_csi_proto),
		protodesc.ToFileDescriptorProto(registration.File_staging_src_k8s_io_kubelet_pkg_apis_pluginregistration_v1_api_proto),
	}
}

// versions names the upstream releases this program was built with.
func versions() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown versions"
	}
	var found []string
	for _, m := range info.Deps {
		if m.Path == "github.com/container-storage-interface/spec" || m.Path == "k8s.io/kubelet" {
			found = append(found, m.Path+" "+m.Version)
		}
	}
	return strings.Join(found, ", ")
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("expected one argument, the file with our descriptors; got %d", len(args))
	}
	bytes, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	ours := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(bytes, ours); err != nil {
		return fmt.Errorf("%s is not a FileDescriptorSet: %w", args[0], err)
	}
	differences, count := compare(ours.File, upstream())
	if len(differences) > 0 {
		return fmt.Errorf("%s\n%d differences from %s", strings.Join(differences, "\n"), len(differences), versions())
	}
	fmt.Printf("identical: %s (%s)\n", count, versions())
	return nil
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "wire-identity: %v\n", err)
		os.Exit(1)
	}
}
