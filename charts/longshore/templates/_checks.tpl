{{/* What the schema cannot see: each is one sentence that names the value. */}}
{{- define "longshore.check.driverName" -}}
{{- if not (and (le (len .name) 63) (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$" .name)) -}}
{{- fail (printf "%s is %q: a driver's name is a DNS name, of lower-case letters, digits, dashes and dots, at most 63 characters." .value .name) -}}
{{- end -}}
{{- end -}}

{{- define "longshore.check.sidecars" -}}
{{- if not .Values.sidecars.enabled -}}
{{- fail "sidecars.enabled is false: a chart that calls longshore's templates says so in its values, `longshore: {sidecars: {enabled: true}}`." -}}
{{- end -}}
{{- if not .Values.sidecars.driverName -}}
{{- fail "sidecars.driverName is empty: the sidecars need the name of the driver that they serve." -}}
{{- end -}}
{{- include "longshore.check.driverName" (dict "value" "sidecars.driverName" "name" .Values.sidecars.driverName) -}}
{{- end -}}

{{/* Two releases would both act on every claim of the driver. */}}
{{- define "longshore.check.holder" -}}
{{- $name := .Values.local.driverName -}}
{{- with lookup "storage.k8s.io/v1" "CSIDriver" "" $name -}}
{{- $notes := .metadata.annotations | default dict -}}
{{- $release := get $notes "meta.helm.sh/release-name" -}}
{{- $namespace := get $notes "meta.helm.sh/release-namespace" -}}
{{- if not $release -}}
{{- fail (printf "local.driverName is %q: this cluster has a CSIDriver of that name that no Helm release holds; remove what installed it, or choose another name." $name) -}}
{{- else if or (ne $release $.Release.Name) (ne $namespace $.Release.Namespace) -}}
{{- fail (printf "local.driverName is %q: the release %q in the namespace %q holds that name; choose another, or uninstall that release." $name $release $namespace) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "longshore.check.local" -}}
{{- $local := .Values.local -}}
{{- include "longshore.check.driverName" (dict "value" "local.driverName" "name" $local.driverName) -}}
{{- include "longshore.check.holder" . -}}
{{- if not .Values.livenessprobe.httpEndpoint -}}
{{- fail "livenessprobe.httpEndpoint is empty: local needs a port such as :9808, or nobody notices a driver that hangs." -}}
{{- end -}}
{{- if gt (int $local.controller.replicas) 1 -}}
{{- if not .Values.provisioner.leaderElection -}}
{{- fail (printf "provisioner.leaderElection is false and local.controller.replicas is %d: several replicas need it to be true." (int $local.controller.replicas)) -}}
{{- end -}}
{{- if and $local.controllerPublish (not .Values.attacher.leaderElection) -}}
{{- fail (printf "attacher.leaderElection is false and local.controller.replicas is %d: several replicas need it to be true." (int $local.controller.replicas)) -}}
{{- end -}}
{{- end -}}
{{- if and $local.topology (not $local.nodeName) -}}
{{- $nodes := (lookup "v1" "Node" "" "").items | default list -}}
{{- if gt (len $nodes) 1 -}}
{{- fail (printf "local.nodeName is empty and this cluster has %d nodes: name the one whose disk holds the volumes." (len $nodes)) -}}
{{- end -}}
{{- end -}}
{{- $defaults := 0 -}}
{{- range $local.storageClasses }}{{ if .default }}{{ $defaults = add $defaults 1 }}{{ end }}{{ end -}}
{{- if gt (int $defaults) 1 -}}
{{- fail (printf "local.storageClasses has %d classes with default: true; a cluster has one default class." (int $defaults)) -}}
{{- end -}}
{{- end -}}

{{- define "longshore.check.node" -}}
{{- if and (eq .Values.node.credential "token") (not .Values.node.names) -}}
{{- fail "node.names is empty: node.credential is token, and each node gets an account of its own, so name them." -}}
{{- end -}}
{{- if and .Values.node.tokenSecrets (ne .Values.node.credential "token") -}}
{{- fail (printf "node.tokenSecrets is true and node.credential is %q: only token has tokens." .Values.node.credential) -}}
{{- end -}}
{{- end -}}
