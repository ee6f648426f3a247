#!/usr/bin/env bash
# Renders the configuration into RUN_DIR/etc and becomes coturn, in the foreground, as the user it is started by.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/lib/template.sh
source "$here/../scripts/lib/template.sh"
# shellcheck source=scripts/lib/addresses.sh
source "$here/../scripts/lib/addresses.sh"

# The IPv4 address that coturn listens on and relays from. coturn must be told one, a wildcard would relay from
# the wildcard.
turn_address() {
  if [ "$BIND_ADDRESS" = 0.0.0.0 ]; then own_address "$SERVER_IP"; else echo "$BIND_ADDRESS"; fi
}

older_than() {
  local version
  version=$(turnserver --version 2>/dev/null | grep -m1 -oE '^[0-9]+\.[0-9.]+')
  [ "$(printf '%s\n' "$version" "$1" | sort -V | head -n1)" != "$1" ]
}

configuration() {
  cat "$here/turnserver.conf"
  if older_than 4.7; then cat "$here/turnserver-before-4.7.conf"; fi
  # coturn refuses loopback peers whatever its lists say, unless told otherwise. The lists then decide: of
  # 127.0.0.0/8 and ::1 they let through the media relay alone.
  case "$MEDIA_IP" in 127.*) printf '\nallow-loopback-peers\n' ;; esac
}

# coturn makes its database when the first client logs in, and refuses whoever comes meanwhile: "database is locked". So
# it gets one that has its tables.
prepare_database() {
  local admin
  if [ -e "$RUN_DIR/turndb" ]; then return; fi
  rm -f "$RUN_DIR/turndb.new"
  turnadmin -L -b "$RUN_DIR/turndb.new" > /dev/null &
  admin=$!
  wait "$admin"
  # It cannot be told not to log.
  rm -f {/var/log/turnserver,/var/log,/var/tmp,/tmp,.}/"turn_${admin}_"*.log
  mv "$RUN_DIR/turndb.new" "$RUN_DIR/turndb"
}

read_secret TURN_SECRET
TURN_ADDRESS=$(turn_address)
TURN_ALLOCATIONS=$((TURN_MAX_PORT - TURN_MIN_PORT + 1))
RELAY_IP=$TURN_ADDRESS
EXTERNAL_IP=$SERVER_IP
# Two devices that may both use nothing but the relay meet there: one relay sends to the other. Where everything is on
# loopback that takes the one loopback address that a relay may send to.
case "$TURN_ADDRESS $MEDIA_IP" in 127.*' '127.*) RELAY_IP=$MEDIA_IP EXTERNAL_IP=$MEDIA_IP ;; esac
export TURN_ADDRESS RELAY_IP EXTERNAL_IP TURN_ALLOCATIONS

mkdir -p "$RUN_DIR/etc"
render <(configuration) "$RUN_DIR/etc/turnserver.conf"

cd "$RUN_DIR"
prepare_database

# A clean environment: the secret is in the file, which nobody else reads.
exec env -i PATH="$PATH" turnserver -c "$RUN_DIR/etc/turnserver.conf"
