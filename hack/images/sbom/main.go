// Writes what is in an image, as CycloneDX 1.5 in JSON: one list from those that cargo-cyclonedx made of its programs, with the
// Debian packages added. The same input gives the same bytes: no clock, no serial number, everything in order.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	var list list
	out := flag.String("out", "", "file to write")
	name := flag.String("name", "", "the image")
	version := flag.String("version", "", "its tag")
	digest := flag.String("digest", "", "its manifest's digest")
	created := flag.Int64("created", 0, "seconds since 1970 that the list says it was made at")
	flag.Func("program", "list of a program in the image; repeat", list.program)
	flag.Func("rust", "version of the Rust whose standard library is in the programs", list.rust)
	flag.Func("debian", "package,version,architecture,source package,distribution; repeat", list.debian)
	flag.Parse()
	if err := write(*out, list.document(*name, *version, *digest, time.Unix(*created, 0).UTC())); err != nil {
		fmt.Fprintf(os.Stderr, "sbom %s: %v\n", *name, err)
		os.Exit(1)
	}
}

func write(out string, document any) error {
	if out == "" {
		return errors.New("-out must be given")
	}
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(out, append(text, '\n'), 0o644)
}
