package main

import (
	"archive/tar"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// packed makes an image of a program that is a new file each time, with another time and umask.
func packed(t *testing.T, folder string, mode os.FileMode, when time.Time, small bool) v1.Image {
	t.Helper()
	program := filepath.Join(folder, "program")
	if err := os.WriteFile(program, []byte("not much of a program"), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(program, when, when); err != nil {
		t.Fatal(err)
	}
	asked := image{name: "docker.io/example/program:1", entrypoint: "/program", user: "65532:65532", created: 1700000000, small: small}
	for _, err := range []error{
		asked.label("org.opencontainers.image.title=program"), asked.add("/program="+program, file), asked.add("/alias=program", link),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(folder, "layout")
	if err := asked.write(out); err != nil {
		t.Fatal(err)
	}
	index, err := layout.ImageIndexFromPath(out)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	made, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestTheSameFilesGiveTheSameImage(t *testing.T) {
	first, err := packed(t, t.TempDir(), 0o755, time.Unix(1, 0), true).Digest()
	if err != nil {
		t.Fatal(err)
	}
	second, err := packed(t, t.TempDir(), 0o700, time.Now(), true).Digest()
	if err != nil {
		t.Fatal(err)
	}
	if first != second {
		t.Errorf("%s, then %s", first, second)
	}
}

func TestAnImageIsWhatItSaysItIs(t *testing.T) {
	// Not small: the library cannot validate zstd.
	made := packed(t, t.TempDir(), 0o755, time.Unix(1, 0), false)
	if err := validate.Image(made); err != nil {
		t.Error(err)
	}
	settings, err := made.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if c := settings.Config; c.User != "65532:65532" || c.Entrypoint[0] != "/program" || c.Labels["org.opencontainers.image.title"] != "program" {
		t.Errorf("settings are %+v", c)
	}
	found := map[string]string{}
	files := mutate.Extract(made)
	defer files.Close()
	for reader := tar.NewReader(files); ; {
		header, err := reader.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		found[header.Name] = fmt.Sprintf("%o %d:%d %s", header.Mode, header.Uid, header.Gid, header.Linkname)
	}
	for name, want := range map[string]string{"program": "755 0:0 ", "alias": "777 0:0 program", "etc/passwd": "644 0:0 ", "tmp": "1777 0:0 "} {
		if found[name] != want {
			t.Errorf("%s: want %q, found %q", name, want, found[name])
		}
	}
}

func TestWhatCannotBePackedIsRefused(t *testing.T) {
	for _, text := range []string{"program", "relative=program", "/program="} {
		if (&image{}).add(text, file) == nil {
			t.Errorf("%q was taken", text)
		}
	}
	if (&image{name: "no-tag"}).write(filepath.Join(t.TempDir(), "layout")) == nil {
		t.Error("an image without a tag was written")
	}
}
