# From programs to images: one layer per file, so that images which hold the same one share its blob.

image_tools_hash=$(hash_of "$repo"/hack/images/go.* "$repo"/hack/images/{pack,sbom}/*.go "$parts/build.sh")
IMAGE_TOOLS=$CACHE/image-tools-$image_tools_hash

build_image_tools() { go_build images "$1" -ldflags "-s -w" -o "$1/" ./pack ./sbom; }

# build [--profile NAME] [PROGRAM...]
build_images_of() {
  local profile=dist programs=() program compiled
  while [ $# -gt 0 ]; do
    case $1 in
      --profile) profile=${2:?--profile needs dist or dev}; shift ;;
      --profile=*) profile=${1#*=} ;;
      -*) die "build: unknown option $1" ;;
      *) case " $PROGRAMS " in *" $1 "*) programs+=("$1") ;; *) die "no program is called $1; there are: $PROGRAMS" ;; esac ;;
    esac
    shift
  done
  # shellcheck disable=SC2206
  [ ${#programs[@]} -gt 0 ] || programs=($PROGRAMS)
  command -v go >/dev/null || die "needs Go on PATH"
  # Of a build that was ended in the middle.
  rm -rf "$OUT"/.making-* "$OUT"/.crates-*
  cached image-tools "$image_tools_hash" build_image_tools
  cached "cargo-cyclonedx" "$CYCLONEDX_VERSION" build_cyclonedx

  compiled=$(for program in "${programs[@]}"; do files_in "$program"; done | sort -u)
  # shellcheck disable=SC2086
  compile "$profile" $compiled
  list_crates
  for program in "${programs[@]}"; do make_image "$program" "$profile" "$OUT"; done
}

# make_image PROGRAM PROFILE FOLDER: FOLDER/PROGRAM is the OCI layout, FOLDER/PROGRAM.cdx.json what is in it.
make_image() {
  local image=$1 profile=$2 folder=$3 work arguments
  work=$(mktemp -d "$OUT/.making-$image-XXXXXX")
  image_layers "$image" "$profile" "$work/authorities" >"$work/arguments"
  mapfile -t arguments <"$work/arguments"
  "$IMAGE_TOOLS/pack" -out "$work/$image" "${arguments[@]}"
  write_sbom "$image" "$(digest_of "$work/$image")" "$work/$image.cdx.json"
  stat -c '%s' "$(program_folder "$profile")/$(file_of "$image")" | sed "s/^/$profile /" >"$work/$image.built"
  rm -rf "${folder:?}/$image"
  mv "$work/$image" "$work/$image.cdx.json" "$work/$image.built" "$folder/"
  rm -r "$work"
  say "$(image_name "$image") $(digest_of "$folder/$image")"
}

# image_layers PROGRAM PROFILE FILE: the whole command line of pack, one argument a line. FILE is for the certificate authorities.
image_layers() {
  local image=$1 profile=$2 authorities=$3 file links programs created
  programs=$(program_folder "$profile")
  created=$(source_date)
  printf '%s\n' -name "$(image_name "$image")" -entrypoint "/$image" -user "$(user_of "$image")" -created "$created" \
    -label "org.opencontainers.image.title=$image" -label "org.opencontainers.image.description=$(title_of "$image")" \
    -label "org.opencontainers.image.version=$VERSION" -label "org.opencontainers.image.revision=$(revision)" \
    -label "org.opencontainers.image.created=$(date -u -d "@$created" +%Y-%m-%dT%H:%M:%SZ)" \
    -label "org.opencontainers.image.source=$SOURCE" -label "org.opencontainers.image.licenses=$(licenses_of "$image")"
  # Nobody ships dev, and it is packed again at every change.
  [ "$profile" = dev ] || echo -small
  ! needs_authorities "$image" || authority_layer "$authorities"
  ! needs_tools "$image" || tool_layer
  for file in $(files_in "$image"); do printf '%s\n' -layer -file "/$file=$programs/$file"; done
  links=$(links_in "$image")
  [ -z "$links" ] || printf '%s\n' -layer
  for file in $links; do printf '%s\n' -link "$file"; done
}

# Of what the image is about; its parts' are in the list beside it.
licenses_of() { sed -n '/^\[workspace.package\]/,/^\[/s/^license = "\(.*\)"/\1/p' "$repo/Cargo.toml"; }

# Outside a git checkout nothing is known of either.
source_date() { echo "${SOURCE_DATE_EPOCH:-$(git -C "$repo" log -1 --format=%ct 2>/dev/null || echo 0)}"; }
revision() { git -C "$repo" describe --always --dirty --abbrev=40 --exclude '*' 2>/dev/null || echo unknown; }

digest_of() { grep -o 'sha256:[0-9a-f]*' "$1/index.json" | head -n 1; }
