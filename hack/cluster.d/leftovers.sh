# Whatever a run leaves, orderly or not: `down` and the start of `up` both end here, so the way back from a crash is the way
# that is walked every time. Only what this script made is touched, and each thing says how it is known to be ours.

MARK=.made-by-hack-cluster

# Folders are ours if the mark is in them. One that is not, where kubelet must have its own, is set aside until `down`.
claim_folders() {
  if [ -n "$(ls -A "$RUN" 2>/dev/null)" ] && [ ! -e "$RUN/$MARK" ]; then
    die "$RUN is not empty and was not made by hack/cluster: empty it, or set LONGSHORE_RUN"
  fi
  mkdir -p "$RUN" "$LOGS" "$PIDS"
  touch "$RUN/$MARK"
  local root
  for root in "$KUBELET_ROOT" "$MOUNTER_ROOT"; do
    if [ -n "$(ls -A "$root" 2>/dev/null)" ] && [ ! -e "$root/$MARK" ]; then
      if foreign_kubelet; then die "$root belongs to a kubelet that runs here: this host has a cluster already"; fi
      say "setting $root aside as $root.before-longshore until down"
      [ ! -e "$root.before-longshore" ] || die "$root.before-longshore is in the way: remove it"
      mv -T "$root" "$root.before-longshore"
    fi
    if mountpoint -q "$root" && [ ! -e "$root/$MARK" ]; then die "$root is a mount of somebody else's"; fi
    mkdir -p "$root"
    touch "$root/$MARK"
  done
}

foreign_kubelet() {
  local process
  for process in /proc/[0-9]*; do
    [ "$(cat "$process/comm" 2>/dev/null)" = kubelet ] && ! marked "${process#/proc/}" && return 0
  done
  return 1
}

owned_roots() {
  local root
  for root in "$RUN" "$KUBELET_ROOT" "$MOUNTER_ROOT"; do
    if [ -e "$root/$MARK" ]; then echo "$root"; fi
  done
}

# --- processes: started by us (recorded), or their environment carries our mark, or they are in our cgroup (containers).

marked() { tr '\0' '\n' 2>/dev/null <"/proc/$1/environ" | grep -qxF "LONGSHORE_CLUSTER=$RUN"; }

marked_processes() {
  grep -lzsxF "LONGSHORE_CLUSTER=$RUN" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3 || true
}

cgroup_folders() { find /sys/fs/cgroup -depth -type d -path "*/$CGROUP*" 2>/dev/null | grep -E "/$CGROUP(/|$)" || true; }

container_processes() {
  local folder
  cgroup_folders | while read -r folder; do cat "$folder/cgroup.procs" 2>/dev/null || true; done | sort -un
}

our_processes() { { marked_processes; container_processes; } | sort -un | grep -vx $$ || true; }

none_of_ours() { [ -z "$(our_processes)" ]; }

end_processes() {
  local pids
  # Marked ones first: a shim or a kubelet that lives could start containers again.
  pids=$(marked_processes)
  # shellcheck disable=SC2086
  [ -z "$pids" ] || kill -KILL $pids 2>/dev/null || true
  local round
  for round in 1 2 3 4 5 6 7 8 9 10; do
    pids=$(our_processes)
    [ -n "$pids" ] || return 0
    # shellcheck disable=SC2086
    kill -KILL $pids 2>/dev/null || true
    eventually $((round < 4 ? 1 : 2)) none_of_ours || true
  done
  say "  still running: $(our_processes | xargs)"
}

remove_cgroups() {
  local folder
  cgroup_folders | while read -r folder; do rmdir "$folder" 2>/dev/null || true; done
}

# --- mounts: beneath a root of ours, or the root itself (kubelet binds its own onto itself, to share what is mounted there).

our_mounts() {
  local root point
  # mountinfo writes blanks in octal; printf %b reads them back. Last mounted first.
  tac /proc/self/mountinfo | while read -r _ _ _ _ point _; do
    point=$(printf '%b' "$point")
    for root in $(owned_roots); do
      case $point in "$root" | "$root"/*) printf '%s\n' "$point" ;; esac
    done
  done
}

remove_mounts() {
  local point round
  for round in 1 2 3; do
    our_mounts | while IFS= read -r point; do
      umount "$point" 2>/dev/null || [ "$round" = 1 ] || umount -l "$point" 2>/dev/null || true
    done
    [ -n "$(our_mounts)" ] || return 0
  done
  say "  still mounted: $(our_mounts | xargs)"
}

# --- loop devices: their file is (or was) beneath a root of ours.

our_loops() {
  local file backing root
  for file in /sys/block/loop*/loop/backing_file; do
    backing=$(cat "$file" 2>/dev/null) || continue
    for root in $(owned_roots); do
      case $backing in "$root"/*) echo "/dev/$(echo "$file" | cut -d/ -f4)" ;; esac
    done
  done
}

no_loops() { [ -z "$(our_loops)" ]; }

remove_loops() {
  local device
  for device in $(our_loops); do losetup -d "$device" 2>/dev/null || true; done
  # Detaching is lazy while something has the device open.
  eventually 5 no_loops || say "  still attached: $(our_loops | xargs)"
}

# --- what containerd and kubelet leave outside their folders.

remove_strays() {
  local file
  # The address of each shim's socket is in its bundle; the socket itself is under /run/containerd/s.
  find "$RUN/containerd/state" -name bootstrap.json -exec cat {} + 2>/dev/null |
    grep -o '"address":"unix://[^"]*' | sed 's#.*unix://##' | while read -r file; do rm -f "$file"; done || true
  # libcni keeps what it did for each sandbox, by the sandbox's id.
  for file in "$RUN"/containerd/root/io.containerd.grpc.v1.cri/sandboxes/*; do
    rm -f /var/lib/cni/results/*-"${file##*/}"-*
  done
  for file in /var/log/containers/*; do
    case $(readlink "$file" 2>/dev/null || true) in "$LOGS/pods"/*) rm -f "$file" ;; esac
  done
  rmdir /var/lib/cni/results /var/lib/cni /run/containerd/s /run/containerd /var/log/containers 2>/dev/null || true
  # Its routes go with it.
  ip link delete "$BRIDGE" 2>/dev/null || true
  nft delete table ip "$NFT_TABLE" 2>/dev/null || true
  restore_sysctls
}

# kubelet and the bridge set these for the whole host.
SYSCTLS="net.ipv4.ip_forward vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops kernel.keys.root_maxkeys kernel.keys.root_maxbytes"

save_sysctls() {
  local key
  for key in $SYSCTLS; do
    echo "$key $(cat "/proc/sys/${key//.//}" 2>/dev/null)"
  done >"$RUN/sysctls.before"
}

restore_sysctls() {
  local key value
  [ -f "$RUN/sysctls.before" ] || return 0
  while read -r key value; do
    if [ -n "$value" ] && [ "$(cat "/proc/sys/${key//.//}")" != "$value" ]; then
      echo "$value" >"/proc/sys/${key//.//}" || true
    fi
  done <"$RUN/sysctls.before"
  rm -f "$RUN/sysctls.before"
}

remove_folders() {
  local root
  # RUN last: it holds what the other steps read. Never across a mount that would not go.
  for root in "$MOUNTER_ROOT" "$KUBELET_ROOT" "$RUN"; do
    [ -e "$root/$MARK" ] || continue
    find "$root" -mindepth 1 ! -path "$root/$MARK" -xdev -delete 2>/dev/null || true
    rm -f "$root/$MARK"
    rmdir "$root" 2>/dev/null || true
    if [ -e "$root.before-longshore" ]; then mv -T "$root.before-longshore" "$root"; fi
  done
}

# sweep: everything above, in an order that works from any state.
sweep() {
  end_processes
  remove_mounts
  remove_loops
  remove_cgroups
  remove_strays
  remove_folders
}
