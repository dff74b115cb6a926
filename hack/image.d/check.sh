# How big the images are, against how big they may be.

# Bytes, compressed, as a registry keeps and a node fetches them: all images, each blob counted once; and what runs on every node.
ALL_BAR=25000000
NODE_BAR=3000000

check() {
  [ $# -eq 0 ] || die "check takes no argument"
  local program profile bytes size all missed=()
  printf '%-24s %12s %12s  %s\n' program binary compressed digest
  for program in $PROGRAMS; do
    [ -d "$OUT/$program" ] || die "there is no image of $program under $OUT: make them all with hack/image build"
    read -r profile bytes <"$OUT/$program.built"
    [ "$profile" = dist ] || die "the image of $program was built with --profile $profile, and the bars are for what is shipped: hack/image build $program"
    size=$(blobs "$OUT/$program" | total)
    printf '%-24s %12d %12d  %s\n' "$program" "$bytes" "$size" "$(digest_of "$OUT/$program")"
    case $program in
      node-driver-registrar | livenessprobe) [ "$size" -lt $NODE_BAR ] || missed+=("$program is $size bytes compressed; it may be $NODE_BAR") ;;
    esac
  done
  all=$(for program in $PROGRAMS; do blobs "$OUT/$program"; done | total)
  printf '%-24s %12s %12d\n' "all, each blob once" "" "$all"
  [ "$all" -lt $ALL_BAR ] || missed+=("all images together are $all bytes compressed; they may be $ALL_BAR")
  [ ${#missed[@]} -eq 0 ] || die "$(printf '%s; ' "${missed[@]}")docs/images.md says what they are made of"
}

# Lines `digest bytes` of an image's blobs, its manifest and settings included.
blobs() { find "$1/blobs/sha256" -type f -printf '%f %s\n'; }

total() { sort -u | awk '{ bytes += $2 } END { print bytes + 0 }'; }
