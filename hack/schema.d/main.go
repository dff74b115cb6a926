// Writes down the facts about the served kinds, one text file per package of types: field names and types, how lists and maps
// are merged, and what Go leaves out when it writes them. See crates/api-kinds/src/schemas.rs for the notation.
//
// Two sources, because neither says everything: the documents of a running API server (list and map types, patch strategies,
// defaults of list keys) and Go's own types (their names, pointers, omitempty). Descriptions are read from neither.
//
//	go run . -openapi DIR -out DIR
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	storagev1 "k8s.io/api/storage/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// served is every kind that gets a description, and with it all that it is made of.
var served = []any{
	corev1.Namespace{}, corev1.Node{}, corev1.Pod{}, corev1.Binding{}, corev1.PersistentVolumeClaim{}, corev1.PersistentVolume{},
	corev1.Secret{}, corev1.ConfigMap{}, corev1.Event{}, corev1.ServiceAccount{},
	storagev1.StorageClass{}, storagev1.CSIDriver{}, storagev1.CSINode{}, storagev1.CSIStorageCapacity{},
	storagev1.VolumeAttachment{}, storagev1.VolumeAttributesClass{},
	coordinationv1.Lease{}, eventsv1.Event{}, apiextensionsv1.CustomResourceDefinition{},
}

// leaves are the structs that are one value in JSON. JSONSchemaProps contains itself; what it says is read elsewhere.
var leaves = map[reflect.Type]string{
	reflect.TypeFor[metav1.Time]():                     "Time",
	reflect.TypeFor[metav1.MicroTime]():                "MicroTime",
	reflect.TypeFor[metav1.FieldsV1]():                 "any",
	reflect.TypeFor[resource.Quantity]():               "Quantity",
	reflect.TypeFor[intstr.IntOrString]():              "IntOrString",
	reflect.TypeFor[runtime.RawExtension]():            "any",
	reflect.TypeFor[apiextensionsv1.JSON]():            "any",
	reflect.TypeFor[apiextensionsv1.JSONSchemaProps](): "any",
}

// files is where each package of types is written down, and what OpenAPI calls it.
var files = map[string]struct{ name, openapi string }{
	"k8s.io/apimachinery/pkg/apis/meta/v1":                     {"meta", "io.k8s.apimachinery.pkg.apis.meta.v1."},
	"k8s.io/api/core/v1":                                       {"core", "io.k8s.api.core.v1."},
	"k8s.io/api/storage/v1":                                    {"storage", "io.k8s.api.storage.v1."},
	"k8s.io/api/coordination/v1":                               {"coordination", "io.k8s.api.coordination.v1."},
	"k8s.io/api/events/v1":                                     {"events", "io.k8s.api.events.v1."},
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1": {"apiextensions", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."},
}

// document is as much of an OpenAPI v3 schema as is read.
type document struct {
	Ref        string              `json:"$ref"`
	AllOf      []document          `json:"allOf"`
	Default    any                 `json:"default"`
	Items      *document           `json:"items"`
	Properties map[string]document `json:"properties"`
	ListType   string              `json:"x-kubernetes-list-type"`
	MapKeys    []string            `json:"x-kubernetes-list-map-keys"`
	MapType    string              `json:"x-kubernetes-map-type"`
	Strategy   string              `json:"x-kubernetes-patch-strategy"`
	MergeKey   string              `json:"x-kubernetes-patch-merge-key"`
}

type facts struct {
	documents   map[string]document
	definitions map[string]reflect.Type // by the name that they get here
	written     map[string][]string     // definitions by file
}

func main() {
	log.SetFlags(0)
	openapi := flag.String("openapi", "", "folder of the server's OpenAPI v3 documents")
	out := flag.String("out", "", "folder to write to")
	flag.Parse()

	all := facts{map[string]document{}, map[string]reflect.Type{}, map[string][]string{}}
	paths, _ := filepath.Glob(filepath.Join(*openapi, "*.json"))
	for _, path := range paths {
		all.read(path)
	}
	for _, kind := range served {
		all.define(reflect.TypeOf(kind))
	}
	for name, definitions := range all.written {
		sort.Strings(definitions)
		text := "# Written by hack/schema from a running API server and from Go's types; the notation is in ../schemas.rs.\n\n" +
			strings.Join(definitions, "\n")
		if err := os.WriteFile(filepath.Join(*out, name+".txt"), []byte(text), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

func (f *facts) read(path string) {
	var file struct {
		Components struct{ Schemas map[string]document }
	}
	bytes, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(bytes, &file)
	}
	if err != nil {
		log.Fatalf("%s: %v", path, err)
	}
	for name, document := range file.Components.Schemas {
		f.documents[name] = document
	}
}

// nameOf is what a struct is called here: as in Go, but for the one group that calls its types as the core group does.
func nameOf(t reflect.Type) string {
	if t.PkgPath() == "k8s.io/api/events/v1" {
		return "events." + t.Name()
	}
	return t.Name()
}

// define writes a struct down, and everything it is made of.
func (f *facts) define(t reflect.Type) {
	name := nameOf(t)
	if known, ok := f.definitions[name]; ok {
		if known != t {
			log.Fatalf("%s and %s have the same short name", known, t)
		}
		return
	}
	f.definitions[name] = t
	file, ok := files[t.PkgPath()]
	if !ok {
		log.Fatalf("%s is from a package without a file", t)
	}
	document, ok := f.documents[file.openapi+t.Name()]
	if !ok {
		log.Fatalf("the API server describes no %s%s", file.openapi, t.Name())
	}
	head := name
	if t.String() != "v1."+name {
		head += ":" + t.String()
	}
	if document.MapType == "atomic" {
		head += " atomic"
	}
	lines := f.fields(t, document)
	if len(lines) != len(document.Properties) {
		log.Fatalf("%s has %d fields in Go and %d in OpenAPI", t, len(lines), len(document.Properties))
	}
	sort.Strings(lines)
	f.written[file.name] = append(f.written[file.name], head+"\n"+strings.Join(lines, ""))
}

func (f *facts) fields(t reflect.Type, described document) []string {
	var lines []string
	for field := range fieldsOf(t) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		if name == "" {
			if !field.Anonymous {
				log.Fatalf("%s.%s has no JSON name", t, field.Name)
			}
			for _, line := range f.fields(field.Type, described) {
				if field.Type != reflect.TypeFor[metav1.TypeMeta]() {
					line = strings.Replace(line, "  ", "  "+field.Name+".", 1)
				}
				lines = append(lines, line)
			}
			continue
		}
		property, ok := described.Properties[name]
		if !ok {
			log.Fatalf("the API server describes no field %s of %s", name, t)
		}
		line := "  " + name + " " + f.typed(field.Type) + mark(field.Type, options) + f.merged(field.Type, property)
		lines = append(lines, line+"\n")
	}
	return lines
}

func fieldsOf(t reflect.Type) func(yield func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if field := t.Field(i); field.IsExported() && !yield(field) {
				return
			}
		}
	}
}

// typed is the type of a value; a type that Go calls something that cannot be guessed has its name behind a colon.
func (f *facts) typed(t reflect.Type) string {
	if leaf, ok := leaves[t]; ok {
		return leaf
	}
	named := ""
	if t.PkgPath() != "" && t.Kind() != reflect.Struct {
		named = ":" + t.String()
	}
	switch t.Kind() {
	case reflect.Pointer:
		return f.typed(t.Elem())
	case reflect.Struct:
		f.define(t)
		return nameOf(t)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes" + named
		}
		return "[" + f.typed(t.Elem()) + "]" + named
	case reflect.Map:
		if key := t.Key(); named == "" && key.PkgPath() != "" {
			named = fmt.Sprintf(":%s", strings.ReplaceAll(t.String(), " ", ""))
		}
		return "{" + f.typed(t.Elem()) + "}" + named
	case reflect.String, reflect.Bool, reflect.Int32, reflect.Int64, reflect.Float64:
		return t.Kind().String() + named
	}
	log.Fatalf("%s is of a kind that nothing here knows", t)
	return ""
}

// mark says what becomes of a value that is not there: `?` nothing (it is a pointer), `!` it is written nevertheless, `?!` it
// is written as null; without a mark, an empty value is not written either.
func mark(t reflect.Type, options string) string {
	omitted := strings.Contains(options, "omitzero") || (strings.Contains(options, "omitempty") && t.Kind() != reflect.Struct)
	switch {
	case t.Kind() == reflect.Pointer && omitted:
		return "?"
	case t.Kind() == reflect.Pointer:
		return "?!"
	case omitted:
		return ""
	}
	return "!"
}

// merged is how patches and apply treat a list or a map.
func (f *facts) merged(t reflect.Type, property document) string {
	text := ""
	switch property.ListType {
	case "map":
		keys := make([]string, len(property.MapKeys))
		item := f.resolve(*property.Items)
		for i, key := range property.MapKeys {
			keys[i] = key
			switch value := item.Properties[key].Default.(type) {
			case nil:
				keys[i] += "?"
			case string:
				if value != "" {
					keys[i] += "=" + value
				}
			case float64:
				if value != 0 {
					log.Fatalf("a list key with the default %v", value)
				}
			}
		}
		text += " map(" + strings.Join(keys, ",") + ")"
	case "set":
		text += " set"
	}
	if property.MapType != "" && property.MapType != f.resolve(property).mapType(t) {
		text += " " + property.MapType
	}
	for _, strategy := range strings.Split(property.Strategy, ",") {
		switch {
		case strategy == "merge" && property.MergeKey != "":
			text += " merge(" + property.MergeKey + ")"
		case strategy != "":
			text += " " + strategy
		}
	}
	return text
}

// mapType is what holds when a field says nothing else.
func (d document) mapType(t reflect.Type) string {
	if t.Kind() == reflect.Map || d.MapType == "" {
		return "granular"
	}
	return d.MapType
}

func (f *facts) resolve(d document) document {
	if d.Ref == "" && len(d.AllOf) == 1 {
		d = d.AllOf[0]
	}
	if name := strings.TrimPrefix(d.Ref, "#/components/schemas/"); name != "" {
		return f.documents[name]
	}
	return d
}
