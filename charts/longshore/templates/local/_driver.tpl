{{/* The driver's container, of both pods: context, services, and its privileges are the caller's. */}}
{{- define "longshore.local.driver" -}}
{{- $local := .context.Values.local -}}
- name: local-driver
  image: {{ include "longshore.image" (dict "context" .context "program" "local-driver" "image" $local.image) | quote }}
  imagePullPolicy: {{ .context.Values.image.pullPolicy }}
  args:
    - --endpoint=unix:///csi/csi.sock
    - --node-id=$(NODE_NAME)
    - --services={{ .services }}
    - --data-dir={{ include "longshore.local.dataDir" .context }}
    {{- if $local.topology }}
    - --topology-key={{ include "longshore.local.topologyKey" .context }}
    {{- end }}
    {{- include "longshore.flags" (dict "values" $local "keys" (list "driverName" "topology" "overcommit" "maxVolumesPerNode" "controllerPublish" "v")) | trim | nindent 4 }}
  env:
    - name: NODE_NAME
      valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
    {{- with $local.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- include "longshore.driverProbe" .context.Values.livenessprobe | nindent 2 }}
  resources:{{ toYaml $local.resources | nindent 4 }}
{{- end -}}

{{/* What both pods have: context, of (local.controller or local.node), pin. */}}
{{- define "longshore.local.placement" -}}
{{- with .context.Values.imagePullSecrets }}
imagePullSecrets:{{ toYaml . | nindent 2 }}
{{- end }}
{{- with .of.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
nodeSelector:{{ merge (dict "kubernetes.io/os" "linux") .of.nodeSelector | toYaml | nindent 2 }}
{{- with .of.tolerations }}
tolerations:{{ toYaml . | nindent 2 }}
{{- end }}
{{- with include "longshore.local.affinity" (dict "affinity" .of.affinity "pin" .pin) }}
affinity:{{ . | nindent 2 }}
{{- end }}
{{- with .of.topologySpreadConstraints }}
topologySpreadConstraints:{{ toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
