# The Debian packages the cluster needs, and only those that are missing.

PACKAGES="runc containernetworking-plugins busybox-static e2fsprogs xfsprogs btrfs-progs util-linux mount iproute2 nftables openssl"

missing_packages() {
  local package
  for package in $PACKAGES; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || echo "$package"
  done
}

install_packages() {
  local missing log
  missing=$(missing_packages | xargs)
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null || die "needs the Debian packages: $missing (no apt-get here to install them)"
  say "installing Debian packages: $missing"
  log=$(mktemp)
  # shellcheck disable=SC2086
  with_progress "apt-get" "$log" sh -c "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing"
  rm -f "$log"
}
