# etcd, the API server, the controller manager and the scheduler, each a process of this host.

control_plane_up() {
  local port
  for port in $ETCD_PORT $ETCD_PEER_PORT $API_PORT $CONTROLLER_PORT $SCHEDULER_PORT; do
    if listening "$port"; then die "port $port of 127.0.0.1 is taken by another program"; fi
  done

  # Without fsync: the data dies with the cluster anyway, and a slow disk would be what the tests measure.
  start etcd "$KUBE/etcd" --data-dir "$RUN/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls "http://127.0.0.1:$ETCD_PORT" --advertise-client-urls "http://127.0.0.1:$ETCD_PORT" \
    --listen-peer-urls "http://127.0.0.1:$ETCD_PEER_PORT" --initial-advertise-peer-urls "http://127.0.0.1:$ETCD_PEER_PORT" \
    --initial-cluster "default=http://127.0.0.1:$ETCD_PEER_PORT"
  await etcd 30 listening $ETCD_PORT

  write_audit_policy
  # ServiceAccount admission would give each pod a token volume and a wait for its account, and no pod here calls the API.
  start kube-apiserver "$KUBE/kube-apiserver" --etcd-servers "http://127.0.0.1:$ETCD_PORT" --cert-dir "$PKI" \
    --bind-address 127.0.0.1 --advertise-address 127.0.0.1 --secure-port $API_PORT --endpoint-reconciler-type none \
    --kubelet-preferred-address-types InternalIP \
    --service-cluster-ip-range 10.210.0.0/24 --allow-privileged --authorization-mode Node,RBAC --token-auth-file "$PKI/tokens.csv" \
    --service-account-issuer https://kubernetes.default.svc --service-account-key-file "$PKI/service-accounts.pub" \
    --service-account-signing-key-file "$PKI/service-accounts.key" --disable-admission-plugins ServiceAccount \
    --audit-policy-file "$RUN/audit-policy.yaml" --audit-log-path "$LOGS/audit.log" \
    --max-requests-inflight 2000 --max-mutating-requests-inflight 1000
  await kube-apiserver 120 kubectl get --raw /readyz

  # Its default of 20 requests a second would bind claims slower than anything here provisions them.
  start kube-controller-manager "$KUBE/kube-controller-manager" --kube-api-qps 2000 --kube-api-burst 4000 --leader-elect=false \
    --kubeconfig "$KUBECONFIGS/kube-controller-manager" --authentication-kubeconfig "$KUBECONFIGS/kube-controller-manager" \
    --authorization-kubeconfig "$KUBECONFIGS/kube-controller-manager" --use-service-account-credentials \
    --service-account-private-key-file "$PKI/service-accounts.key" --root-ca-file "$PKI/apiserver.crt" \
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
- {level: Metadata, userGroups: ["system:serviceaccounts:$SYSTEM_NAMESPACE"]}
- {level: None}
POLICY
}
