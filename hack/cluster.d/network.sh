# How processes, pods and the API server reach one another. There is no kube-proxy: the one Service that anybody calls is
# `kubernetes`, and one rule of this host is enough for it.

network_up() {
  save_sysctls
  make_bridge
  make_service_address
  write_cni_config
}

# There before the API server, which listens on its address, and before the first pod. It is kubelet's address too: the API server
# finds kubelet by the node's InternalIP (for exec and logs), so no name has to be put into the hosts file.
make_bridge() {
  ip link add "$BRIDGE" type bridge || die "cannot make the bridge $BRIDGE"
  ip address add "$BRIDGE_IP/16" dev "$BRIDGE"
  ip link set "$BRIDGE" up
}

# For pods (prerouting) and for processes of this host, and pods in its network, alike (output).
make_service_address() {
  local rule="ip daddr $SERVICE_IP tcp dport $SERVICE_PORT dnat to $BRIDGE_IP:$API_PORT"
  nft -f - <<NFT || die "nft cannot lead $SERVICE_IP:$SERVICE_PORT to the API server"
table ip $NFT_TABLE {
  chain prerouting { type nat hook prerouting priority -100; $rule; }
  chain output { type nat hook output priority -100; $rule; }
}
NFT
  # Otherwise a host without a default route knows no way there, and the rule is never asked.
  ip route add "$SERVICE_CIDR" dev "$BRIDGE"
}

# Pods need a route to the services, and to nowhere else.
write_cni_config() {
  mkdir -p "$RUN/cni"
  cat >"$RUN/cni/pods.conflist" <<CNI
{"cniVersion": "1.0.0", "name": "longshore-pods", "plugins": [{
  "type": "bridge", "bridge": "$BRIDGE", "isGateway": true, "ipMasq": false,
  "ipam": {"type": "host-local", "dataDir": "$RUN/cni/addresses", "ranges": [[{"subnet": "$POD_CIDR", "gateway": "$BRIDGE_IP"}]],
    "routes": [{"dst": "$SERVICE_CIDR"}]}
}]}
CNI
}
