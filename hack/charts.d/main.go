// What hack/charts compares, as lines that sort and diff can work with. Reads YAML documents from stdin.
//
//	charts rules   who may do what: ACCOUNT SCOPE GROUP/RESOURCE NAMES VERB, one verb to a line; SCOPE is "cluster" or a namespace
//	charts plain   each object as one line of JSON, without its labels
//	charts args    the containers of workloads: NAME ARGUMENT...
//	charts hidden  of a values.schema.json and a values.yaml, the values that only the schema has
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

type object struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Rules []struct {
		APIGroups     []string `json:"apiGroups"`
		Resources     []string `json:"resources"`
		ResourceNames []string `json:"resourceNames"`
		Verbs         []string `json:"verbs"`
	} `json:"rules"`
	Subjects []struct {
		Kind string `json:"kind"`
		Name string `json:"name"`
	} `json:"subjects"`
	RoleRef struct {
		Kind string `json:"kind"`
		Name string `json:"name"`
	} `json:"roleRef"`
	Spec struct {
		Template struct {
			Spec struct {
				Containers []struct {
					Name string   `json:"name"`
					Args []string `json:"args"`
				} `json:"containers"`
			} `json:"spec"`
		} `json:"template"`
	} `json:"spec"`
}

func main() {
	lines, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "charts:", err)
		os.Exit(1)
	}
	slices.Sort(lines)
	for _, line := range slices.Compact(lines) {
		fmt.Println(line)
	}
}

func run() ([]string, error) {
	if len(os.Args) != 2 {
		return nil, fmt.Errorf("say rules, plain, args or hidden")
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return nil, err
	}
	documents, err := split(string(text))
	if err != nil {
		return nil, err
	}
	switch os.Args[1] {
	case "rules":
		return rules(documents)
	case "plain":
		return plain(documents)
	case "args":
		return arguments(documents)
	case "hidden":
		return hidden(documents)
	}
	return nil, fmt.Errorf("unknown command %q: say rules, plain, args or hidden", os.Args[1])
}

// split gives every document as JSON; empty ones are left out.
func split(text string) ([][]byte, error) {
	var documents [][]byte
	for _, part := range strings.Split("\n"+text, "\n---") {
		converted, err := yaml.YAMLToJSON([]byte(part))
		if err != nil {
			return nil, fmt.Errorf("%w in:\n%s", err, part)
		}
		if string(converted) != "null" {
			documents = append(documents, converted)
		}
	}
	return documents, nil
}

// known reads of the documents what rules and arguments are about; what has another form there has none of it.
func known(documents [][]byte) ([]object, error) {
	var objects []object
	for _, document := range documents {
		var kind struct{ Kind string }
		if err := json.Unmarshal(document, &kind); err != nil {
			return nil, err
		}
		switch kind.Kind {
		case "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "Deployment", "DaemonSet":
		default:
			continue
		}
		var read object
		if err := json.Unmarshal(document, &read); err != nil {
			return nil, err
		}
		objects = append(objects, read)
	}
	return objects, nil
}

func arguments(documents [][]byte) ([]string, error) {
	objects, err := known(documents)
	var lines []string
	for _, workload := range objects {
		for _, container := range workload.Spec.Template.Spec.Containers {
			lines = append(lines, strings.Join(append([]string{container.Name}, container.Args...), " "))
		}
	}
	return lines, err
}

func rules(documents [][]byte) ([]string, error) {
	objects, err := known(documents)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, binding := range objects {
		if binding.Kind != "ClusterRoleBinding" && binding.Kind != "RoleBinding" {
			continue
		}
		scope := binding.Metadata.Namespace
		if binding.Kind == "ClusterRoleBinding" {
			scope = "cluster"
		}
		for _, role := range objects {
			same := role.Kind == binding.RoleRef.Kind && role.Metadata.Name == binding.RoleRef.Name
			if !same || role.Kind == "Role" && role.Metadata.Namespace != binding.Metadata.Namespace {
				continue
			}
			for _, subject := range binding.Subjects {
				lines = append(lines, expand(subject.Name, scope, role)...)
			}
		}
	}
	return lines, nil
}

func expand(account, scope string, role object) []string {
	var lines []string
	for _, rule := range role.Rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					names := strings.Join(rule.ResourceNames, ",")
					lines = append(lines, fmt.Sprintf("%s %s %s/%s [%s] %s", account, scope, group, resource, names, verb))
				}
			}
		}
	}
	return lines
}

func plain(documents [][]byte) ([]string, error) {
	var lines []string
	for _, document := range documents {
		var read map[string]any
		if err := json.Unmarshal(document, &read); err != nil {
			return nil, err
		}
		if metadata, there := read["metadata"].(map[string]any); there {
			delete(metadata, "labels")
		}
		line, err := json.Marshal(read)
		if err != nil {
			return nil, err
		}
		lines = append(lines, string(line))
	}
	return lines, nil
}

func hidden(documents [][]byte) ([]string, error) {
	if len(documents) != 2 {
		return nil, fmt.Errorf("hidden needs a schema and values, and got %d documents", len(documents))
	}
	var schema, values map[string]any
	if err := json.Unmarshal(documents[0], &schema); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(documents[1], &values); err != nil {
		return nil, err
	}
	// Helm's own: what a chart gives to all it depends on.
	values["global"] = nil
	return missing("", schema, values), nil
}

func missing(path string, schema, values map[string]any) []string {
	properties, _ := schema["properties"].(map[string]any)
	var lines []string
	for name, of := range properties {
		value, there := values[name]
		if !there {
			lines = append(lines, path+name)
			continue
		}
		inner, isMap := value.(map[string]any)
		if below, isSchema := of.(map[string]any); isSchema && isMap {
			lines = append(lines, missing(path+name+".", below, inner)...)
		}
	}
	return lines
}
