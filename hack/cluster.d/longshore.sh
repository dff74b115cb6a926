# Longshore in the cluster: local-driver on both nodes, the sidecars beside its controller, a registrar per node, and node2's
# node-mounter. All are processes of this host; a socket under the node's root folder is all that a kubelet needs of a driver.

PROFILE=dev
PROGRAMS="local-driver external-provisioner external-attacher node-driver-registrar livenessprobe node-mounter"

target_folder() {
  local profile=$PROFILE
  [ "$profile" != dev ] || profile=debug
  echo "${CARGO_TARGET_DIR:-$repo/target}/$profile"
}

build_longshore() {
  local program arguments=()
  command -v cargo >/dev/null || die "needs Rust's cargo on PATH"
  for program in $PROGRAMS; do arguments+=(-p "$program"); done
  say "building Longshore ($PROFILE)"
  with_progress "cargo build" "$LOGS/cargo-build.log" \
    cargo build --locked --manifest-path "$repo/Cargo.toml" --profile "$PROFILE" --bins "${arguments[@]}"
}

longshore_up() {
  local node root bin part
  build_longshore
  bin=$(target_folder)
  for part in external-provisioner external-attacher node-mounter local-driver; do
    kubectl apply -f "$repo/manifests/$part" >/dev/null
  done

  # node2's agent registers the Node. Everything is said, so that the demo can tell and a test can look for secrets in vain.
  keep node-mounter "$bin/node-mounter" --kubeconfig="$KUBECONFIGS/node-mounter" --node-name=node2 --root-dir="$MOUNTER_ROOT" \
    --register-node --v=10
  for node in node1 node2; do
    root=$(node_root $node)
    mkdir -p "$root/plugins/$DRIVER_NAME" "$root/plugins_registry"
    # Both nodes are this host and share its disk, so a volume has no place of its own.
    keep local-driver-$node "$bin/local-driver" --endpoint="unix://$root/plugins/$DRIVER_NAME/csi.sock" --driver-name=$DRIVER_NAME \
      --node-id=$node --data-dir="$RUN/volumes" --topology=false --controller-publish --v=5
    keep node-driver-registrar-$node "$bin/node-driver-registrar" --csi-address="$root/plugins/$DRIVER_NAME/csi.sock" \
      --kubelet-registration-path="$root/plugins/$DRIVER_NAME/csi.sock" --plugin-registration-path="$root/plugins_registry" \
      --timeout=60s
  done
  for part in external-provisioner external-attacher; do
    keep $part env POD_NAMESPACE=$SYSTEM_NAMESPACE "$bin/$part" --kubeconfig="$KUBECONFIGS/$part" \
      --csi-address="$KUBELET_ROOT/plugins/$DRIVER_NAME/csi.sock" --v=5
  done

  await node-mounter 60 node_ready node2
  for node in node1 node2; do await node-driver-registrar-$node 60 driver_registered $node; done
  say "Longshore runs: $DRIVER_NAME is registered on node1 (kubelet) and node2 (node-mounter)"
}

node_root() { if [ "$1" = node1 ]; then echo "$KUBELET_ROOT"; else echo "$MOUNTER_ROOT"; fi; }

driver_registered() { kubectl get csinode "$1" -o 'jsonpath={.spec.drivers[*].name}' | tr ' ' '\n' | grep -qx "$DRIVER_NAME"; }

# keep NAME COMMAND...: starts it, unless the very same command with the very same program runs already.
keep() {
  local name=$1 sum word
  shift
  sum=$({ echo "$*"; for word in "$@"; do if [ -x "$word" ] && [ -f "$word" ]; then sha256sum "$word"; fi; done; } | sha256sum)
  if alive "$name" >/dev/null && [ "$(cat "$RUN/kept/$name" 2>/dev/null)" = "$sum" ]; then return; fi
  stop 10 "$name"
  start "$name" "$@"
  mkdir -p "$RUN/kept"
  echo "$sum" >"$RUN/kept/$name"
}
