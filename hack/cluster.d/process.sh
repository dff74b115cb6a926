# Processes that outlive this script. A pid alone is no identity (pids are reused), so a record holds the boot and the start time
# too, and nothing is ever signalled unless all three still agree.

PIDS=$RUN/pids

boot_id() { cat /proc/sys/kernel/random/boot_id; }

# Field 22 of stat, counted after the closing bracket because a program's name may hold spaces.
start_time() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  [ "$1" != Z ] && echo "${20}"
}

# start NAME COMMAND...
start() {
  local name=$1 pid
  shift
  mkdir -p "$PIDS" "$LOGS"
  printf '\n--- %s: %s\n' "$(date -Is)" "$*" >>"$LOGS/$name.log"
  # No descriptor of ours goes along: a daemon that held the cluster's lock would hold it for ever.
  # The mark in its environment, which its children inherit, is how leftovers.sh knows a process of this cluster.
  LONGSHORE_CLUSTER=$RUN setsid "$@" >>"$LOGS/$name.log" 2>&1 </dev/null 9>&- &
  pid=$!
  disown "$pid"
  echo "$pid $(start_time "$pid" || echo gone) $(boot_id)" >"$PIDS/$name"
}

# alive NAME: succeeds and prints the pid if the recorded process still runs.
alive() {
  local pid began boot
  [ -f "$PIDS/$1" ] || return 1
  read -r pid began boot <"$PIDS/$1" || return 1
  [ "$boot" = "$(boot_id)" ] && [ "$(start_time "$pid")" = "$began" ] && echo "$pid"
}

recorded() { [ -d "$PIDS" ] && ls "$PIDS" || true; }

# need_alive NAME: dies with the end of its log if it is not running.
need_alive() {
  alive "$1" >/dev/null && return
  show_log "$1"
  die "$1 ended by itself; its log is $LOGS/$1.log"
}

show_log() {
  [ -f "$LOGS/$1.log" ] || return 0
  say "the end of $LOGS/$1.log:"
  tail -n 25 "$LOGS/$1.log" | sed 's/^/    /'
}

# await NAME SECONDS COMMAND...: until COMMAND succeeds; dies with NAME's log if NAME ends first or time runs out.
await() {
  local name=$1 deadline=$((SECONDS + $2)) limit=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    need_alive "$name"
    if [ $SECONDS -ge $deadline ]; then
      show_log "$name"
      die "$name did not become ready within $limit s (waited for: $*)"
    fi
    sleep 0.1
  done
}

# stop SECONDS NAME...: asks all with SIGTERM, gives them SECONDS together, ends the rest with SIGKILL.
stop() {
  local deadline=$((SECONDS + $1)) name pid left
  shift
  for name in "$@"; do
    if pid=$(alive "$name"); then kill -TERM "$pid" 2>/dev/null || true; fi
  done
  while :; do
    left=
    for name in "$@"; do alive "$name" >/dev/null && left="$left $name"; done
    [ -n "$left" ] && [ $SECONDS -lt $deadline ] || break
    sleep 0.1
  done
  for name in $left; do
    if pid=$(alive "$name"); then
      say "  $name (pid $pid) did not heed SIGTERM: SIGKILL"
      kill -KILL "$pid" 2>/dev/null || true
      eventually 10 eval "! alive $name" || say "  $name (pid $pid) is stuck in the kernel"
    fi
  done
  for name in "$@"; do alive "$name" >/dev/null || rm -f "$PIDS/$name"; done
}

# One `up` or `down` at a time.
with_cluster_lock() {
  exec 9>/run/lock/longshore-cluster
  flock -n 9 || { say "waiting for another hack/cluster to finish"; flock 9; }
  "$@"
  exec 9>&-
}
