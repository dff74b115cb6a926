{{/* What provisioner and attacher may do, as one account: topology if the driver has it, controllerPublish if there is an attacher. */}}
{{- define "longshore.rules.controller" -}}
- apiGroups: [""]
  resources: [persistentvolumes]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, list, watch, update]
- apiGroups: [storage.k8s.io]
  resources: [storageclasses]
  verbs: [list, watch]
# Read when a claim names one.
- apiGroups: [storage.k8s.io]
  resources: [volumeattributesclasses]
  verbs: [get]
{{- if or .topology .controllerPublish }}
- apiGroups: [storage.k8s.io]
  resources: [csinodes]
  verbs: [list, watch]
{{- end }}
{{- if .topology }}
- apiGroups: [""]
  resources: [nodes]
  verbs: [list, watch]
{{- end }}
{{- if .controllerPublish }}
# A volume that is still attached is not deleted.
- apiGroups: [storage.k8s.io]
  resources: [volumeattachments]
  verbs: [list, watch, patch]
- apiGroups: [storage.k8s.io]
  resources: [volumeattachments/status]
  verbs: [patch]
{{- end }}
# About claims, volumes and Leases.
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{/* In the release's namespace: the Leases that sidecars lead by, and those they write their intents into. */}}
{{- define "longshore.rules.leases" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get, create, update]
{{- end -}}

{{/* What node-mounter may do that RBAC cannot keep to one node. */}}
{{- define "longshore.rules.node" -}}
- apiGroups: [""]
  resources: [pods]
  # delete: nobody else confirms that a deleted pod's containers have ended.
  verbs: [list, watch{{ if .registerNode }}, delete{{ end }}]
- apiGroups: [""]
  resources: [persistentvolumeclaims, persistentvolumes]
  verbs: [get]
- apiGroups: [storage.k8s.io]
  resources: [csidrivers]
  verbs: [list, watch]
- apiGroups: [storage.k8s.io]
  resources: [volumeattachments]
  verbs: [get]
- apiGroups: [storage.k8s.io]
  resources: [csinodes]
  verbs: [create]
{{- if .registerNode }}
- apiGroups: [""]
  resources: [nodes]
  verbs: [create]
{{- end }}
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- if .tokenRequests }}
- apiGroups: [""]
  resources: [serviceaccounts/token]
  verbs: [create]
{{- end }}
{{- end -}}

{{/* What it may do to its own node: name. */}}
{{- define "longshore.rules.ownNode" -}}
- apiGroups: [""]
  resources: [nodes]
  resourceNames: [{{ . | quote }}]
  verbs: [get, patch]
- apiGroups: [""]
  resources: [nodes/status]
  resourceNames: [{{ . | quote }}]
  verbs: [patch]
- apiGroups: [storage.k8s.io]
  resources: [csinodes]
  resourceNames: [{{ . | quote }}]
  verbs: [get, update, delete]
{{- end -}}

{{/* A ServiceAccount: context, component, name. */}}
{{- define "longshore.account" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .name }}
  namespace: {{ .context.Release.Namespace }}
  labels:{{ include "longshore.labels" . | nindent 4 }}
{{- end -}}

{{/* context, component, name, rules (text), subjects (account names); namespace for a Role. */}}
{{- define "longshore.grant" -}}
{{- $kind := ternary "Role" "ClusterRole" (hasKey . "namespace") -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:{{ include "longshore.labels" . | nindent 4 }}
rules:{{ .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:{{ include "longshore.labels" . | nindent 4 }}
subjects:
  {{- range .subjects }}
  - kind: ServiceAccount
    name: {{ . }}
    namespace: {{ $.context.Release.Namespace }}
  {{- end }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ .name }}
{{- end -}}

{{/* The secrets of values: nothing, a Role in each namespace that has some, or all. context, component, name, subjects. */}}
{{- define "longshore.secrets" -}}
{{- $secrets := .context.Values.secrets -}}
{{- $rules := "- apiGroups: [\"\"]\n  resources: [secrets]\n  verbs: [get]" -}}
{{- if $secrets.all }}
---
{{ include "longshore.grant" (merge (dict "name" (printf "%s-secrets" .name) "rules" $rules) (omit . "name")) }}
{{- else }}
{{- $folders := dict }}
{{- range $secrets.names }}
{{- $parts := splitList "/" . }}
{{- $_ := set $folders (first $parts) (append (get $folders (first $parts) | default list) (last $parts)) }}
{{- end }}
{{- range $namespace, $names := $folders }}
{{- $named := printf "- apiGroups: [\"\"]\n  resources: [secrets]\n  resourceNames: %s\n  verbs: [get]" (toJson $names) }}
---
{{ include "longshore.grant" (merge (dict "name" (printf "%s-secrets" $.name) "rules" $named "namespace" $namespace) (omit $ "name")) }}
{{- end }}
{{- end }}
{{- end -}}
