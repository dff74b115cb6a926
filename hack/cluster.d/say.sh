# Talking to whoever waits: steps with a clock, progress on long ones, one sentence and the log's tail on failure.

STARTED=$SECONDS

say() { printf '[%3ds] %s\n' $((SECONDS - STARTED)) "$*"; }

die() {
  printf 'hack/%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

need_root() { [ "$(id -u)" = 0 ] || die "needs root: it mounts, makes loop devices and runs containers"; }

# with_progress WHAT LOG COMMAND...: runs COMMAND with its output in LOG; says every 15 s that it still runs and how far it got.
with_progress() {
  local what=$1 log=$2 began=$SECONDS pid ticks=0 status=0
  shift 2
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    ticks=$((ticks + 1))
    [ $((ticks % 75)) = 0 ] && say "  $what: $((SECONDS - began)) s, $(wc -l <"$log") lines of output, last: $(tail -n 1 "$log" | cut -c1-80)"
  done
  wait "$pid" || status=$?
  if [ "$status" != 0 ]; then
    say "$what failed after $((SECONDS - began)) s with status $status; the end of $log:"
    tail -n 20 "$log" | sed 's/^/    /'
    return "$status"
  fi
}

# eventually SECONDS COMMAND...: until COMMAND succeeds, or the time is up.
eventually() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || return 1
    sleep 0.1
  done
}
