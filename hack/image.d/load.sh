# Into the cluster of hack/cluster, where pods then need no registry.

load() {
  [ $# -eq 0 ] || die "load takes no argument: it loads every image under $OUT"
  [ -S "$CONTAINERD_SOCKET" ] || die "no containerd listens on $CONTAINERD_SOCKET: start the cluster with hack/cluster up"
  local program loaded=0
  for program in $PROGRAMS; do
    [ -d "$OUT/$program" ] || continue
    tar -C "$OUT/$program" -c . | ctr -n k8s.io image import - >>"$OUT/load.log" 2>&1 || die "containerd refused the image of $program: $(tail -n 1 "$OUT/load.log")"
    say "loaded $(image_name "$program") $(digest_of "$OUT/$program")"
    loaded=$((loaded + 1))
  done
  [ "$loaded" -gt 0 ] || die "there is no image under $OUT: make them with hack/image build"
}
