# etcd, the API server, the controller manager and the scheduler, each a process of this host.

control_plane_up() {
  local port
  for port in $ETCD_PORT $ETCD_PEER_PORT $CONTROLLER_PORT $SCHEDULER_PORT; do
    if listening "$port"; then die "port $port of 127.0.0.1 is taken by another program"; fi
  done
  if listening $API_PORT "$BRIDGE_IP"; then die "port $API_PORT of $BRIDGE_IP is taken by another program"; fi

  # Without fsync: the data dies with the cluster anyway, and a slow disk would be what the tests measure.
  start etcd "$KUBE/etcd" --data-dir "$RUN/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls "http://127.0.0.1:$ETCD_PORT" --advertise-client-urls "http://127.0.0.1:$ETCD_PORT" \
    --listen-peer-urls "http://127.0.0.1:$ETCD_PEER_PORT" --initial-advertise-peer-urls "http://127.0.0.1:$ETCD_PEER_PORT" \
    --initial-cluster "default=http://127.0.0.1:$ETCD_PEER_PORT"
  await etcd 30 listening $ETCD_PORT

  # Pods of ours that call the API need it; without it a pod is just what its manifest says, which the API's conformance tests compare.
  local accounts=--disable-admission-plugins=ServiceAccount
  [ ! -e "$RUN/accounts" ] || accounts=--enable-admission-plugins=ServiceAccount
  write_audit_policy
  # On the bridge and not on 127.0.0.1, which is another one in each pod. What it signs itself is good for its service address too.
  start kube-apiserver "$KUBE/kube-apiserver" --etcd-servers "http://127.0.0.1:$ETCD_PORT" --cert-dir "$PKI" \
    --bind-address "$BRIDGE_IP" --advertise-address "$BRIDGE_IP" --secure-port $API_PORT --endpoint-reconciler-type none \
    --kubelet-preferred-address-types InternalIP \
    --service-cluster-ip-range $SERVICE_CIDR --allow-privileged --authorization-mode Node,RBAC --token-auth-file "$PKI/tokens.csv" \
    --service-account-issuer https://kubernetes.default.svc --service-account-key-file "$PKI/service-accounts.pub" \
    --service-account-signing-key-file "$PKI/service-accounts.key" "$accounts" --enable-admission-plugins NodeRestriction \
    --client-ca-file "$PKI/clients.crt" \
    --audit-policy-file "$RUN/audit-policy.yaml" --audit-log-path "$LOGS/audit.log" \
    --max-requests-inflight 2000 --max-mutating-requests-inflight 1000
  await kube-apiserver 120 kubectl get --raw /readyz

  # Its default of 20 requests a second would bind claims slower than anything here provisions them.
  start kube-controller-manager "$KUBE/kube-controller-manager" --kube-api-qps 2000 --kube-api-burst 4000 --leader-elect=false \
    --kubeconfig "$KUBECONFIGS/kube-controller-manager" --authentication-kubeconfig "$KUBECONFIGS/kube-controller-manager" \
    --authorization-kubeconfig "$KUBECONFIGS/kube-controller-manager" --use-service-account-credentials \
    --service-account-private-key-file "$PKI/service-accounts.key" --root-ca-file "$PKI/apiserver.crt" \
    --cluster-signing-cert-file "$PKI/clients.crt" --cluster-signing-key-file "$PKI/clients.key" \
    --bind-address 127.0.0.1 --secure-port $CONTROLLER_PORT --cert-dir "$PKI/kube-controller-manager"
  start kube-scheduler "$KUBE/kube-scheduler" --kubeconfig "$KUBECONFIGS/kube-scheduler" --leader-elect=false \
    --authentication-kubeconfig "$KUBECONFIGS/kube-scheduler" --authorization-kubeconfig "$KUBECONFIGS/kube-scheduler" \
    --kube-api-qps 2000 --kube-api-burst 4000 --bind-address 127.0.0.1 --secure-port $SCHEDULER_PORT --cert-dir "$PKI/kube-scheduler"
}

listening() { (: <"/dev/tcp/${2:-127.0.0.1}/$1") 2>/dev/null; }

# Who asked what, for the processes whose requests we count. Metadata only: no body, so no secret.
write_audit_policy() {
  cat >"$RUN/audit-policy.yaml" <<POLICY
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: None, userGroups: ["system:serviceaccounts:kube-system"]}
- {level: Metadata, userGroups: ["system:serviceaccounts"]}
# node2 has no kubelet: whoever speaks with a node's certificate there is node-mounter.
- {level: Metadata, users: ["system:node:node2"]}
- {level: None}
POLICY
}
