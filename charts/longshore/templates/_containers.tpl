{{/* The sidecars' containers. Each takes context, values, user, csiAddress and socketVolume; group where the user needs one. */}}
{{- define "longshore.container" -}}
- name: {{ .program }}
  image: {{ include "longshore.image" (dict "context" .context "program" .program "image" .values.image) | quote }}
  imagePullPolicy: {{ .context.Values.image.pullPolicy }}
{{- end -}}

{{- define "longshore.container.rest" -}}
resources:{{ toYaml .values.resources | nindent 2 }}
securityContext:{{ include "longshore.restricted" . | nindent 2 }}
{{- end -}}

{{- define "longshore.container.controller" -}}
{{ include "longshore.container" . }}
  args:
    - --csi-address={{ .csiAddress }}
    {{- include "longshore.flags" . | trim | nindent 4 }}
  env:
    # Where its Leases are.
    - name: POD_NAMESPACE
      valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
    {{- with .values.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .values.httpEndpoint }}
  ports:
    - name: {{ $.port }}
      containerPort: {{ include "longshore.port" . }}
  {{- if $.values.leaderElection }}
  livenessProbe:
    httpGet: {path: /healthz/leader-election, port: {{ $.port }}}
    periodSeconds: 20
    timeoutSeconds: 5
    failureThreshold: 3
  {{- end }}
  readinessProbe:
    httpGet: {path: /readyz, port: {{ $.port }}}
    periodSeconds: 5
    timeoutSeconds: 5
  {{- end }}
  {{- include "longshore.container.rest" . | nindent 2 }}
  volumeMounts:
    - name: {{ .socketVolume }}
      mountPath: {{ dir .csiAddress }}
{{- end -}}

{{- define "longshore.container.provisioner" -}}
{{- $keys := list "timeout" "retryIntervalStart" "retryIntervalMax" "workerThreads" "kubeApiQps" "kubeApiBurst" "leaderElection" "leaderElectionLeaseDuration" "leaderElectionRenewDeadline" "leaderElectionRetryPeriod" "leaderElectionLabels" "httpEndpoint" "metricsPath" "featureGates" "volumeNamePrefix" "volumeNameUuidLength" "defaultFstype" "strictTopology" "immediateTopology" "extraCreateMetadata" "controllerPublishReadonly" "v" "loggingFormat" -}}
{{ include "longshore.container.controller" (merge (dict "program" "external-provisioner" "port" "provisioner" "keys" $keys) .) }}
{{- end -}}

{{- define "longshore.container.attacher" -}}
{{- $keys := list "timeout" "retryIntervalStart" "retryIntervalMax" "workerThreads" "resync" "reconcileSync" "maxEntries" "defaultFstype" "kubeApiQps" "kubeApiBurst" "leaderElection" "leaderElectionLeaseDuration" "leaderElectionRenewDeadline" "leaderElectionRetryPeriod" "leaderElectionLabels" "httpEndpoint" "metricsPath" "featureGates" "v" "loggingFormat" -}}
{{ include "longshore.container.controller" (merge (dict "program" "external-attacher" "port" "attacher" "keys" $keys) .) }}
{{- end -}}

{{/* Besides: driverName, kubeletDir, registrationVolume. Always root, with no capability: kubelet's folder is root's. */}}
{{- define "longshore.container.registrar" -}}
{{- $all := merge (dict "program" "node-driver-registrar" "user" 0 "keys" (list "timeout" "httpEndpoint" "v" "loggingFormat")) . -}}
{{ include "longshore.container" $all }}
  args:
    - --csi-address={{ .csiAddress }}
    - --kubelet-registration-path={{ .kubeletDir }}/plugins/{{ .driverName }}/{{ base .csiAddress }}
    {{- include "longshore.flags" $all | trim | nindent 4 }}
  {{- with .values.extraEnv }}
  env:{{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.httpEndpoint }}
  ports:
    - name: registrar
      containerPort: {{ include "longshore.port" . }}
  # kubelet's registration is one that it could find again.
  livenessProbe:
    httpGet: {path: /healthz, port: registrar}
    initialDelaySeconds: 10
    periodSeconds: 30
    timeoutSeconds: 5
  {{- end }}
  {{- include "longshore.container.rest" $all | nindent 2 }}
  volumeMounts:
    - name: {{ .socketVolume }}
      mountPath: {{ dir .csiAddress }}
    - name: {{ .registrationVolume }}
      mountPath: /registration
{{- end -}}

{{- define "longshore.container.livenessprobe" -}}
{{- $all := merge (dict "program" "livenessprobe" "keys" (list "probeTimeout" "httpEndpoint" "metricsPath" "v" "loggingFormat")) . -}}
{{ include "longshore.container" $all }}
  args:
    - --csi-address={{ .csiAddress }}
    {{- include "longshore.flags" $all | trim | nindent 4 }}
  {{- with .values.extraEnv }}
  env:{{ toYaml . | nindent 4 }}
  {{- end }}
  ports:
    - name: livenessprobe
      containerPort: {{ include "longshore.port" .values.httpEndpoint }}
  {{- include "longshore.container.rest" $all | nindent 2 }}
  volumeMounts:
    - name: {{ .socketVolume }}
      mountPath: {{ dir .csiAddress }}
{{- end -}}

{{/* For the driver's own container: livenessprobe answers for it. values: livenessprobe's. */}}
{{- define "longshore.driverProbe" -}}
livenessProbe:
  httpGet: {path: /healthz, port: {{ include "longshore.port" .httpEndpoint }}}
  initialDelaySeconds: 10
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 5
{{- end -}}
