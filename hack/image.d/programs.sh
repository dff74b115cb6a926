# The programs, static: libc is inside, so an image needs no file beside its program. The same sources with the same compiler give
# the same bytes, wherever the checkout is.

# --target even though it is this machine's own: without it the flags would be for build scripts and procedural macros too, and
# those must be able to load libraries.
host_triple() { rustc -vV | sed -n 's/^host: //p'; }

program_folder() {
  local profile=$1
  [ "$profile" != dev ] || profile=debug
  echo "${CARGO_TARGET_DIR:-$repo/target}/$(host_triple)/$profile"
}

# compile PROFILE PROGRAM...
compile() {
  local profile=$1 program log triple selected=() flags cargo_home target
  shift
  command -v cargo >/dev/null || die "needs Rust's cargo on PATH"
  triple=$(host_triple)
  cargo_home=$(readlink -f "${CARGO_HOME:-$HOME/.cargo}")
  target=$(readlink -m "${CARGO_TARGET_DIR:-$repo/target}")
  # The last that matches counts, so the folder inside the other comes last.
  flags=(-Ctarget-feature=+crt-static -Cstrip=symbols "-Clink-arg=-Wl,--build-id=none"
    --remap-path-prefix="$cargo_home=/cargo" --remap-path-prefix="$repo=/longshore" --remap-path-prefix="$target=/longshore/target")
  # Lines in backtraces would make an image that is only tested ten times as big.
  [ "$profile" != dev ] || flags+=(-Cdebuginfo=0)
  # All are selected whichever are built: cargo switches on of a library what any selected package needs, and a program must not
  # depend on what else was built with it.
  for program in $PROGRAMS; do selected+=(-p "$program"); done
  for program in "$@"; do selected+=(--bin "$program"); done
  say "building $* ($profile, static)"
  mkdir -p "$OUT"
  log=$OUT/cargo-build.log
  (
    CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f'; echo "${flags[*]}")
    export CARGO_ENCODED_RUSTFLAGS
    # C, for the same reason: ring's assertions name their source.
    export "CFLAGS_${triple//-/_}=-ffile-prefix-map=$cargo_home=/cargo -ffile-prefix-map=$target=/longshore/target -ffile-prefix-map=$repo=/longshore"
    with_progress "cargo build" "$log" cargo build --locked --manifest-path "$repo/Cargo.toml" --profile "$profile" --target "$triple" "${selected[@]}"
  ) || exit 1
}
