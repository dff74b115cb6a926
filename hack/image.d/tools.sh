# What is taken from the Debian packages of this host. For local-driver, what makes and grows filesystems: programs, the libraries they
# load, the settings they read. For clients of an API server, the public certificate authorities. The packages' licences are beside
# them; no shell and nothing else of a distribution.

# crates/local-driver/src/host/filesystem.rs
TOOLS="mkfs.ext4 e2fsck resize2fs mkfs.xfs xfs_growfs mkfs.btrfs btrfs btrfstune"
TOOL_SETTINGS="/etc/mke2fs.conf"

tool_path() {
  PATH=$PATH:/usr/sbin:/sbin command -v "$1" ||
    die "needs $1 for the images of local-driver and longshore: install the Debian packages e2fsprogs, xfsprogs and btrfs-progs"
}

# Lines `path in the image=file of this host`: programs, then libraries where the loader looks without a cache, then settings.
tool_files() {
  local tool real
  for tool in $TOOLS; do
    real=$(readlink -f "$(tool_path "$tool")")
    echo "/usr/sbin/${real##*/}=$real"
  done | sort -u
  for tool in $TOOLS; do ldd "$(tool_path "$tool")"; done |
    awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }' | sort -u | while read -r real; do echo "$real=$(readlink -f "$real")"; done
  for real in $TOOL_SETTINGS; do echo "$real=$real"; done
}

# Lines `name=target`, for names that another program answers to.
tool_links() {
  local tool real
  for tool in $TOOLS; do
    real=$(readlink -f "$(tool_path "$tool")")
    [ "${real##*/}" = "$tool" ] || echo "/usr/sbin/$tool=${real##*/}"
  done
}

# Lines `package,version,architecture,source,distribution`, of those that the files come from.
tool_packages() { tool_files | cut -d= -f2 | packages_of; }

# The same, of those whose code the linker puts into every program.
linked_packages() { for library in libc.a libgcc_eh.a; do readlink -f "$(cc -print-file-name=$library)"; done | packages_of; }

authority_packages() {
  set -- "$AUTHORITIES"/*.crt
  echo "$1" | packages_of
}

# A package may own a file under the name it had before /lib became a link to /usr/lib.
packages_of() {
  local distribution files file owners
  distribution=$(. /etc/os-release && echo "$ID-${VERSION_ID:-testing}")
  mapfile -t files
  # Fails when it does not know one of the two names, so each file is looked for in the answer.
  owners=$(dpkg-query -S "${files[@]}" "${files[@]#/usr}" 2>/dev/null) || true
  for file in "${files[@]}"; do
    grep -qxE ".*: (/usr)?${file#/usr}" <<<"$owners" || die "no Debian package owns $file, so nobody can say what it is: install it from one"
  done
  awk -F': ' '{ print $1 }' <<<"$owners" | sort -u |
    xargs dpkg-query -W -f "\${Package},\${Version},\${Architecture},\${source:Package},$distribution\n" | sort
}

# The arguments to pack that make the layer.
tool_layer() {
  local package
  echo -layer
  tool_files | while read -r line; do printf '%s\n' -file "$line"; done
  tool_links | while read -r line; do printf '%s\n' -link "$line"; done
  tool_packages | while IFS=, read -r package _; do printf '%s\n' -file "/usr/share/doc/$package/copyright=/usr/share/doc/$package/copyright"; done
}

# As the package brings them; /etc/ssl/certs of this host may have others too, which are nobody else's.
AUTHORITIES=/usr/share/ca-certificates/mozilla

# authority_layer FILE: the arguments for the layer with all of them in one file, which is made.
authority_layer() {
  local LC_ALL=C package
  [ -d "$AUTHORITIES" ] || die "needs certificate authorities for the images that speak to an API server: install the Debian package ca-certificates"
  cat "$AUTHORITIES"/*.crt >"$1"
  printf '%s\n' -layer -file "/etc/ssl/certs/ca-certificates.crt=$1"
  authority_packages | while IFS=, read -r package _; do printf '%s\n' -file "/usr/share/doc/$package/copyright=/usr/share/doc/$package/copyright"; done
}
