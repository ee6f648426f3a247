# shellcheck shell=bash
# Debian packages: installs those that are missing, and sees to it that installing starts nothing, now or at boot.
# Needs log.sh.

# shellcheck disable=SC2034  # read by the scripts that include this file
SERVER_PACKAGES=(postgresql ejabberd erlang-p1-pgsql
  kamailio kamailio-postgres-modules kamailio-tls-modules kamailio-websocket-modules
  rtpengine-daemon coturn supervisor openssl iproute2 ca-certificates)

# shellcheck disable=SC2034
TEST_PACKAGES=(sip-tester baresip-core python3-slixmpp chromium libnss3-tools wrk jq shellcheck)

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get > /dev/null || fail "These Debian packages are missing: ${missing[*]}"
  say "Installing ${#missing[@]} Debian packages: ${missing[*]}"
  (
    trap allow_starts EXIT
    forbid_starts
    if ! apt_get update || ! apt_get install "${missing[@]}"; then fail 'apt-get could not install them, see above'; fi
    disable_at_boot "${missing[@]}"
  )
}

missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2> /dev/null)" = installed ] || echo "$package"
  done
}

apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@" > /dev/null; }

POLICY=/usr/sbin/policy-rc.d
CLUSTER_POLICY=/etc/postgresql-common/createcluster.d/veil-install.conf

# The distribution's own way to say "start no service" and "create no database cluster" while packages are installed.
forbid_starts() {
  if [ ! -e "$POLICY" ]; then
    printf '#!/bin/sh\n# veil: while packages are installed\nexit 101\n' > "$POLICY"
    chmod +x "$POLICY"
  fi
  mkdir -p "$(dirname "$CLUSTER_POLICY")"
  echo 'create_main_cluster = false' > "$CLUSTER_POLICY"
}

allow_starts() {
  rm -f "$CLUSTER_POLICY"
  if grep -qs '^# veil:' "$POLICY"; then rm "$POLICY"; fi
}

# Packages enable their units; after a reboot those servers would hold our ports. Only what was just installed is touched.
disable_at_boot() {
  local units
  command -v systemctl > /dev/null || return 0
  mapfile -t units < <(dpkg-query -L "$@" | sed -n 's|^\(/usr\)\?/lib/systemd/system/\([^/@]*\.service\)$|\2|p')
  [ ${#units[@]} -eq 0 ] || systemctl -q disable "${units[@]}" 2> /dev/null || true
}
