# Builds kept outside the checkout, each under a name that hashes what it is made from: a fresh clone of the same sources finds
# them, another version gets a folder of its own. A folder appears whole (built beside, then renamed) or not at all.

hash_of() { cat "$@" | sha256sum | cut -c1-16; }

# cached NAME HASH BUILDER: prints nothing; builds with `BUILDER FOLDER` unless CACHE/NAME-HASH is there.
cached() {
  local name=$1 folder=$CACHE/$1-$2 builder=$3 work began=$SECONDS
  [ -d "$folder" ] && return
  mkdir -p "$CACHE"
  exec 8>"$CACHE/.lock-$name"
  flock -n 8 || { say "waiting for another build of $name"; flock 8; }
  if [ ! -d "$folder" ]; then
    say "building $name"
    work=$(mktemp -d "$CACHE/.building-$name-XXXXXX")
    if ! "$builder" "$work"; then
      rm -rf "$work"
      die "$name did not build"
    fi
    mv -T "$work" "$folder"
    say "built $name in $((SECONDS - began)) s ($(du -sh "$folder" | cut -f1)), kept in $folder"
  fi
  exec 8>&-
}
