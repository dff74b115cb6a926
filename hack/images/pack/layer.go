package main

import (
	"archive/tar"
	"bytes"
	"os"
	"path"
)

// Without nsswitch.conf a name would be asked of DNS before the hosts file that kubelet writes.
var common = []struct{ name, content string }{
	{"etc/group", "root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n"},
	{"etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"},
	{"etc/passwd", "root:x:0:0::/root:/sbin/nologin\nnobody:x:65534:65534::/:/sbin/nologin\nnonroot:x:65532:65532::/:/sbin/nologin\n"},
}

// base is the layer beneath all images, the same for all.
func base() ([]byte, error) {
	archive := newArchive()
	for _, name := range []string{"/dev", "/etc", "/proc", "/root", "/sys", "/var"} {
		archive.folder(name)
	}
	archive.add(&tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777}, nil)
	for _, file := range common {
		archive.file(file.name, 0o644, []byte(file.content))
	}
	return archive.close()
}

func (l layer) pack() ([]byte, error) {
	archive := newArchive()
	for _, entry := range l {
		archive.folder(path.Dir(entry.target))
		switch entry.kind {
		case file:
			content, mode, err := read(entry.source)
			if err != nil {
				return nil, err
			}
			archive.file(entry.target[1:], mode, content)
		case link:
			archive.add(&tar.Header{Typeflag: tar.TypeSymlink, Name: entry.target[1:], Linkname: entry.source, Mode: 0o777}, nil)
		}
	}
	return archive.close()
}

// read gives two modes, of a program and of anything else: what a umask did to a file must not change the image.
func read(name string) ([]byte, int64, error) {
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, 0, err
	}
	about, err := os.Stat(name)
	if err != nil {
		return nil, 0, err
	}
	if about.Mode()&0o111 != 0 {
		return content, 0o755, nil
	}
	return content, 0o644, nil
}

// archive is a tar in memory that makes each folder once and keeps the first error. All files are root's and of 1970: a layer that did
// not change is the same blob in the next release.
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
