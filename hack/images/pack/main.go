// Packs files of this host into a container image: an OCI layout, or an archive of one, which `ctr image import` reads. Times,
// owners and order are fixed, so the same files give the same image, to the bit.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path"
	"strings"
)

func main() {
	var image image
	out := flag.String("out", "", "folder for an OCI layout, which must not exist, or a file NAME.tar for an archive of one")
	flag.StringVar(&image.name, "name", "", "image name with tag")
	flag.StringVar(&image.entrypoint, "entrypoint", "", "program to run; none if empty")
	flag.StringVar(&image.user, "user", "", "who runs it; root if empty")
	flag.Int64Var(&image.created, "created", 0, "seconds since 1970 that the image says it was made at")
	flag.BoolVar(&image.small, "small", false, "compress as small as it gets, with zstd, rather than fast")
	flag.Func("label", "name=value; repeat", image.label)
	flag.BoolFunc("layer", "what follows goes into a layer of its own", func(string) error { image.layers = append(image.layers, layer{}); return nil })
	flag.Func("file", "/path/in/image=file on this host; repeat", func(text string) error { return image.add(text, file) })
	flag.Func("link", "/path/in/image=target of a symbolic link; repeat", func(text string) error { return image.add(text, link) })
	flag.Parse()
	if err := image.write(*out); err != nil {
		fmt.Fprintf(os.Stderr, "pack %s: %v\n", image.name, err)
		os.Exit(1)
	}
}

// image is what the command line asks for.
type image struct {
	name, entrypoint, user string
	created                int64
	small                  bool
	labels                 map[string]string
	layers                 []layer
}

// layer is what one blob holds, in the order in which it was named.
type layer []entry

type entry struct {
	kind           kind
	target, source string
}

type kind int

const (
	file kind = iota
	link
)

func (i *image) add(text string, kind kind) error {
	target, source, found := strings.Cut(text, "=")
	if !found || !path.IsAbs(target) || source == "" {
		return fmt.Errorf("want /path=source, got %q", text)
	}
	if len(i.layers) == 0 {
		i.layers = append(i.layers, layer{})
	}
	last := &i.layers[len(i.layers)-1]
	*last = append(*last, entry{kind, path.Clean(target), source})
	return nil
}

func (i *image) label(text string) error {
	name, value, found := strings.Cut(text, "=")
	if !found || name == "" {
		return errors.New("want name=value")
	}
	if i.labels == nil {
		i.labels = map[string]string{}
	}
	i.labels[name] = value
	return nil
}
