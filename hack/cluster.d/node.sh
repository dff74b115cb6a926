# node1: containerd and kubelet, on the host itself.

node_up() {
  make_cgroup
  write_containerd_config
  start containerd env PATH="$CONTAINERD:$PATH" "$CONTAINERD/containerd" -c "$RUN/containerd.toml"
  await containerd 30 ctr version
  local image
  for image in pause busybox; do ctr -n k8s.io image import "$IMAGES/$image.tar" >>"$LOGS/images.log" 2>&1 || die "containerd refused $image.tar"; done
  # By the name that manifests/examples and the chart's test have for it.
  ctr -n k8s.io image tag --force "$BUSYBOX_IMAGE" docker.io/library/busybox:1 >>"$LOGS/images.log"

  write_kubelet_config
  start kubelet "$KUBE/kubelet" --config "$RUN/kubelet.yaml" --kubeconfig "$KUBECONFIGS/kubelet" --hostname-override node1 \
    --node-ip "$BRIDGE_IP" --root-dir "$KUBELET_ROOT" --cert-dir "$PKI/kubelet"
}

ctr() { "$CONTAINERD/ctr" -a "$CONTAINERD_SOCKET" "$@"; }

# Ready, and the controller manager has noticed: until then the node carries a taint that keeps pods away.
node_ready() {
  kubectl get node "$1" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}{.spec.taints}' | grep -qx True
}

# In the one hierarchy of cgroup v2, or in each of v1's. Kubelet takes a cgroup for missing if a controller is not enabled in it.
make_cgroup() {
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    local controller
    for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
      echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control ||
        die "cannot enable the cgroup controller $controller: if this is a container, move its processes out of its root cgroup first"
    done
    mkdir -p "/sys/fs/cgroup/$CGROUP"
  else
    local hierarchy
    awk '$(NF-2) == "cgroup" {print $5}' /proc/self/mountinfo | while read -r hierarchy; do
      mkdir -p "$hierarchy/$CGROUP"
    done
  fi
}

# restrict_oom_score_adj: without CAP_SYS_RESOURCE a sandbox dies with "can't get final child's PID from pipe" otherwise.
write_containerd_config() {
  cat >"$RUN/containerd.toml" <<CONFIG
version = 3
root = "$RUN/containerd/root"
state = "$RUN/containerd/state"
disabled_plugins = ["io.containerd.nri.v1.nri"]
[grpc]
  address = "$CONTAINERD_SOCKET"
[ttrpc]
  address = "$CONTAINERD_SOCKET.ttrpc"
[plugins.'io.containerd.internal.v1.opt']
  path = "$RUN/containerd/opt"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "$PAUSE_IMAGE"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  Root = "$RUN/containerd/runc"
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ["/usr/lib/cni"]
  conf_dir = "$RUN/cni"
CONFIG
}

write_kubelet_config() {
  cat >"$RUN/kubelet.yaml" <<CONFIG
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $BRIDGE_IP
port: $KUBELET_PORT
healthzPort: 0
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
containerRuntimeEndpoint: unix://$CONTAINERD_SOCKET
cgroupDriver: cgroupfs
cgroupRoot: /$CGROUP
failCgroupV1: false
failSwapOn: false
makeIPTablesUtilChains: false
podLogsDir: $LOGS/pods
volumePluginDir: $RUN/volume-plugins
# Nothing answers there; without an address every pod would get a warning event.
clusterDNS: [${SERVICE_IP%.*}.10]
resolvConf: ""
maxPods: 300
# A volume is detached only after the node has reported it unused, at its next status: 10 s would be most of each test.
nodeStatusUpdateFrequency: 1s
registryPullQPS: 0
eventRecordQPS: 0
kubeAPIQPS: 500
kubeAPIBurst: 1000
# The images are nowhere else to be had, so a full disk must not cost them.
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {memory.available: 1Mi, nodefs.available: 0%, imagefs.available: 0%}
CONFIG
}
