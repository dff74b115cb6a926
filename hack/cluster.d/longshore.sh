# Longshore in the cluster: the rights of each of its processes.

longshore_up() {
  local part
  for part in external-provisioner external-attacher node-mounter; do
    kubectl apply -f "$repo/manifests/$part/rbac.yaml" >/dev/null
  done
}
