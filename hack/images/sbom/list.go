package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// list is what is in the image so far. Crates that several programs use are in it once.
type list struct {
	// By bom-ref, which names a thing within a list.
	components map[string]component
	needs      map[string][]string
	// What is in the image for its own sake: programs and packages.
	direct []string
}

// component keeps whatever cargo-cyclonedx said of a crate.
type component map[string]any

func (l *list) add(c component, needs ...string) {
	if l.components == nil {
		l.components, l.needs = map[string]component{}, map[string][]string{}
	}
	ref := c["bom-ref"].(string)
	l.components[ref] = c
	l.needs[ref] = append(l.needs[ref], needs...)
}

// program takes over the list of one program. Crates that only its build or its tests need are not in it.
func (l *list) program(file string) error {
	var read struct {
		Metadata     struct{ Component component }
		Components   []component
		Dependencies []struct {
			Ref       string
			DependsOn []string
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &read); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	main, named := read.Metadata.Component["bom-ref"].(string)
	if !named || len(read.Components) == 0 {
		return fmt.Errorf("%s is not a list by cargo-cyclonedx: it names no program, or no crate", file)
	}
	needs := map[string][]string{}
	for _, dependency := range read.Dependencies {
		needs[dependency.Ref] = dependency.DependsOn
	}
	read.Metadata.Component["type"] = "application"
	l.add(read.Metadata.Component, needs[main]...)
	l.direct = append(l.direct, main)
	for _, crate := range read.Components {
		ref, named := crate["bom-ref"].(string)
		if !named {
			return fmt.Errorf("%s: %v has no bom-ref", file, crate["name"])
		}
		if crate["scope"] == "excluded" {
			continue
		}
		// A library of ours may be a program of another list, which is more to say of it.
		if there, found := l.components[ref]; found && there["type"] == "application" {
			crate = there
		}
		l.add(crate, needs[ref]...)
	}
	return nil
}

func (l *list) rust(version string) error {
	ref := "pkg:generic/rust-std@" + version
	l.add(component{"bom-ref": ref, "type": "library", "name": "rust-std", "version": version, "purl": ref, "scope": "required",
		"description": "The standard library, linked into the programs."})
	l.direct = append(l.direct, ref)
	return nil
}

func (l *list) debian(text string) error {
	fields := strings.Split(text, ",")
	if len(fields) != 5 || slices.Contains(fields, "") {
		return fmt.Errorf("want package,version,architecture,source,distribution, got %q", text)
	}
	query := "?arch=" + fields[2] + "&distro=" + fields[4]
	purl := "pkg:deb/debian/" + fields[0] + "@" + url.QueryEscape(fields[1]) + query
	l.add(component{"bom-ref": purl, "type": "library", "name": fields[0], "version": fields[1], "purl": purl, "scope": "required",
		"properties": []any{map[string]string{"name": "debian:source", "value": fields[3]}}})
	l.direct = append(l.direct, purl)
	return nil
}

// document is the whole, in the order of names.
func (l *list) document(name, version, digest string, when time.Time) any {
	short := name[strings.LastIndex(name, "/")+1:]
	image := "pkg:oci/" + short + "@" + url.QueryEscape(digest) + "?repository_url=" + url.QueryEscape("docker.io/"+name) + "&tag=" + version
	l.needs[image] = l.direct
	components, dependencies := []component{}, []any{}
	for _, ref := range ordered(l.components) {
		components = append(components, l.components[ref])
	}
	for _, ref := range ordered(l.needs) {
		// What is not in the list cannot be depended on in it.
		needs := slices.DeleteFunc(slices.Clone(l.needs[ref]), func(need string) bool { return l.components[need] == nil })
		slices.Sort(needs)
		dependencies = append(dependencies, map[string]any{"ref": ref, "dependsOn": slices.Compact(needs)})
	}
	return map[string]any{
		"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
		"metadata": map[string]any{
			"timestamp": when.Format(time.RFC3339),
			"component": component{"bom-ref": image, "type": "container", "name": name, "version": version, "purl": image},
		},
		"components": components, "dependencies": dependencies,
	}
}

func ordered[V any](things map[string]V) []string {
	names := make([]string, 0, len(things))
	for name := range things {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
