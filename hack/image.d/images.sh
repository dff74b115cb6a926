# Which images there are, and what is particular about each.

PROGRAMS="external-provisioner external-attacher node-driver-registrar livenessprobe node-mounter local-driver longshore"
OUT=${CARGO_TARGET_DIR:-$repo/target}/images
VERSION=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$repo/Cargo.toml")
SOURCE=$(sed -n '/^\[workspace.package\]/,/^\[/s/^repository = "\(.*\)"/\1/p' "$repo/Cargo.toml")

# As a container runtime spells what a manifest calls longshore/PROGRAM:VERSION.
image_name() { echo "docker.io/longshore/$1:$VERSION"; }

title_of() { sed -n 's/^description = "\(.*\)"/\1/p' "$repo/crates/$1/Cargo.toml"; }

# The name that the charts of drivers know the program by, where it differs.
upstream_name() {
  case $1 in
    external-provisioner) echo csi-provisioner ;;
    external-attacher) echo csi-attacher ;;
    node-driver-registrar) echo csi-node-driver-registrar ;;
  esac
}

# Root where the job is root's: mounting, and the sockets of kubelet and of drivers on a node, which only root may write to. The two
# controllers talk to the API server and to a socket that their pod shares with the driver; where that driver is root and gives
# its socket to nobody else, a pod says runAsUser: 0.
user_of() {
  case $1 in
    external-provisioner | external-attacher) echo 65532:65532 ;;
    *) echo 0:0 ;;
  esac
}

# What makes and grows filesystems. node-mounter has the kernel mount and leaves filesystems to the driver.
needs_tools() { [ "$1" = local-driver ] || [ "$1" = longshore ]; }

# What speaks to the API server. In a cluster its authority comes with the service account; a kubeconfig that names none means the
# public ones, and a client that finds none at all does not start.
needs_authorities() { case $1 in external-provisioner | external-attacher | node-mounter | longshore) ;; *) return 1 ;; esac }

# The programs in an image.
programs_in() { if [ "$1" = longshore ]; then echo "$PROGRAMS"; else echo "$1"; fi; }
