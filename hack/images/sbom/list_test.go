package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

const provisioner = `{
  "metadata": {"component": {"bom-ref": "p", "name": "provisioner", "type": "library"}},
  "components": [
    {"bom-ref": "tokio", "name": "tokio", "type": "library", "scope": "required", "purl": "pkg:cargo/tokio@1"},
    {"bom-ref": "proptest", "name": "proptest", "type": "library", "scope": "excluded"}],
  "dependencies": [{"ref": "p", "dependsOn": ["tokio", "proptest"]}, {"ref": "tokio"}]}`

// Uses the provisioner as a library.
const everything = `{
  "metadata": {"component": {"bom-ref": "e", "name": "everything", "type": "library"}},
  "components": [
    {"bom-ref": "p", "name": "provisioner", "type": "library", "scope": "required"},
    {"bom-ref": "tokio", "name": "tokio", "type": "library", "scope": "required", "purl": "pkg:cargo/tokio@1"}],
  "dependencies": [{"ref": "e", "dependsOn": ["p"]}, {"ref": "p", "dependsOn": ["tokio"]}, {"ref": "tokio"}]}`

type document struct {
	Components   []struct{ Name, Type, Purl string }
	Dependencies []struct {
		Ref       string
		DependsOn []string
	}
}

func made(t *testing.T, texts ...string) document {
	t.Helper()
	var list list
	for _, text := range texts {
		file := filepath.Join(t.TempDir(), "list.json")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := list.program(file); err != nil {
			t.Fatal(err)
		}
	}
	if err := list.debian("zlib1g,1:1.2.13.dfsg-1,amd64,zlib,debian-12"); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(list.document("longshore/all", "1", "sha256:00", time.Unix(0, 0)))
	if err != nil {
		t.Fatal(err)
	}
	var read document
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

func TestACrateOfTwoProgramsIsListedOnceAndOneOfTestsNotAtAll(t *testing.T) {
	for _, order := range [][]string{{provisioner, everything}, {everything, provisioner}} {
		var names []string
		for _, c := range made(t, order...).Components {
			names = append(names, c.Type+" "+c.Name)
		}
		want := []string{"application everything", "application provisioner", "library tokio", "library zlib1g"}
		slices.Sort(names)
		if !slices.Equal(names, want) {
			t.Errorf("want %v, found %v", want, names)
		}
	}
}

func TestTheImageNeedsItsProgramsAndPackages(t *testing.T) {
	for _, d := range made(t, everything, provisioner).Dependencies {
		if d.Ref == "pkg:oci/all@sha256%3A00?repository_url=docker.io%2Flongshore%2Fall&tag=1" {
			if want := []string{"e", "p", "pkg:deb/debian/zlib1g@1%3A1.2.13.dfsg-1?arch=amd64&distro=debian-12"}; !slices.Equal(d.DependsOn, want) {
				t.Errorf("want %v, found %v", want, d.DependsOn)
			}
			return
		}
	}
	t.Error("nothing is said of the image itself")
}

func TestWhatIsNoListIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "list.json")
	for _, text := range []string{"", "[]", "{}", `{"metadata": {"component": {"bom-ref": "x"}}}`} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if new(list).program(file) == nil {
			t.Errorf("%q was taken", text)
		}
	}
	if new(list).debian("zlib1g,,amd64,zlib,debian-12") == nil {
		t.Error("a package without a version was taken")
	}
}
