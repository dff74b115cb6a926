# What is in an image, as CycloneDX: the programs, the crates they are made of, and the Debian packages of the tools. Without time or
# serial number, so that the same image has the same list.

# Here and not in hack/versions.env, because what that says is part of the cluster, which would be built anew.
CYCLONEDX_VERSION=0.5.9
CYCLONEDX=$CACHE/cargo-cyclonedx-$CYCLONEDX_VERSION

# Unoptimized: it runs for a second.
build_cyclonedx() {
  with_progress "compiling cargo-cyclonedx" "$1/build.log" \
    cargo install --locked --debug --version "$CYCLONEDX_VERSION" --root "$1" --target-dir "$1/target" cargo-cyclonedx || return
  rm -r "$1/target" "$1/build.log"
}

# OUT/crates/PROGRAM.json for every program. cargo-cyclonedx writes beside each Cargo.toml, so it gets a copy of what it looks at:
# manifests, and sources because cargo wants to see that there are some.
list_crates() {
  local work program
  work=$(mktemp -d "$OUT/.crates-XXXXXX")
  (cd "$repo" && find . \( -path ./target -o -path ./.git \) -prune -o \( -name Cargo.toml -o -name Cargo.lock -o -name '*.rs' \) -print0) >"$work/files"
  tar -C "$repo" --null -T "$work/files" -c | tar -C "$work" -x
  with_progress "cargo cyclonedx" "$OUT/cyclonedx.log" env SOURCE_DATE_EPOCH=0 CARGO_NET_OFFLINE=true CARGO_TARGET_DIR="$work/target" \
    "$CYCLONEDX/bin/cargo-cyclonedx" cyclonedx --manifest-path "$work/Cargo.toml" --format json --spec-version 1.5 \
    --target "$(host_triple)" --no-build-deps
  mkdir -p "$OUT/crates"
  for program in $PROGRAMS; do
    sed "s|$work|/longshore|g" "$work/crates/$program/$program.cdx.json" >"$OUT/crates/$program.json"
  done
  rm -r "$work"
}

# write_sbom IMAGE DIGEST FILE
write_sbom() {
  local image=$1 digest=$2 file=$3 program package arguments
  arguments=(-name "longshore/$image" -version "$VERSION" -digest "$digest" -created "$(source_date)" -out "$file" -rust "$(rustc --version | cut -d' ' -f2)")
  for program in $(files_in "$image"); do arguments+=(-program "$OUT/crates/$program.json"); done
  for package in $(debian_packages "$image"); do arguments+=(-debian "$package"); done
  "$IMAGE_TOOLS/sbom" "${arguments[@]}"
}

debian_packages() {
  linked_packages
  ! needs_authorities "$1" || authority_packages
  ! needs_tools "$1" || tool_packages
}
