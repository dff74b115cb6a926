// Packs files of this host into a one-layer container image, as the archive that `docker save` writes and `ctr image import`
// reads. Times and owners are fixed, so the same files give the same image.
package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path"
	"runtime"
	"strings"
)

// pairs is a flag that may be repeated, each time as `path in the image=source`.
type pairs [][2]string

func (p *pairs) String() string { return fmt.Sprint([][2]string(*p)) }

func (p *pairs) Set(text string) error {
	target, source, found := strings.Cut(text, "=")
	if !found || !path.IsAbs(target) {
		return fmt.Errorf("want /path=source, got %q", text)
	}
	*p = append(*p, [2]string{target, source})
	return nil
}

func main() {
	var files, links pairs
	name := flag.String("name", "", "image name with tag")
	out := flag.String("out", "", "archive to write")
	entrypoint := flag.String("entrypoint", "", "program to run; none if empty")
	flag.Var(&files, "file", "/path/in/image=file on this host; repeat")
	flag.Var(&links, "link", "/path/in/image=target of a symbolic link; repeat")
	flag.Parse()
	if err := run(*name, *out, *entrypoint, files, links); err != nil {
		fmt.Fprintf(os.Stderr, "pack %s: %v\n", *name, err)
		os.Exit(1)
	}
}

func run(name, out, entrypoint string, files, links pairs) error {
	layer, err := layer(files, links)
	if err != nil {
		return err
	}
	config := map[string]any{"Env": []string{"PATH=/bin"}}
	if entrypoint != "" {
		config["Entrypoint"] = []string{entrypoint}
	}
	digest := sha256.Sum256(layer)
	image, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "config": config,
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(digest[:])}},
	})
	if err != nil {
		return err
	}
	id := sha256.Sum256(image)
	configFile := hex.EncodeToString(id[:]) + ".json"
	manifest, err := json.Marshal([]map[string]any{{"Config": configFile, "RepoTags": []string{name}, "Layers": []string{"layer.tar"}}})
	if err != nil {
		return err
	}
	archive := newArchive()
	archive.file(configFile, 0o644, image)
	archive.file("layer.tar", 0o644, layer)
	archive.file("manifest.json", 0o644, manifest)
	packed, err := archive.close()
	if err != nil {
		return err
	}
	return os.WriteFile(out, packed, 0o644)
}

// layer is the image's whole file system.
func layer(files, links pairs) ([]byte, error) {
	archive := newArchive()
	for _, folder := range []string{"/etc", "/tmp", "/dev", "/proc", "/sys", "/root", "/var"} {
		archive.folder(folder)
	}
	archive.file("etc/passwd", 0o644, []byte("root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"))
	for _, file := range files {
		content, err := os.ReadFile(file[1])
		if err != nil {
			return nil, err
		}
		archive.folder(path.Dir(file[0]))
		archive.file(file[0][1:], 0o755, content)
	}
	for _, link := range links {
		archive.folder(path.Dir(link[0]))
		archive.add(&tar.Header{Typeflag: tar.TypeSymlink, Name: link[0][1:], Linkname: link[1], Mode: 0o777}, nil)
	}
	return archive.close()
}

// archive is a tar in memory that makes each folder once and keeps the first error.
type archive struct {
	bytes   bytes.Buffer
	writer  *tar.Writer
	folders map[string]bool
	err     error
}

func newArchive() *archive {
	a := &archive{folders: map[string]bool{"/": true}}
	a.writer = tar.NewWriter(&a.bytes)
	return a
}

func (a *archive) add(header *tar.Header, content []byte) {
	if a.err == nil {
		a.err = a.writer.WriteHeader(header)
	}
	if a.err == nil {
		_, a.err = a.writer.Write(content)
	}
}

func (a *archive) folder(name string) {
	if a.folders[name] {
		return
	}
	a.folder(path.Dir(name))
	a.folders[name] = true
	a.add(&tar.Header{Typeflag: tar.TypeDir, Name: name[1:] + "/", Mode: 0o755}, nil)
}

func (a *archive) file(name string, mode int64, content []byte) {
	a.add(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(content))}, content)
}

func (a *archive) close() ([]byte, error) {
	if a.err == nil {
		a.err = a.writer.Close()
	}
	return a.bytes.Bytes(), a.err
}
