# Who may speak to the API server, and as whom. Each process has a token and a kubeconfig of its own, with no more rights than
# upstream's manifests give it: our sidecars are the service accounts of manifests/*/rbac.yaml, so a right they lack shows here.

accounts() {
  local account
  echo 'admin|admin|system:masters'
  echo 'kube-controller-manager|system:kube-controller-manager|'
  echo 'kube-scheduler|system:kube-scheduler|'
  echo 'kubelet|system:node:node1|system:nodes'
  for account in external-provisioner external-attacher node-mounter; do
    echo "$account|system:serviceaccount:$SYSTEM_NAMESPACE:$account|system:serviceaccounts,system:serviceaccounts:$SYSTEM_NAMESPACE"
  done
}

make_credentials() {
  local name user groups token
  mkdir -p "$PKI" "$KUBECONFIGS"
  chmod 700 "$PKI"
  openssl genrsa -out "$PKI/service-accounts.key" 2048 2>/dev/null
  openssl rsa -in "$PKI/service-accounts.key" -pubout -out "$PKI/service-accounts.pub" 2>/dev/null
  # Who signs the certificates of those that ask for one by a CertificateSigningRequest.
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=longshore-test-clients \
    -keyout "$PKI/clients.key" -out "$PKI/clients.crt" 2>/dev/null
  : >"$PKI/tokens.csv"
  accounts | while IFS='|' read -r name user groups; do
    token=$(openssl rand -hex 16)
    echo "$token,$user,$name,\"$groups\"" >>"$PKI/tokens.csv"
    make_kubeconfig "$name" "$token"
  done
}

# The API server signs its own certificate when it first starts; it is its own authority.
make_kubeconfig() {
  cat >"$KUBECONFIGS/$1" <<CONFIG
apiVersion: v1
kind: Config
clusters: [{name: longshore, cluster: {server: "https://$BRIDGE_IP:$API_PORT", certificate-authority: $PKI/apiserver.crt}}]
users: [{name: $1, user: {token: $2}}]
contexts: [{name: longshore, context: {cluster: longshore, user: $1}}]
current-context: longshore
CONFIG
  chmod 600 "$KUBECONFIGS/$1"
}

kubeconfig_path() {
  [ -f "$KUBECONFIGS/$1" ] || die "no kubeconfig for '$1': $(ls "$KUBECONFIGS" 2>/dev/null | xargs || true) (is the cluster up?)"
  echo "$KUBECONFIGS/$1"
}

print_env() { printf 'export PATH=%q:$PATH KUBECONFIG=%q\n' "$KUBE" "$(kubeconfig_path admin)"; }

kubectl() { "$KUBE/kubectl" --kubeconfig "$KUBECONFIGS/admin" "$@"; }
