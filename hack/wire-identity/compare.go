package main

import (
	"fmt"
	"sort"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// facts are all attributes of a file, each under a path of names: "message CreateVolumeRequest/field name/number" -> "1".
type facts map[string]string

// compare returns a line per difference, and what there is in upstream's files. Files are matched by their package.
func compare(ours, theirs []*descriptorpb.FileDescriptorProto) ([]string, counts) {
	var out []string
	var count counts
	for _, their := range theirs {
		count.add(their)
		var our *descriptorpb.FileDescriptorProto
		for _, f := range ours {
			if f.GetPackage() == their.GetPackage() {
				our = f
			}
		}
		if our == nil {
			out = append(out, fmt.Sprintf("package %s: missing in ours", their.GetPackage()))
			continue
		}
		out = append(out, differences(their.GetPackage(), flatten(our), flatten(their))...)
	}
	return out, count
}

func differences(pkg string, ours, theirs facts) []string {
	var out []string
	for path, their := range theirs {
		if our, ok := ours[path]; !ok {
			out = append(out, fmt.Sprintf("%s: %s: theirs %s, ours missing", pkg, path, their))
		} else if our != their {
			out = append(out, fmt.Sprintf("%s: %s: theirs %s, ours %s", pkg, path, their, our))
		}
	}
	for path, our := range ours {
		if _, ok := theirs[path]; !ok {
			out = append(out, fmt.Sprintf("%s: %s: ours %s, theirs missing", pkg, path, our))
		}
	}
	sort.Strings(out)
	return out
}

// flatten walks the descriptor by reflection, so that no attribute, present or future, can be forgotten.
func flatten(file *descriptorpb.FileDescriptorProto) facts {
	out := facts{}
	walk(out, nil, file.ProtoReflect(), nil)
	return out
}

// skipped holds what is not on the wire: file names and comments.
var skipped = map[protoreflect.FullName]bool{
	"google.protobuf.FileDescriptorProto.name":             true,
	"google.protobuf.FileDescriptorProto.source_code_info": true,
}

// walk writes down every attribute of m that is set. owner is the message around m.
func walk(out facts, path []string, m, owner protoreflect.Message) {
	if unknown := m.GetUnknown(); len(unknown) > 0 {
		out[at(path, "unknown")] = fmt.Sprintf("%x", []byte(unknown))
	}
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		name := string(field.Name())
		if field.IsExtension() {
			name = "(" + string(field.FullName()) + ")"
		}
		switch {
		case skipped[field.FullName()]:
		case field.IsList():
			for i := range value.List().Len() {
				item := value.List().Get(i)
				if field.Message() == nil {
					// Which of them, not in which order.
					out[at(path, name+" "+item.String())] = "present"
				} else {
					// That it exists is a fact too: an empty message has no attributes.
					element := append(clone(path), name+" "+key(item.Message(), i))
					out[strings.Join(element, "/")] = "present"
					walk(out, element, item.Message(), m)
				}
			}
		case field.Message() != nil:
			// Options; none and empty ones mean the same.
			walk(out, append(clone(path), name), value.Message(), m)
		case field.FullName() == "google.protobuf.FieldDescriptorProto.oneof_index":
			// Its index depends on the order of declarations, its name does not.
			oneofs := owner.Get(owner.Descriptor().Fields().ByName("oneof_decl")).List()
			out[at(path, "oneof")] = key(oneofs.Get(int(value.Int())).Message(), int(value.Int()))
		case field.Enum() != nil:
			out[at(path, name)] = string(field.Enum().Values().ByNumber(value.Enum()).Name())
		default:
			out[at(path, name)] = value.String()
		}
		return true
	})
}

// key is what an element of a list is known by: its name, or for a reserved range its start.
func key(m protoreflect.Message, index int) string {
	for _, name := range []protoreflect.Name{"name", "start"} {
		if field := m.Descriptor().Fields().ByName(name); field != nil {
			return m.Get(field).String()
		}
	}
	return fmt.Sprint(index)
}

func at(path []string, last string) string {
	return strings.Join(append(clone(path), last), "/")
}

// clone keeps siblings from writing into one another's backing array.
func clone(path []string) []string {
	return append([]string(nil), path...)
}

// counts is what was compared.
type counts struct{ packages, messages, fields, enums, values, services, methods, extensions int }

func (c *counts) add(f *descriptorpb.FileDescriptorProto) {
	c.packages++
	c.extensions += len(f.Extension)
	for _, s := range f.Service {
		c.services++
		c.methods += len(s.Method)
	}
	c.addEnums(f.EnumType)
	c.addMessages(f.MessageType)
}

func (c *counts) addEnums(enums []*descriptorpb.EnumDescriptorProto) {
	for _, e := range enums {
		c.enums++
		c.values += len(e.Value)
	}
}

func (c *counts) addMessages(messages []*descriptorpb.DescriptorProto) {
	for _, m := range messages {
		// A map is written as a field; the entry message behind it is compared, not counted.
		if !m.GetOptions().GetMapEntry() {
			c.messages++
			c.fields += len(m.Field)
		}
		c.addEnums(m.EnumType)
		c.addMessages(m.NestedType)
	}
}

func (c counts) String() string {
	return fmt.Sprintf("%d packages, %d messages, %d fields, %d enums, %d values, %d services, %d methods, %d extensions",
		c.packages, c.messages, c.fields, c.enums, c.values, c.services, c.methods, c.extensions)
}
