# What docs/images.md promises of the images, held to each of them as built. Says it in libtest's words, which hack/test counts.

promises() {
  local profile=dev promise passed=0 failed=0 status
  case ${1:-} in
    '') ;;
    --profile) profile=${2:?--profile needs dev or dist} ;;
    --profile=*) profile=${1#*=} ;;
    *) die "test: unknown argument $1" ;;
  esac
  build_images_of --profile "$profile"
  (cd "$repo/hack/images" && go vet ./... && go test ./...)
  # Not in $OUT, which may be on a disk that forbids what is done inside the images.
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  for promise in $(declare -F | sed -n 's/^declare -f promise_//p'); do
    status=0
    # Not as a condition: bash would go on after a command that failed.
    (promise_"$promise" "$profile") &
    wait $! || status=$?
    if [ "$status" = 0 ]; then
      echo "test $promise ... ok"
      passed=$((passed + 1))
    else
      echo "test $promise ... FAILED"
      failed=$((failed + 1))
    fi
  done
  echo "test result: $([ $failed = 0 ] && echo ok || echo FAILED). $passed passed; $failed failed; 0 ignored"
  [ "$failed" = 0 ]
}

# The root of an image's file system, as a container sees it. Layers are named in their order, after the settings.
root_of() {
  local image=$1 root=$work/root/$1 blobs=$OUT/$1/blobs/sha256 layer
  if [ ! -d "$root" ]; then
    mkdir -p "$root"
    for layer in $(grep -o 'sha256:[0-9a-f]*' "$blobs/$(digest_of "$OUT/$image" | cut -d: -f2)" | tail -n +2); do
      tar -x -p -f "$blobs/${layer#sha256:}" -C "$root"
    done
  fi
  echo "$root"
}

# inside IMAGE COMMAND...: as the image's user, with its root as the root, and nothing of this host but what a container has too.
inside() {
  local image=$1 root
  shift
  root=$(root_of "$image")
  # shellcheck disable=SC2016
  unshare --mount bash -c 'mount --rbind /dev "$0/dev" && mount --bind /proc "$0/proc" && exec env -i PATH=/usr/sbin:/usr/bin chroot "$@"' \
    "$root" --userspec="$(user_of "$image")" "$root" "$@"
}

# says_who IMAGE PROGRAM NAME: it starts by that name.
says_who() {
  case $2 in
    # Have no --version; upstream's livenessprobe has none either.
    livenessprobe | local-driver) inside "$1" "/$3" --help 2>&1 | grep -q "^Usage: .*$3" ;;
    *) inside "$1" "/$3" --version 2>&1 | grep -qF "$VERSION" ;;
  esac || { echo "/$3 does not run in the image of $1" >&2; return 1; }
}

settings_of() {
  local blobs=$OUT/$1/blobs/sha256
  cat "$blobs/$(grep -o 'sha256:[0-9a-f]*' "$blobs/$(digest_of "$OUT/$1" | cut -d: -f2)" | head -n 1 | cut -d: -f2)"
}

expect() { [ "$2" = "$3" ] || { printf '%s: expected\n%s\nfound\n%s\n' "$1" "$2" "$3" >&2; return 1; }; }

promise_an_image_holds_its_programs_their_links_and_nothing_undeclared() {
  local image program declared
  for image in $PROGRAMS; do
    declared=$(
      printf '%s\n' /etc/group /etc/nsswitch.conf /etc/passwd
      for program in $(files_in "$image"); do echo "/$program"; done
      links_in "$image" | sed 's/=/ -> /'
      if needs_authorities "$image"; then printf '%s\n' /etc/ssl/certs/ca-certificates.crt /usr/share/doc/ca-certificates/copyright; fi
      if needs_tools "$image"; then
        tool_files | cut -d= -f1
        tool_links | sed 's/=/ -> /'
        tool_packages | sed 's|^\([^,]*\),.*|/usr/share/doc/\1/copyright|'
      fi
    )
    expect "$image" "$(sort <<<"$declared")" "$(find "$(root_of "$image")" -type f -printf '/%P\n' -o -type l -printf '/%P -> %l\n' | sort)"
  done
}

promise_there_is_no_shell_and_nothing_that_gives_rights() {
  local image found
  for image in $PROGRAMS; do
    found=$(find "$(root_of "$image")" \( -name 'sh' -o -name '*bash*' -o -name '*dash*' -o -name 'busybox*' -o -name perl \) -o -type f -perm /6000)
    expect "$image" "" "$found"
  done
}

promise_a_program_runs_in_its_image_by_both_its_names() {
  local image upstream
  for image in $PROGRAMS; do
    says_who "$image" "$image" "$image"
    upstream=$(upstream_name "$image")
    [ -z "$upstream" ] || says_who "$image" "$image" "$upstream"
  done
}

promise_the_image_of_all_runs_each_of_them() {
  local program
  for program in $PROGRAMS; do says_who longshore "$program" "$program"; done
}

# libc finds names by libraries of its own, which are not there; and a client that has no certificate authority does not start.
promise_a_server_is_found_by_its_name_and_needs_no_authority_in_the_kubeconfig() {
  local root
  root=$(root_of longshore)
  echo "127.0.0.1 api.example" >"$root/etc/hosts"
  printf '%s\n' 'apiVersion: v1' 'kind: Config' 'current-context: a' 'contexts: [{name: a, context: {cluster: a, user: a}}]' \
    'users: [{name: a, user: {}}]' 'clusters: [{name: a, cluster: {server: "https://api.example:1"}}]' >"$root/kubeconfig"
  inside longshore /longshore status --kubeconfig=/kubeconfig >"$work/said" 2>&1 || true
  rm "$root/etc/hosts" "$root/kubeconfig"
  # Nobody listens on port 1.
  grep -qF "Connection refused" "$work/said" || { cat "$work/said" >&2; return 1; }
}

promise_the_tools_make_check_and_grow_filesystems_in_the_image() {
  local image root
  for image in local-driver longshore; do
    root=$(root_of "$image")
    truncate -s 16M "$root/ext4"
    truncate -s 300M "$root/xfs"
    truncate -s 128M "$root/btrfs"
    inside "$image" /usr/sbin/mkfs.ext4 -q -F -m 0 -E nodiscard /ext4
    truncate -s 32M "$root/ext4"
    inside "$image" /usr/sbin/e2fsck -f -p /ext4
    inside "$image" /usr/sbin/resize2fs /ext4
    inside "$image" /usr/sbin/mkfs.xfs -q -f -K /xfs
    inside "$image" /usr/sbin/mkfs.btrfs -q -f -K /btrfs
    inside "$image" /usr/sbin/btrfstune -f -m /btrfs
    inside "$image" /usr/sbin/btrfs --version
    inside "$image" /usr/sbin/xfs_growfs -V
    # As the kernel would see them.
    expect "$image" "ext4 xfs btrfs" "$(for type in ext4 xfs btrfs; do blkid -p -o value -s TYPE "$root/$type"; done | xargs)"
    rm "$root"/{ext4,xfs,btrfs}
  done
}

promise_who_runs_it_and_what_it_is_are_written_on_the_image() {
  local image label
  for image in $PROGRAMS; do
    settings_of "$image" >"$work/settings"
    grep -qF "\"User\":\"$(user_of "$image")\"" "$work/settings"
    grep -qF "\"Entrypoint\":[\"/$image\"]" "$work/settings"
    for label in "title\":\"$image" "version\":\"$VERSION" "revision\":\"$(revision)" "source\":\"$SOURCE" 'licenses":"Apache-2.0'; do
      grep -qF "\"org.opencontainers.image.$label\"" "$work/settings" || { echo "$image: no label $label" >&2; return 1; }
    done
  done
}

promise_packed_again_it_is_the_same_image_and_the_same_list() {
  local image
  mkdir "$work/again"
  for image in $PROGRAMS; do
    make_image "$image" "$1" "$work/again" >/dev/null
    expect "$image" "$(digest_of "$OUT/$image")" "$(digest_of "$work/again/$image")"
    diff -r "$OUT/$image" "$work/again/$image"
    diff "$OUT/$image.cdx.json" "$work/again/$image.cdx.json"
  done
}

promise_no_program_and_no_list_names_a_folder_of_this_machine() {
  local image folder
  for image in $PROGRAMS; do
    for folder in "$repo" "$(readlink -f "${CARGO_HOME:-$HOME/.cargo}")" "$(readlink -m "${CARGO_TARGET_DIR:-$repo/target}")"; do
      expect "$image names $folder" 0 "$(cat "$(root_of "$image")/$image" "$OUT/$image.cdx.json" | grep -acF "$folder" || true)"
    done
  done
}

promise_the_list_beside_an_image_names_its_crates_and_packages() {
  local image
  for image in $PROGRAMS; do
    # What cannot be read as such a list is refused.
    "$IMAGE_TOOLS/sbom" -out /dev/null -name "$image" -program "$OUT/$image.cdx.json"
    grep -qF "\"purl\": \"pkg:cargo/tokio@" "$OUT/$image.cdx.json"
    grep -qF "\"purl\": \"pkg:deb/debian/libc6-dev@" "$OUT/$image.cdx.json"
    grep -qF "$(digest_of "$OUT/$image" | cut -d: -f2)" "$OUT/$image.cdx.json"
    expect "$image" "$(if needs_tools "$image"; then echo yes; fi)" "$(if grep -qF '"purl": "pkg:deb/debian/e2fsprogs@' "$OUT/$image.cdx.json"; then echo yes; fi)"
  done
  expect "tests' crates in the list" 0 "$(cat "$OUT"/*.cdx.json | grep -cF '"pkg:cargo/proptest@' || true)"
}
