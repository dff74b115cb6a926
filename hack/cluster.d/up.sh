# up, down and status: the whole in order, and back.

# What a running cluster was made from; another answer means that `up` starts afresh.
cluster_version() { echo "$KUBE $CONTAINERD $IMAGES $(hash_of "$parts"/{settings,credentials,network,control-plane,node}.sh)"; }

CONTROL_PLANE="etcd kube-apiserver kube-controller-manager kube-scheduler containerd kubelet"

up() {
  local bare= fresh=
  while [ $# -gt 0 ]; do
    case $1 in
      --bare) bare=yes ;;
      --fresh) fresh=yes ;;
      --profile) PROFILE=${2:?--profile needs dev or release}; shift ;;
      *) die "up: unknown option $1" ;;
    esac
    shift
  done
  built || build
  if [ -z "$fresh" ] && healthy; then
    say "the cluster is up already; --fresh starts another"
    if [ -n "$bare" ] && [ ! -e "$RUN/accounts" ]; then say "it was started without --bare: its pods have no service accounts"; fi
  else
    tear_down
    claim_folders
    say "starting Kubernetes $KUBERNETES_VERSION; logs are in $LOGS"
    ln -sfn "$KUBE" "$RUN/bin"
    if [ -n "$bare" ]; then touch "$RUN/accounts"; fi
    make_credentials
    network_up
    control_plane_up
    node_up
    await kubelet 120 node_ready node1
    kubectl apply -f "$repo/manifests/namespace" >/dev/null
    cluster_version >"$RUN/version"
    say "node1 is ready: kubelet and containerd $CONTAINERD_VERSION"
  fi
  [ -n "$bare" ] || longshore_up
  say "up; use it with:  eval \"\$(hack/cluster env)\""
}

healthy() {
  local name
  [ -f "$RUN/version" ] && [ "$(cat "$RUN/version")" = "$(cluster_version)" ] || return 1
  for name in $CONTROL_PLANE; do alive "$name" >/dev/null || return 1; done
  kubectl get --raw /readyz >/dev/null 2>&1 && node_ready node1
}

tear_down() {
  local names
  names=$(recorded)
  if [ -n "$names$(our_processes)$(our_mounts)$(our_loops)" ]; then say "removing what runs or was left"; fi
  # Longshore first, so that nothing reacts to the cluster going away; then the node; then what everyone speaks to.
  # shellcheck disable=SC2046
  stop 5 $(for name in $names; do case " $CONTROL_PLANE " in *" $name "*) ;; *) echo "$name" ;; esac; done)
  stop 5 kubelet
  stop 5 containerd kube-scheduler kube-controller-manager
  stop 10 kube-apiserver
  stop 5 etcd
  sweep
}

down() {
  tear_down
  local mounts loops processes files rules
  mounts=$(our_mounts | wc -l) loops=$(our_loops | wc -l) processes=$(our_processes | wc -l)
  files=$(for root in "$RUN" "$KUBELET_ROOT" "$MOUNTER_ROOT"; do [ ! -e "$root/$MARK" ] || find "$root"; done | wc -l)
  rules=$(if nft list table ip "$NFT_TABLE" >/dev/null 2>&1; then echo 1; else echo 0; fi)
  say "nothing left: $mounts mounts, $loops loop devices, $processes processes, $files files, $rules rules of the host's network"
  [ "$mounts$loops$processes$files$rules" = 00000 ] || die "the above would not go"
}

status() {
  local name
  [ -n "$(recorded)" ] || { echo "down"; return; }
  for name in $(recorded); do
    printf '%-28s %s\n' "$name" "$(if pid=$(alive "$name"); then echo "pid $pid"; else echo "not running"; fi)"
  done
  kubectl get nodes 2>/dev/null || true
}
