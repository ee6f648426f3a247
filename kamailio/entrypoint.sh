#!/bin/bash
# Becomes Kamailio. Needs the settings of .env.example, RUN_DIR (writable), TLS_DIR, and the secrets
# DB_KAMAILIO_PASSWORD and INTERNAL_SECRET or the files that hold them (NAME_FILE).
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/lib/template.sh
. "$HERE/../scripts/lib/template.sh"

check_settings() {
  local name
  for name in SIP_DOMAIN BIND_ADDRESS SERVER_IP SIP_PORT SIP_TLS_PORT SIP_WSS_PORT SIP_RPC_PORT \
    INTERNAL_ADDRESS INTERNAL_NETWORK API_INTERNAL_URL RING_SECONDS DB_HOST DB_PORT DB_NAME RTPENGINE_HOST RTPENGINE_NG_PORT RUN_DIR TLS_DIR; do
    [ -n "${!name:-}" ] || { echo "kamailio: $name is not set" >&2; exit 1; }
  done
}

# The password goes to libpq in a file of its own, where any character survives: not into a URL, nor a process list.
write_password_file() {
  read_secret DB_KAMAILIO_PASSWORD
  local password=${DB_KAMAILIO_PASSWORD//\\/\\\\}
  printf '*:*:*:kamailio:%s\n' "${password//:/\\:}" > "$PGPASSFILE"
  unset DB_KAMAILIO_PASSWORD
}

# Before 6.0, which withstands what after-fork.c tells of.
preload_after_fork() {
  local version
  version=$(kamailio -v | sed -n '1s/.*kamailio \([0-9]*\)\..*/\1/p')
  [ -n "$version" ] || { echo 'kamailio: it does not tell its version' >&2; exit 1; }
  [ "$version" -lt 6 ] || return 0
  tcc -shared -nostdlib -o "$RUN_DIR/after-fork.so" "$HERE/after-fork.c"
  export LD_PRELOAD="$RUN_DIR/after-fork.so"
}

umask 077
# The times in its tables are without a zone: whoever reads them takes them for UTC.
export TZ=UTC
export DB_HOST=${DB_HOST:-127.0.0.1} DB_NAME=${DB_NAME:-veil} RTPENGINE_HOST=${RTPENGINE_HOST:-127.0.0.1}
check_settings
mkdir -p "$RUN_DIR/etc"
export PGPASSFILE="$RUN_DIR/etc/pgpass"
write_password_file
read_secret INTERNAL_SECRET
render "$HERE/tls.cfg" "$RUN_DIR/etc/tls.cfg"

preload_after_fork
exec kamailio -DD -E -f "$HERE/kamailio.cfg" -Y "$RUN_DIR" -m 64 -M 8
