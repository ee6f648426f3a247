#!/bin/bash
# Becomes the PostgreSQL server of the platform, as user postgres; creates its cluster the first time.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib/template.sh
. "$HERE/../lib/template.sh"

main() {
  mkdir -p "$RUN_DIR/etc" "$RUN_DIR/socket"
  [ -s "$RUN_DIR/data/PG_VERSION" ] || create_cluster
  forget_dead_server
  render "$HERE/postgresql.conf" "$RUN_DIR/etc/postgresql.conf"
  render "$HERE/pg_hba.conf" "$RUN_DIR/etc/pg_hba.conf"
  exec "$(program postgres)" -D "$RUN_DIR/data" -c config_file="$RUN_DIR/etc/postgresql.conf"
}

# A half-made cluster never has the final name.
create_cluster() {
  rm -rf "$RUN_DIR/data.new"
  "$(program initdb)" -D "$RUN_DIR/data.new" -U postgres -E UTF8 --locale=C.UTF-8 --data-checksums \
    --auth-local=peer --auth-host=scram-sha-256 > /dev/null
  mv "$RUN_DIR/data.new" "$RUN_DIR/data"
}

# After a power cut the recorded pid may belong to something else by now, which PostgreSQL would take for a living server.
forget_dead_server() {
  local pid
  pid=$(head -n 1 "$RUN_DIR/data/postmaster.pid" 2> /dev/null || true)
  [ "/proc/$pid/cwd" -ef "$RUN_DIR/data" ] || rm -f "$RUN_DIR/data/postmaster.pid"
}

# A program of the version that made the cluster; for a new one of the newest that is installed.
program() {
  local version found
  version=$(cat "$RUN_DIR/data/PG_VERSION" 2> /dev/null || echo '*')
  found=$(find /usr/lib/postgresql -path "/usr/lib/postgresql/$version/bin/$1" | sort -V | tail -n 1)
  echo "${found:-$1-of-PostgreSQL-$version}"
}

main "$@"
