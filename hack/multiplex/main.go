// multiplex speaks both protocols of `longshore serve` on its one socket at the same time, 1,000 calls each, with upstream's own gRPC
// client and Go's own HTTP/1.1 client, and compares every answer with what was made beforehand.
//
// Usage: multiplex SOCKET. See ./run.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	calls   = 1000
	workers = 8
	volumes = 5
)

type bridge struct {
	identity   csi.IdentityClient
	controller csi.ControllerClient
	http       *http.Client
}

func dial(socket string) (*bridge, error) {
	conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
		MaxIdleConnsPerHost: workers,
	}
	return &bridge{
		identity:   csi.NewIdentityClient(conn),
		controller: csi.NewControllerClient(conn),
		http:       &http.Client{Transport: transport, Timeout: time.Minute},
	}, nil
}

// ask makes a request as dockerd does, and decodes its answer.
func (b *bridge) ask(path string, request, answer any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	response, err := b.http.Post("http://plugin.moby.localhost"+path, "", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s %s", path, response.Status, text)
	}
	return json.Unmarshal(text, answer)
}

type named struct{ Name string }

type got struct {
	Volume struct {
		Name   string
		Status map[string]any
	}
}

// docker is one call of its kind: what every volume is called, what one of them is, what the plugin is.
func (b *bridge) docker(i int, ids map[string]string, names []string) error {
	switch i % 3 {
	case 0:
		var listed struct{ Volumes []named }
		if err := b.ask("/VolumeDriver.List", struct{}{}, &listed); err != nil {
			return err
		}
		var seen []string
		for _, v := range listed.Volumes {
			seen = append(seen, v.Name)
		}
		sort.Strings(seen)
		return same("Docker's list", strings.Join(names, " "), strings.Join(seen, " "))
	case 1:
		name := names[i%len(names)]
		var answer got
		if err := b.ask("/VolumeDriver.Get", named{name}, &answer); err != nil {
			return err
		}
		return same(name, ids[name], fmt.Sprint(answer.Volume.Status["id"]))
	default:
		var activated struct{ Implements []string }
		if err := b.ask("/Plugin.Activate", struct{}{}, &activated); err != nil {
			return err
		}
		return same("what it implements", "VolumeDriver", strings.Join(activated.Implements, " "))
	}
}

// csi is one call of its kind.
func (b *bridge) csi(ctx context.Context, i int, ids map[string]string) error {
	switch i % 3 {
	case 0:
		answer, err := b.controller.ListVolumes(ctx, &csi.ListVolumesRequest{})
		if err != nil {
			return err
		}
		var seen []string
		for _, entry := range answer.Entries {
			seen = append(seen, entry.Volume.VolumeId)
		}
		var expected []string
		for _, id := range ids {
			expected = append(expected, id)
		}
		sort.Strings(seen)
		sort.Strings(expected)
		return same("CSI's list", strings.Join(expected, " "), strings.Join(seen, " "))
	case 1:
		answer, err := b.identity.GetPluginInfo(ctx, &csi.GetPluginInfoRequest{})
		if err != nil {
			return err
		}
		return same("the driver", "local.csi.longshore.dev", answer.Name)
	default:
		answer, err := b.identity.Probe(ctx, &csi.ProbeRequest{})
		if err != nil {
			return err
		}
		return same("ready", "true", fmt.Sprint(answer.Ready.GetValue()))
	}
}

func same(what, expected, found string) error {
	if expected != found {
		return fmt.Errorf("%s: expected %q, found %q", what, expected, found)
	}
	return nil
}

// make makes volumes over either protocol: their names, and their ids.
func (b *bridge) make(ctx context.Context) (map[string]string, []string, error) {
	ids, names := map[string]string{}, []string{}
	for i := 0; i < volumes; i++ {
		name := fmt.Sprintf("over-csi-%d", i)
		answer, err := b.controller.CreateVolume(ctx, &csi.CreateVolumeRequest{Name: name})
		if err != nil {
			return nil, nil, fmt.Errorf("CreateVolume %s: %w", name, err)
		}
		ids[name], names = answer.Volume.VolumeId, append(names, name)
	}
	for i := 0; i < volumes; i++ {
		name := fmt.Sprintf("over-docker-%d", i)
		if err := b.ask("/VolumeDriver.Create", named{name}, &struct{}{}); err != nil {
			return nil, nil, err
		}
		var answer got
		if err := b.ask("/VolumeDriver.Get", named{name}, &answer); err != nil {
			return nil, nil, err
		}
		ids[name], names = fmt.Sprint(answer.Volume.Status["id"]), append(names, name)
	}
	sort.Strings(names)
	return ids, names, nil
}

// remove takes each volume away over the protocol that did not make it.
func (b *bridge) remove(ctx context.Context, ids map[string]string) error {
	for name, id := range ids {
		if strings.HasPrefix(name, "over-csi") {
			if err := b.ask("/VolumeDriver.Remove", named{name}, &struct{}{}); err != nil {
				return err
			}
		} else if _, err := b.controller.DeleteVolume(ctx, &csi.DeleteVolumeRequest{VolumeId: id}); err != nil {
			return err
		}
	}
	return nil
}

func run(socket string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	b, err := dial(socket)
	if err != nil {
		return err
	}
	ids, names, err := b.make(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	problems := make(chan error, 2*calls)
	var wait sync.WaitGroup
	for worker := 0; worker < workers; worker++ {
		wait.Add(2)
		go func() {
			defer wait.Done()
			for i := worker; i < calls; i += workers {
				if err := b.csi(ctx, i, ids); err != nil {
					problems <- fmt.Errorf("CSI call %d: %w", i, err)
				}
			}
		}()
		go func() {
			defer wait.Done()
			for i := worker; i < calls; i += workers {
				if err := b.docker(i, ids, names); err != nil {
					problems <- fmt.Errorf("HTTP call %d: %w", i, err)
				}
			}
		}()
	}
	wait.Wait()
	took := time.Since(began).Round(time.Millisecond)
	close(problems)
	wrong := 0
	for problem := range problems {
		if wrong < 10 {
			fmt.Fprintln(os.Stderr, problem)
		}
		wrong++
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d answers are wrong", wrong, 2*calls)
	}
	if err := b.remove(ctx, ids); err != nil {
		return err
	}
	fmt.Printf("%d CSI calls and %d HTTP/1.1 calls at the same time on one socket: all answers as expected, in %s\n", calls, calls, took)
	return nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: multiplex SOCKET")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "multiplex: %v\n", err)
		os.Exit(1)
	}
}
