{{/* values and keys: `--the-flag=value` for each key that has a value. */}}
{{- define "longshore.flags" -}}
{{- range $key := .keys }}
{{- $value := get $.values $key }}
{{- $text := "" }}
{{- if kindIs "map" $value }}
{{- $parts := list }}
{{- $between := ternary ":" "=" (eq $key "leaderElectionLabels") }}
{{- range $name, $part := $value }}{{ $parts = append $parts (printf "%s%s%v" $name $between $part) }}{{ end }}
{{- $text = join "," $parts }}
{{- else if kindIs "float64" $value }}
{{- $text = ternary (printf "%d" (int64 $value)) (toString $value) (eq (floor $value) $value) }}
{{- else if not (kindIs "invalid" $value) }}
{{- $text = toString $value }}
{{- end }}
{{- if $text }}
- {{ printf "--%s=%s" (kebabcase $key) $text | quote }}
{{- end }}
{{- end }}
{{- with .values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The number in `host:port`. */}}
{{- define "longshore.port" -}}
{{ splitList ":" . | last }}
{{- end -}}

{{/* What a container needs to be as restricted as Kubernetes knows. user: 0 where a folder or a socket is root's. */}}
{{- define "longshore.restricted" -}}
runAsNonRoot: {{ ne (int .user) 0 }}
runAsUser: {{ .user }}
{{- if hasKey . "group" }}
runAsGroup: {{ .group }}
{{- end }}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
seccompProfile: {type: RuntimeDefault}
{{- end -}}
