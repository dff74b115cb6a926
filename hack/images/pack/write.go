package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"
)

// write puts the image where `out` says.
func (i *image) write(out string) error {
	_, tag, found := strings.Cut(i.name[strings.LastIndex(i.name, "/")+1:], ":")
	if !found || out == "" {
		return errors.New("-out, and -name with a tag, must be given")
	}
	made, err := i.make()
	if err != nil {
		return err
	}
	// The first is what containerd calls the image, the second what others look for in a layout.
	names := layout.WithAnnotations(map[string]string{"io.containerd.image.name": i.name, "org.opencontainers.image.ref.name": tag})
	if !strings.HasSuffix(out, ".tar") {
		if err := os.Mkdir(out, 0o755); err != nil {
			return err
		}
		return save(made, out, names)
	}
	folder, err := os.MkdirTemp(filepath.Dir(out), ".pack-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if err := save(made, folder, names); err != nil {
		return err
	}
	packed, err := pack(folder)
	if err != nil {
		return err
	}
	return os.WriteFile(out, packed, 0o644)
}

func save(made v1.Image, folder string, options layout.Option) error {
	written, err := layout.Write(folder, empty.Index)
	if err != nil {
		return err
	}
	return written.AppendImage(made, options)
}

func (i *image) make() (v1.Image, error) {
	when := time.Unix(i.created, 0).UTC()
	below, err := base()
	if err != nil {
		return nil, err
	}
	contents := [][]byte{below}
	for _, layer := range i.layers {
		content, err := layer.pack()
		if err != nil {
			return nil, err
		}
		contents = append(contents, content)
	}
	config := &v1.ConfigFile{
		Architecture: runtime.GOARCH, OS: "linux", Created: v1.Time{Time: when}, RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, User: i.user, Labels: i.labels, WorkingDir: "/"},
	}
	if i.entrypoint != "" {
		config.Config.Entrypoint = []string{i.entrypoint}
	}
	made, err := mutate.ConfigFile(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), config)
	if err != nil {
		return nil, err
	}
	for _, content := range contents {
		blob, kind, err := compress(content, i.small)
		if err != nil {
			return nil, err
		}
		layer, err := tarball.LayerFromOpener(opener(blob), tarball.WithMediaType(kind))
		if err != nil {
			return nil, fmt.Errorf("layer: %w", err)
		}
		history := v1.History{Created: v1.Time{Time: when}, CreatedBy: "pack"}
		if made, err = mutate.Append(made, mutate.Addendum{Layer: layer, History: history}); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// compress is done here, once: the library would do it anew for the digest and for each copy. zstd makes programs a fifth smaller
// than gzip does, and every runtime that Kubernetes still supports reads it.
func compress(content []byte, small bool) ([]byte, types.MediaType, error) {
	if small {
		writer, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(8<<20))
		if err != nil {
			return nil, "", err
		}
		return writer.EncodeAll(content, nil), types.OCILayerZStd, nil
	}
	var blob bytes.Buffer
	writer, err := gzip.NewWriterLevel(&blob, gzip.BestSpeed)
	if err != nil {
		return nil, "", err
	}
	if _, err := writer.Write(content); err != nil {
		return nil, "", err
	}
	if err := writer.Close(); err != nil {
		return nil, "", err
	}
	return blob.Bytes(), types.OCILayer, nil
}

func opener(content []byte) tarball.Opener {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
}

// pack is the archive of a layout.
func pack(folder string) ([]byte, error) {
	archive := newArchive()
	err := filepath.WalkDir(folder, func(name string, about fs.DirEntry, err error) error {
		if err != nil || about.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		archive.file(strings.TrimPrefix(name, folder+"/"), 0o644, content)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return archive.close()
}
