package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

type file = descriptorpb.FileDescriptorProto

func clones() []*file {
	var out []*file
	for _, f := range upstream() {
		out = append(out, proto.Clone(f).(*file))
	}
	return out
}

func message(f *file, name string) *descriptorpb.DescriptorProto {
	for _, m := range f.MessageType {
		if m.GetName() == name {
			return m
		}
	}
	panic(name)
}

func field(f *file, owner, name string) *descriptorpb.FieldDescriptorProto {
	for _, c := range message(f, owner).Field {
		if c.GetName() == name {
			return c
		}
	}
	panic(owner + "." + name)
}

func method(f *file, service, name string) *descriptorpb.MethodDescriptorProto {
	for _, s := range f.Service {
		for _, m := range s.Method {
			if s.GetName() == service && m.GetName() == name {
				return m
			}
		}
	}
	panic(service + "." + name)
}

func TestUpstreamIsIdenticalToItselfInAnyOrderAndUnderAnyFileName(t *testing.T) {
	ours := clones()
	for _, f := range ours {
		f.Name = proto.String("elsewhere.proto")
		f.SourceCodeInfo = &descriptorpb.SourceCodeInfo{}
		for i, j := 0, len(f.MessageType)-1; i < j; i, j = i+1, j-1 {
			f.MessageType[i], f.MessageType[j] = f.MessageType[j], f.MessageType[i]
		}
	}
	differences, count := compare(ours, upstream())
	if len(differences) != 0 {
		t.Errorf("differences: %s", strings.Join(differences, "\n"))
	}
	if count.messages < 100 || count.fields < 200 || count.packages != 2 {
		t.Errorf("too little was compared: %s", count)
	}
}

func TestEveryKindOfDifferenceIsFound(t *testing.T) {
	optional := descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL
	cases := map[string]struct {
		mutate func(f *file)
		says   string
	}{
		"field number": {func(f *file) { field(f, "CreateVolumeRequest", "name").Number = proto.Int32(9) }, "message_type CreateVolumeRequest/field name/number: theirs 1, ours 9"},
		"field name":   {func(f *file) { field(f, "Topology", "segments").Name = proto.String("parts") }, "message_type Topology/field segments/number"},
		"field type": {func(f *file) {
			field(f, "ListVolumesRequest", "max_entries").Type = descriptorpb.FieldDescriptorProto_TYPE_INT64.Enum()
		}, "theirs TYPE_INT32, ours TYPE_INT64"},
		"field message type": {func(f *file) {
			field(f, "CreateVolumeRequest", "capacity_range").TypeName = proto.String(".csi.v1.Volume")
		}, "/type_name: theirs .csi.v1.CapacityRange, ours .csi.v1.Volume"},
		"field label": {func(f *file) { field(f, "TopologyRequirement", "requisite").Label = &optional }, "theirs LABEL_REPEATED, ours LABEL_OPTIONAL"},
		"json name":   {func(f *file) { field(f, "Volume", "volume_id").JsonName = proto.String("id") }, "json_name: theirs volumeId, ours id"},
		"field missing": {func(f *file) {
			m := message(f, "Volume")
			m.Field = m.Field[1:]
		}, "message_type Volume/field capacity_bytes: theirs present, ours missing"},
		"field not secret": {func(f *file) {
			proto.ClearExtension(field(f, "DeleteVolumeRequest", "secrets").Options, csi.E_CsiSecret)
		}, "(csi.v1.csi_secret): theirs true, ours missing"},
		"field secret": {func(f *file) {
			o := &descriptorpb.FieldOptions{}
			proto.SetExtension(o, csi.E_CsiSecret, true)
			field(f, "DeleteVolumeRequest", "volume_id").Options = o
		}, "(csi.v1.csi_secret): ours true, theirs missing"},
		"field deprecated": {func(f *file) {
			field(f, "Volume", "volume_id").Options = &descriptorpb.FieldOptions{Deprecated: proto.Bool(true)}
		}, "options/deprecated: ours true"},
		"out of its oneof": {func(f *file) { field(f, "VolumeCapability", "block").OneofIndex = nil }, "field block/oneof: theirs access_type, ours missing"},
		"oneof renamed":    {func(f *file) { message(f, "VolumeCapability").OneofDecl[0].Name = proto.String("kind") }, "field block/oneof: theirs access_type, ours kind"},
		"proto3 optional":  {func(f *file) { field(f, "Volume", "volume_id").Proto3Optional = proto.Bool(true) }, "proto3_optional: ours true"},
		"map value": {func(f *file) {
			message(f, "Topology").NestedType[0].Field[1].Type = descriptorpb.FieldDescriptorProto_TYPE_BYTES.Enum()
		}, "nested_type SegmentsEntry/field value/type"},
		"reserved number": {func(f *file) { message(f, "NodeGetVolumeStatsResponse").ReservedRange = nil }, "NodeGetVolumeStatsResponse/reserved_range 2"},
		"message missing": {func(f *file) { f.MessageType = f.MessageType[1:] }, "GetPluginInfoRequest: theirs present, ours missing"},
		"message added": {func(f *file) {
			f.MessageType = append(f.MessageType, &descriptorpb.DescriptorProto{Name: proto.String("Extra")})
		}, "message_type Extra: ours present, theirs missing"},
		"message option": {func(f *file) { message(f, "VolumeHealth").Options = nil }, "(csi.v1.alpha_message): theirs true, ours missing"},
		"enum value":     {func(f *file) { f.EnumType[0].Value[1].Number = proto.Int32(77) }, "/number: theirs 1, ours 77"},
		"enum reserved": {func(f *file) {
			message(f, "ControllerServiceCapability").NestedType[0].EnumType[0].ReservedRange = nil
		}, "enum_type Type/reserved_range 11"},
		"method missing": {func(f *file) { f.Service[0].Method = f.Service[0].Method[1:] }, "ours missing"},
		"method streaming": {func(f *file) {
			method(f, "SnapshotMetadata", "GetMetadataDelta").ServerStreaming = nil
		}, "method GetMetadataDelta/server_streaming: theirs true, ours missing"},
		"method answer": {func(f *file) {
			method(f, "Node", "NodeGetInfo").OutputType = proto.String(".csi.v1.Volume")
		}, "service Node/method NodeGetInfo/output_type"},
		"service renamed":  {func(f *file) { f.Service[0].Name = proto.String("Who") }, "service Identity: theirs present, ours missing"},
		"extension number": {func(f *file) { f.Extension[0].Number = proto.Int32(1) }, "/number: theirs 1060, ours 1"},
		"package":          {func(f *file) { f.Package = proto.String("csi.v2") }, "package csi.v1: missing in ours"},
		"syntax":           {func(f *file) { f.Syntax = proto.String("proto2") }, "syntax: theirs proto3, ours proto2"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			ours := clones()
			c.mutate(ours[0])
			differences, _ := compare(ours, upstream())
			if !strings.Contains(strings.Join(differences, "\n"), c.says) {
				t.Errorf("expected a line with %q, got:\n%s", c.says, strings.Join(differences, "\n"))
			}
		})
	}
}

func TestAMutatedFileFailsAndAnIdenticalOnePasses(t *testing.T) {
	write := func(files []*file) string {
		bytes, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: files})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "descriptors")
		if err := os.WriteFile(path, bytes, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if err := run([]string{write(clones())}); err != nil {
		t.Errorf("identical: %v", err)
	}
	mutated := clones()
	field(mutated[1], "PluginInfo", "endpoint").Number = proto.Int32(9)
	if err := run([]string{write(mutated)}); err == nil || !strings.Contains(err.Error(), "field endpoint/number: theirs 3, ours 9") {
		t.Errorf("mutated: %v", err)
	}
	if err := run([]string{write(nil)}); err == nil {
		t.Error("an empty set passed")
	}
	if err := run(nil); err == nil {
		t.Error("no file passed")
	}
}
