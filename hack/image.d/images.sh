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

# The programs that an image answers to.
programs_in() { if [ "$1" = longshore ]; then echo "$PROGRAMS"; else echo "$1"; fi; }

# The file that a program is in. Those that speak to the API server share one, `longshore`, which runs each by its name (crates/longshore/src/programs.rs):
# alone, each would hold the client and the types of Kubernetes anew, and a node would fetch and keep them as often.
file_of() { case $1 in external-provisioner | external-attacher | node-mounter) echo longshore ;; *) echo "$1" ;; esac }

# The files in an image. The one of all has local-driver in `longshore` already.
files_in() {
  local program
  for program in $(programs_in "$1"); do
    if [ "$1" = longshore ] && [ "$program" = local-driver ]; then continue; fi
    file_of "$program"
  done | sort -u
}

# Lines `/name=target` of the links in an image: programs that are in another's file, and upstream's names.
links_in() {
  local program upstream target files
  files=$(files_in "$1")
  for program in $(programs_in "$1"); do
    target=$program
    if ! grep -qx "$program" <<<"$files"; then
      target=longshore
      echo "/$program=$target"
    fi
    upstream=$(upstream_name "$program")
    [ -z "$upstream" ] || echo "/$upstream=$target"
  done
}
