# Helm 3 and Helm 4, as helm3 and helm4: charts have to work with both. Apart from build.sh, whose text is part of the name under
# which Kubernetes is kept.

helm3_hash=$(hash_of "$repo"/hack/helm3/go.* "$parts/helm.sh")
helm4_hash=$(hash_of "$repo"/hack/helm4/go.* "$parts/helm.sh")
HELM3=$CACHE/helm3-$helm3_hash
HELM4=$CACHE/helm4-$helm4_hash

build_helms() {
  cached helm3 "$helm3_hash" build_helm3
  cached helm4 "$helm4_hash" build_helm4
}

helms_built() { [ -d "$HELM3" ] && [ -d "$HELM4" ]; }

build_helm3() { build_helm 3 "$1"; }
build_helm4() { build_helm 4 "$1"; }

# Helm takes its own version from the linker, and version 3 that of Kubernetes too, which it tells charts of without a cluster; go.mod is
# where both are decided.
build_helm() {
  local major=$1 out=$2 module flags minor name
  module=helm.sh/helm/v$major
  flags="-s -w -X $module/internal/version.version=$(required_version "$major" "$module")"
  if [ "$major" = 3 ]; then
    IFS=. read -r _ minor _ < <(required_version "$major" k8s.io/client-go)
    for name in pkg/lint/rules pkg/chartutil; do
      flags="$flags -X $module/$name.k8sVersionMajor=1 -X $module/$name.k8sVersionMinor=$minor"
    done
  fi
  go_build "helm$major" "$out" -ldflags "$flags" -o "$out/helm$major" "$module/cmd/helm"
}

required_version() { awk -v module="$2" '$1 == module { print $2 }' "$repo/hack/helm$1/go.mod"; }

print_helm_env() { printf 'export PATH=%q:%q:$PATH\n' "$HELM3" "$HELM4"; }
