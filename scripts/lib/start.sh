#!/bin/bash
# start.sh STATE: the second half of up.sh, which runs where the servers' users can reach the checkout and the state.
set -euo pipefail
umask 022

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
for part in log services processes node supervisor ground database load report version certificates; do
  # shellcheck source=/dev/null
  . "$ROOT/scripts/lib/$part.sh"
done
# shellcheck source=/dev/null
. "$1/etc/settings.env"

take_certificate_over() {
  if [ ! -e "$(told_certificate)" ]; then
    note_certificate
  elif certificate_is_new; then
    reload_certificate
  fi
}

main() {
  check_readable
  supervise
  start_servers postgres
  await_answers postgres
  load_restored
  prepare_database
  start_servers all
  await_answers "${SERVICES[@]:1}"
  await_ready
  take_certificate_over
  checked_out_version > "$VEIL_VAR/etc/version"
  print_table
  print_first_steps
}

main
