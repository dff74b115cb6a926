{{/* What things are called. */}}
{{- define "longshore.fullname" -}}
{{- $name := .Release.Name -}}
{{- if not (contains "longshore" $name) }}{{ $name = printf "%s-longshore" $name }}{{ end -}}
{{- $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "longshore.selector" -}}
app.kubernetes.io/name: longshore
app.kubernetes.io/instance: {{ .context.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "longshore.labels" -}}
{{ include "longshore.selector" . }}
app.kubernetes.io/part-of: longshore
app.kubernetes.io/version: {{ .context.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .context.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .context.Chart.Name .context.Chart.Version | replace "+" "_" }}
{{- with .context.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* context, program, and image: a whole reference or empty. */}}
{{- define "longshore.image" -}}
{{- $image := .context.Values.image -}}
{{- .image | default (printf "%s/longshore/%s:%s" $image.registry .program ($image.tag | default .context.Chart.AppVersion)) -}}
{{- end -}}

{{- define "longshore.local.dataDir" -}}
{{ .Values.local.dataDir | default (printf "/var/lib/longshore/%s" .Values.local.driverName) }}
{{- end -}}

{{- define "longshore.local.topologyKey" -}}
{{ .Values.local.topologyKey | default (printf "topology.%s/host" .Values.local.driverName) }}
{{- end -}}

{{/* The node of the volumes. A cluster of one node names it itself, so that the controller stays where its volumes are when another node comes. */}}
{{- define "longshore.local.pin" -}}
{{- if and .Values.local.topology (not .Values.local.nodeName) -}}
{{- $nodes := (lookup "v1" "Node" "" "").items | default list -}}
{{- if eq (len $nodes) 1 }}{{ (first $nodes).metadata.name }}{{ end -}}
{{- else -}}
{{- .Values.local.nodeName -}}
{{- end -}}
{{- end -}}

{{/* pin, and affinity: what was asked for. */}}
{{- define "longshore.local.affinity" -}}
{{- $affinity := deepCopy .affinity -}}
{{- with .pin -}}
{{- $field := dict "key" "metadata.name" "operator" "In" "values" (list .) -}}
{{- $terms := list (dict "matchFields" (list $field)) -}}
{{- $_ := set $affinity "nodeAffinity" (dict "requiredDuringSchedulingIgnoredDuringExecution" (dict "nodeSelectorTerms" $terms)) -}}
{{- end -}}
{{- if $affinity }}{{ toYaml $affinity }}{{ end -}}
{{- end -}}
