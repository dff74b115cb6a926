# What the cluster runs that is not ours: Kubernetes and etcd, containerd, csi-sanity, and two container images. All of it is
# compiled here from Go modules or packed from Debian's busybox; no container image is pulled from anywhere.

kube_hash=$(hash_of "$repo"/hack/versions.env "$repo"/hack/kube/* "$parts/build.sh")
containerd_hash=$(hash_of "$repo"/hack/versions.env "$repo"/hack/containerd/go.* "$parts/build.sh")
sanity_hash=$(hash_of "$repo"/hack/versions.env "$repo"/hack/csi-sanity/go.* "$parts/build.sh")
images_hash=$(hash_of "$repo"/hack/images/go.mod "$repo"/hack/images/*/*.go "$parts/build.sh")

KUBE=$CACHE/kubernetes-$kube_hash
CONTAINERD=$CACHE/containerd-$containerd_hash
SANITY=$CACHE/csi-sanity-$sanity_hash
IMAGES=$CACHE/images-$images_hash
PAUSE_IMAGE=docker.io/longshore/pause:1
BUSYBOX_IMAGE=docker.io/longshore/busybox:1

build() {
  command -v go >/dev/null || die "needs Go on PATH"
  check_pins
  install_packages
  cached kubernetes "$kube_hash" build_kubernetes
  cached containerd "$containerd_hash" build_containerd
  cached csi-sanity "$sanity_hash" build_sanity
  cached images "$images_hash" build_images
}

built() { [ -d "$KUBE" ] && [ -d "$CONTAINERD" ] && [ -d "$SANITY" ] && [ -d "$IMAGES" ] && [ -z "$(missing_packages)" ]; }

check_pins() {
  pinned kube k8s.io/kubernetes "$KUBERNETES_VERSION"
  pinned kube go.etcd.io/etcd/server/v3 "$ETCD_VERSION"
  pinned containerd github.com/containerd/containerd/v2 "$CONTAINERD_VERSION"
  pinned csi-sanity github.com/kubernetes-csi/csi-test/v5 "$CSI_TEST_VERSION"
}

pinned() {
  grep -Eq "^(require)?[[:space:]]*$2 $3( |$)" "$repo/hack/$1/go.mod" ||
    die "hack/versions.env says $2 $3, hack/$1/go.mod does not: make them agree"
}

# go_build MODULE OUT ARGS...: -v makes one line of output per package compiled, which is what progress counts.
go_build() {
  local module=$1 out=$2
  shift 2
  (
    cd "$repo/hack/$module"
    export CGO_ENABLED=0
    with_progress "compiling $module" "$out/build.log" go build -v -trimpath -buildvcs=false "$@"
  ) && rm "$out/build.log"
}

build_kubernetes() {
  local package=k8s.io/component-base/version major minor name
  IFS=. read -r major minor _ <<<"${KUBERNETES_VERSION#v}"
  local flags="-s -w -X $package.gitVersion=$KUBERNETES_VERSION -X $package.gitMajor=$major -X $package.gitMinor=$minor"
  go_build kube "$1" -ldflags "$flags" -o "$1/kubernetes" . || return
  # Apart from the others: it is called often, and starts faster when it is small.
  go_build kube "$1" -ldflags "$flags" -o "$1/kubectl" k8s.io/kubernetes/cmd/kubectl || return
  for name in etcd kube-apiserver kube-controller-manager kube-scheduler kubelet; do ln -s kubernetes "$1/$name"; done
}

build_containerd() {
  local package=github.com/containerd/containerd/v2
  go_build containerd "$1" -ldflags "-s -w -X $package/version.Version=$CONTAINERD_VERSION" -tags no_btrfs,no_devmapper,no_zfs \
    -o "$1/" $package/cmd/containerd $package/cmd/ctr $package/cmd/containerd-shim-runc-v2
}

build_sanity() { go_build csi-sanity "$1" -ldflags "-s -w" -o "$1/csi-sanity" github.com/kubernetes-csi/csi-test/v5/cmd/csi-sanity; }

# The two images of every pod here: one that only waits, and a busybox with a shell.
build_images() {
  local work=$1/work applet links=()
  mkdir "$work"
  go_build images "$1" -ldflags "-s -w" -o "$work/" ./pause ./pack || return
  for applet in $(/bin/busybox --list); do
    [ "$applet" = busybox ] || links+=("/bin/$applet=busybox")
  done
  "$work/pack" -name "$PAUSE_IMAGE" -out "$1/pause.tar" -entrypoint /pause -file "/pause=$work/pause" &&
    "$work/pack" -name "$BUSYBOX_IMAGE" -out "$1/busybox.tar" -file /bin/busybox=/bin/busybox "${links[@]/#/-link=}" || return
  rm -r "$work"
}
