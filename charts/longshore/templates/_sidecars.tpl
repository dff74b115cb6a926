{{/* For the chart of another driver: each takes this chart's own context, `.Subcharts.longshore`, and reads `longshore:` of its values. */}}
{{- define "longshore.sidecars.provisioner" -}}
{{- include "longshore.check.sidecars" . -}}
{{- $of := .Values.sidecars -}}
{{ include "longshore.container.provisioner" (dict "context" . "values" .Values.provisioner "user" $of.runAsUser "csiAddress" $of.csiAddress "socketVolume" $of.socketVolume) }}
{{- end -}}

{{- define "longshore.sidecars.attacher" -}}
{{- include "longshore.check.sidecars" . -}}
{{- $of := .Values.sidecars -}}
{{ include "longshore.container.attacher" (dict "context" . "values" .Values.attacher "user" $of.runAsUser "csiAddress" $of.csiAddress "socketVolume" $of.socketVolume) }}
{{- end -}}

{{- define "longshore.sidecars.registrar" -}}
{{- include "longshore.check.sidecars" . -}}
{{- $of := .Values.sidecars -}}
{{ include "longshore.container.registrar" (dict "context" . "values" .Values.registrar "csiAddress" $of.csiAddress "socketVolume" $of.socketVolume "registrationVolume" $of.registrationVolume "kubeletDir" $of.kubeletDir "driverName" $of.driverName) }}
{{- end -}}

{{- define "longshore.sidecars.livenessprobe" -}}
{{- include "longshore.check.sidecars" . -}}
{{- $of := .Values.sidecars -}}
{{ include "longshore.container.livenessprobe" (dict "context" . "values" .Values.livenessprobe "user" $of.runAsUser "csiAddress" $of.csiAddress "socketVolume" $of.socketVolume) }}
{{- end -}}

{{/* The driver's own livenessProbe, which livenessprobe answers. */}}
{{- define "longshore.sidecars.driverProbe" -}}
{{ include "longshore.driverProbe" .Values.livenessprobe }}
{{- end -}}

{{/* Account, roles and bindings of the controller pod, all called name: (dict "context" .Subcharts.longshore "name" "…"). */}}
{{- define "longshore.sidecars.rbac" -}}
{{- include "longshore.check.sidecars" .context -}}
{{- $of := .context.Values.sidecars -}}
{{ include "longshore.controllerRbac" (dict "context" .context "component" "sidecars" "name" .name "topology" $of.topology "controllerPublish" $of.controllerPublish) }}
{{- end -}}

{{/* context, component, name, topology, controllerPublish. */}}
{{- define "longshore.controllerRbac" -}}
{{- $all := merge (dict "subjects" (list .name)) . -}}
{{ include "longshore.account" . }}
---
{{ include "longshore.grant" (merge (dict "rules" (include "longshore.rules.controller" .)) $all) }}
---
{{ include "longshore.grant" (merge (dict "rules" (include "longshore.rules.leases" .) "namespace" .context.Release.Namespace) $all) }}
{{- include "longshore.secrets" $all }}
{{- end -}}
