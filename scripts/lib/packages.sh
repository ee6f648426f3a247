# shellcheck shell=bash
# Debian packages: installs those that are missing, and sees to it that installing starts nothing, now or at boot.
# Needs log.sh.

# shellcheck disable=SC2034  # read by the scripts that include this file
SERVER_PACKAGES=(postgresql ejabberd erlang-p1-pgsql
  kamailio kamailio-postgres-modules kamailio-tls-modules kamailio-websocket-modules
  kamailio-utils-modules kamailio-extra-modules tcc
  rtpengine-daemon coturn supervisor openssl iproute2 curl ca-certificates)

# shellcheck disable=SC2034
TEST_PACKAGES=(sip-tester baresip-core python3-slixmpp chromium libnss3-tools redis-server wrk jq shellcheck pebble ufw)

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get > /dev/null || fail "These Debian packages are missing: ${missing[*]}"
  say "Installing ${#missing[@]} Debian packages: ${missing[*]}"
  (
    log=$(mktemp)
    units=$(enabled_units)
    trap 'allow_starts; rm -f "$log"' EXIT
    forbid_starts
    if ! { apt_get update && apt_get install "${missing[@]}"; } > "$log" 2>&1; then
      tail -n 20 "$log" >&2
      fail 'apt-get could not install them, see above'
    fi
    disable_new_units "$units"
  )
}

missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2> /dev/null)" = installed ] || echo "$package"
  done
}

apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@"; }

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

# Packages enable their units: after a reboot those servers would hold our ports. What was enabled before stays so.
disable_new_units() {
  local new
  mapfile -t new < <(comm -13 <(echo "$1") <(enabled_units))
  [ ${#new[@]} -eq 0 ] || ! command -v systemctl > /dev/null || systemctl -q disable "${new[@]}"
}

enabled_units() { find /etc/systemd/system -path '*.wants/*' -type l -printf '%f\n' 2> /dev/null | sort -u; }
